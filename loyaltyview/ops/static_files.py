"""Static files under hashed names, compressed once: the scanner's reader alone takes seconds of Brotli."""

from pathlib import Path

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class KeepingCompressor(Compressor):  # type: ignore[misc]
    """Keeps what it made of the same file before. It gives the compressed files the time of the original."""

    def compress(self, path: str) -> list[str]:
        """Compress the file at `path` where that is new. Return the paths of its compressed files."""
        changed_at = int(Path(path).stat().st_mtime)
        made = [Path(path + suffix) for suffix in (".br", ".gz")]
        if all(each.exists() and int(each.stat().st_mtime) == changed_at for each in made):
            return [str(each) for each in made]
        compressed: list[str] = super().compress(path)
        return compressed


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """What `collectstatic` writes to, in seconds where nothing changed."""

    def create_compressor(self, **kwargs: object) -> Compressor:
        return KeepingCompressor(**kwargs)
