"""Pictures from people and from vendors: checked by their content, made small, and stored as WebP.

A page with ten pictures stays fast on a shop's network, and nothing that a picture carries beside its pixels
(place, camera, scripts in an SVG) reaches a customer.
"""

from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from warnings import catch_warnings, simplefilter

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 1_000_000  # the server takes no larger request (EVENT_MAX_BYTES)
MOST_PIXELS = 40_000_000
QUALITIES = (75, 65, 55, 45)
SMALLER = 0.75


class PictureError(ValueError):
    """The file cannot be a picture; the message says why, for administrators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A picture as WebP. `digest` is the SHA-256 of `content`; the size is in pixels."""

    content: bytes
    digest: str
    width: int
    height: int


def small_picture(content: bytes, box: tuple[int, int], most_bytes: int) -> Small:
    """Return the picture in `content`, no larger than `box` (width, height) and `most_bytes`. A smaller one
    keeps its size. Raises PictureError."""
    image = _read(content, box)
    scale = 1.0
    while True:
        small = image.copy()
        small.thumbnail((max(1, int(box[0] * scale)), max(1, int(box[1] * scale))), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            file = BytesIO()
            small.save(file, "WEBP", quality=quality, method=6)
            if file.tell() <= most_bytes:
                data = file.getvalue()
                width, height = small.size
                return Small(content=data, digest=sha256(data).hexdigest(), width=width, height=height)
        scale *= SMALLER


def _read(content: bytes, box: tuple[int, int]) -> Image.Image:
    """Return the picture upright, in RGB or RGBA; a JPEG at most about twice as large as needed."""
    if len(content) > MOST_BYTES:
        raise PictureError(_("The file is larger than 1 MB: save a smaller picture first."))
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise PictureError(_("The picture has more than 40 million pixels."))
            image.draft("RGB", (2 * box[0], 2 * box[1]))  # a JPEG is read at about this size
            image.load()
    except PictureError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise PictureError(_("The picture has more than 40 million pixels.")) from error
    except UnidentifiedImageError as error:
        text = _("This is no PNG, JPEG or WebP picture, whatever the file is called.")
        raise PictureError(text) from error
    except Exception as error:  # what a damaged file makes a decoder do is not in its documents
        raise PictureError(_("The picture is damaged and cannot be read.")) from error
    upright = ImageOps.exif_transpose(image)
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
