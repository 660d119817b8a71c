"""Static files are compressed once."""

import os
from pathlib import Path

from loyaltyview.ops.static_files import KeepingCompressor


def test_a_file_is_compressed_again_only_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "app.js"
    path.write_text("let points = 820\n" * 100)
    made = [str(path) + ".br", str(path) + ".gz"]
    compressor = KeepingCompressor(quiet=True)
    assert compressor.compress(str(path)) == made
    before = Path(made[0]).read_bytes()

    Path(made[0]).write_bytes(b"kept")
    os.utime(made[0], (path.stat().st_atime, path.stat().st_mtime))
    assert compressor.compress(str(path)) == made
    assert Path(made[0]).read_bytes() == b"kept"

    os.utime(path, (0, 0))
    assert compressor.compress(str(path)) == made
    assert Path(made[0]).read_bytes() == before
