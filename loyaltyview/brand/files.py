"""Logos and typefaces: an upload is checked by its content, made small, and stored once.

A program keeps only the name of the file. The name of a logo ends with its size, so that a page reserves the
place without a query.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from loyaltyview.brand.models import BrandFile
from loyaltyview.brand.typefaces import TypefaceError, small_typeface
from providers.pictures import PictureError, small_picture

LOGO_BOX = (480, 120)  # shown at most 160 by 40, each of them three by three on a sharp screen
MOST_LOGO = 8 * 1024
LOGO_NAME = re.compile(r"[0-9a-f]{32}-(\d{1,3})x(\d{1,3})\.webp")
TYPEFACE_NAME = re.compile(r"[0-9a-f]{32}\.woff2")
SHOWN_HEIGHT = 32
SHOWN_WIDTH = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A logo as a page shows it; width and height in CSS pixels."""

    address: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that can be stored as BrandFile."""

    name: str
    content: bytes


def made_logo(content: bytes) -> Made:
    """Check and shrink a logo. Raises ValidationError with the reason."""
    if _is_svg(content):
        raise ValidationError(_("An SVG can carry a script: save the logo as PNG or WebP."))
    try:
        small = small_picture(content, LOGO_BOX, MOST_LOGO)
    except PictureError as error:
        raise ValidationError(str(error)) from error
    return Made(name=f"{small.digest[:32]}-{small.width}x{small.height}.webp", content=small.content)


def made_typeface(content: bytes) -> Made:
    """Check a typeface and reduce it to our letters. Raises ValidationError with the reason."""
    try:
        small = small_typeface(content)
    except TypefaceError as error:
        raise ValidationError(str(error)) from error
    return Made(name=f"{small.digest[:32]}.woff2", content=small.content)


def store(made: Made) -> None:
    """Store the file; the same content twice is one row."""
    BrandFile.objects.update_or_create(
        # Used again now: `forget_unused` leaves it alone.
        name=made.name,
        defaults={"content": made.content, "created_at": timezone.now()},
    )


def forget_unused(used: Collection[str], before: datetime) -> int:
    """Delete the files that are not `used`, and that nobody uploaded since `before`; return how many."""
    return BrandFile.objects.filter(created_at__lt=before).exclude(name__in=used).delete()[0]


def address_of(name: str) -> str:
    """Return the path of a file, "" without one."""
    return reverse("brand-file", args=[name]) if name else ""


def logo_of(name: str) -> Logo | None:
    """Return the logo with this name as a page shows it, None without one."""
    size = LOGO_NAME.fullmatch(name)
    if size is None:
        return None
    width, height = int(size[1]), int(size[2])
    scale = min(1, SHOWN_HEIGHT / height, SHOWN_WIDTH / width)
    return Logo(
        address=address_of(name), width=max(1, round(width * scale)), height=max(1, round(height * scale))
    )


def _is_svg(content: bytes) -> bool:
    return b"<svg" in content[:4096].lower()
