"""Pictures of rewards: an upload is checked by its content, made small, and stored as WebP.

A page with ten rewards stays fast on a shop's network, and nothing that a picture carries beside its pixels
(place, camera, scripts in an SVG) reaches a customer.
"""

from datetime import datetime
from hashlib import sha256
from io import BytesIO
from warnings import catch_warnings, simplefilter

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from providers.house.models import Picture

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 1_000_000  # the server takes no larger request (EVENT_MAX_BYTES)
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 168  # a card shows 56 pixels, each of them three by three on a sharp screen
MOST_STORED = 6 * 1024
QUALITIES = (75, 65, 55, 45)
SMALLER = 0.75


class PictureError(ValueError):
    """The upload cannot be a picture; the message says why, for administrators."""


def store_picture(content: bytes) -> Picture:
    """Check, shrink and store an uploaded picture; the same content twice is one row. Raises PictureError."""
    image = _read(content)
    small, size = _encode(image)
    picture, _created = Picture.objects.update_or_create(
        digest=sha256(small).hexdigest(),
        # Used again now: `forget_unused` leaves it alone.
        defaults={"content": small, "width": size[0], "height": size[1], "created_at": timezone.now()},
    )
    return picture


def address_of(digest: str | None) -> str:
    """Return the path of a picture, "" without one."""
    return reverse("house-picture", args=[digest]) if digest else ""


def forget_unused(before: datetime) -> int:
    """Delete the pictures that no reward has, and that nobody uploaded since; return how many."""
    return Picture.objects.filter(rewards=None, created_at__lt=before).delete()[0]


def _read(content: bytes) -> Image.Image:
    """Return the picture upright, in RGB or RGBA, at most twice as large as needed."""
    if len(content) > MOST_BYTES:
        raise PictureError(_("The file is larger than 1 MB: save a smaller picture first."))
    try:
        with catch_warnings():
            simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(content), formats=FORMATS)
            if image.width * image.height > MOST_PIXELS:
                raise PictureError(_("The picture has more than 40 million pixels."))
            image.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))  # a JPEG is read at about this size
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


def _encode(image: Image.Image) -> tuple[bytes, tuple[int, int]]:
    """Return the picture as WebP of at most `MOST_STORED` bytes, and its size."""
    side = LONGEST_SIDE
    while True:
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            file = BytesIO()
            small.save(file, "WEBP", quality=quality, method=6)
            if file.tell() <= MOST_STORED:
                return file.getvalue(), small.size
        side = int(side * SMALLER)
