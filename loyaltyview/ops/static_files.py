"""Static files under hashed names, compressed once: Brotli takes seconds for the scanner's reader alone."""

from pathlib import Path

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class KeepingCompressor(Compressor):  # type: ignore[misc]
    """Compresses a file only when it has changed: the compressed files have the time of their original."""

    def compress(self, path: str) -> list[str]:
        """Compress the file at `path` if it has changed. Return the paths of its compressed files."""
        changed_at = int(Path(path).stat().st_mtime)
        made = [Path(path + suffix) for suffix in (".br", ".gz")]
        if all(each.exists() and int(each.stat().st_mtime) == changed_at for each in made):
            return [str(each) for each in made]
        compressed: list[str] = super().compress(path)
        return compressed


class StaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """The storage that `collectstatic` writes to."""

    def create_compressor(self, **kwargs: object) -> Compressor:
        return KeepingCompressor(**kwargs)
