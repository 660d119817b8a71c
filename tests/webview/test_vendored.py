"""What others wrote lies in `static/vendor` unchanged: VENDORED.md names each file and its checksum."""

import re
from hashlib import sha256

from django.conf import settings

VENDOR = settings.BASE_DIR / "static" / "vendor"
ROW = re.compile(r"^\| `([^`]+)` \|.*\| `([0-9a-f]{64})` \|$", re.MULTILINE)
NAMED: dict[str, str] = dict(ROW.findall((VENDOR / "VENDORED.md").read_text()))


def test_every_file_is_listed_with_its_checksum() -> None:
    files = [path for path in VENDOR.rglob("*.*") if path.suffix in (".js", ".wasm")]
    assert {str(path.relative_to(VENDOR)): sha256(path.read_bytes()).hexdigest() for path in files} == NAMED


def test_every_package_comes_with_its_licence() -> None:
    assert all((VENDOR / name).with_name("LICENSE").exists() for name in NAMED)


def test_the_script_fits_the_webassembly() -> None:
    script = (VENDOR / "barcode-detector/ponyfill.js").read_text()
    assert NAMED["zxing-wasm/zxing_reader.wasm"] in script
