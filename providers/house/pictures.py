"""Pictures of rewards: an upload is made small and stored once."""

from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from providers.house.models import Picture
from providers.pictures import small_picture

LONGEST_SIDE = 168  # a card shows 56 pixels, each of them three by three on a sharp screen
MOST_STORED = 6 * 1024


def store_picture(content: bytes) -> Picture:
    """Check, shrink and store an uploaded picture; the same content twice is one row. Raises PictureError."""
    small = small_picture(content, (LONGEST_SIDE, LONGEST_SIDE), MOST_STORED)
    picture, _created = Picture.objects.update_or_create(
        digest=small.digest,
        # Used again now: `forget_unused` leaves it alone.
        defaults={
            "content": small.content,
            "width": small.width,
            "height": small.height,
            "created_at": timezone.now(),
        },
    )
    return picture


def address_of(digest: str | None) -> str:
    """Return the path of a picture, "" without one."""
    return reverse("house-picture", args=[digest]) if digest else ""


def forget_unused(before: datetime) -> int:
    """Delete the pictures that no reward has, and that nobody uploaded since; return how many."""
    return Picture.objects.filter(rewards=None, created_at__lt=before).delete()[0]
