"""Pictures and a typeface for tests of the brand."""

from io import BytesIO
from pathlib import Path

from PIL import Image

DEJAVU = Path(__file__).parents[1] / "setup" / "fonts" / "DejaVuSans.ttf"


def picture(size: tuple[int, int], kind: str = "PNG", mode: str = "RGB") -> bytes:
    """Return a picture of one colour; its size tells it from others."""
    file = BytesIO()
    Image.new(mode, size).save(file, kind)
    return file.getvalue()
