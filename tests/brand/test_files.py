"""Logos and typefaces: what is taken, how small it becomes, and the address that serves it."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone
from fontTools.ttLib import TTFont
from PIL import Image

from loyaltyview.brand import typefaces
from loyaltyview.brand.files import (
    MOST_LOGO,
    address_of,
    forget_unused,
    logo_of,
    made_logo,
    made_typeface,
    store,
)
from loyaltyview.brand.models import BrandFile
from providers.pictures import MOST_BYTES
from tests.brand.build import DEJAVU, picture

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_a_logo_is_shown_in_its_proportions_and_at_most_160_by_32() -> None:
    wide, high = made_logo(picture((4000, 500))), made_logo(picture((100, 100)))
    assert (logo_of(wide.name), len(wide.content) <= MOST_LOGO) == (logo_of(wide.name), True)
    logos = [logo_of(wide.name), logo_of(high.name)]
    assert [(logo.width, logo.height) for logo in logos if logo] == [(160, 20), (32, 32)]


def test_a_photo_of_twenty_megapixels_becomes_small() -> None:
    made = made_logo(picture((5200, 3900), "JPEG"))
    assert Image.open(BytesIO(made.content)).height <= 120
    assert len(made.content) <= MOST_LOGO


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (SVG, "An SVG can carry a script"),
        (b"GIF89a", "no PNG, JPEG or WebP picture"),
        (picture((64, 64))[:60], "damaged"),
        (b"\x89PNG" + bytes(MOST_BYTES), "larger than 1 MB"),
        (picture((8000, 6000), "PNG", "1"), "more than 40 million pixels"),
        (b"", "no PNG, JPEG or WebP picture"),
    ],
    ids=["svg", "gif", "damaged", "large", "pixels", "empty"],
)
def test_what_is_no_logo_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        made_logo(content)


def test_a_typeface_keeps_the_letters_of_our_languages_only() -> None:
    made = made_typeface(DEJAVU.read_bytes())
    assert len(made.content) <= typefaces.MOST_STORED < DEJAVU.stat().st_size
    letters = TTFont(BytesIO(made.content)).getBestCmap()
    assert {ord(letter) for letter in "AzÄçěłøß0€"} <= set(letters)
    assert 0x2603 not in letters  # the snowman


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (bytes(5_000_000), "larger than 1 MB"),
        (b"<svg>", "no TTF, OTF, WOFF or WOFF2 typeface"),
        (DEJAVU.read_bytes()[:5000], "damaged"),
    ],
    ids=["5 MB", "svg", "damaged"],
)
def test_what_is_no_typeface_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        made_typeface(content)


@pytest.mark.django_db
def test_a_file_is_served_for_a_year(client: Client) -> None:
    made = made_logo(picture((64, 64)))
    store(made)
    store(made)
    response = client.get(address_of(made.name))
    assert (response.content, response["Content-Type"]) == (made.content, "image/webp")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert client.get(address_of("0" * 32 + ".woff2")).status_code == 404
    assert client.get("/brand/../settings.py").status_code == 404


@pytest.mark.django_db
def test_files_that_nobody_uses_are_deleted_after_a_day() -> None:
    used, unused, new = (made_logo(picture((size, 8))) for size in (8, 9, 10))
    for made in (used, unused, new):
        store(made)
    now = timezone.now()
    BrandFile.objects.exclude(name=new.name).update(created_at=now - timedelta(days=2))
    assert forget_unused({used.name}, now - timedelta(days=1)) == 1
    assert set(BrandFile.objects.values_list("name", flat=True)) == {used.name, new.name}
