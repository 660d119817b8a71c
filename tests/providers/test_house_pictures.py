"""Pictures of rewards: what is taken, how small it becomes, and the address that serves it."""

from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from providers.house.models import Picture, Reward
from providers.house.pictures import MOST_STORED, forget_unused, store_picture
from providers.house.provider import HouseProvider
from providers.house.sample_file import SampleFileError, load_sample
from providers.pictures import MOST_BYTES, PictureError
from providers.types import Cart
from tests.providers.house import REF, build_member, usd

pytestmark = pytest.mark.django_db


def file_of(kind: str = "PNG", size: tuple[int, int] = (64, 48), mode: str = "RGB", **fields: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, fields.pop("color", None) or 0).save(file, kind, **fields)
    return file.getvalue()


def noise(size: tuple[int, int]) -> Image.Image:
    """The worst case for every encoder."""
    return Image.effect_noise(size, 120).convert("RGB")


def opened(picture: Picture) -> Image.Image:
    return Image.open(BytesIO(bytes(picture.content)))


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGB"), ("PNG", "P"), ("PNG", "LA"), ("PNG", "I;16"), ("JPEG", "CMYK"), ("WEBP", "RGB")],
)
def test_a_picture_is_stored_as_webp(kind: str, mode: str) -> None:
    picture = store_picture(file_of(kind, mode=mode))
    assert opened(picture).format == "WEBP"
    assert (picture.width, picture.height) == (64, 48)


def test_a_large_picture_becomes_small(tmp_path: Path) -> None:
    file = BytesIO()
    noise((1200, 600)).save(file, "JPEG", quality=40)
    picture = store_picture(file.getvalue())
    assert len(picture.content) <= MOST_STORED
    assert opened(picture).size == (picture.width, picture.height)
    assert picture.width <= 168
    assert picture.width == pytest.approx(2 * picture.height, abs=2)


def test_a_photo_is_turned_upright_and_loses_what_the_camera_wrote() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "Mia's home"  # turned by a quarter; a description
    picture = store_picture(file_of("JPEG", (64, 48), exif=exif))
    assert (picture.width, picture.height) == (48, 64)
    assert not dict(opened(picture).getexif())


def test_what_is_transparent_stays_transparent() -> None:
    picture = store_picture(file_of(mode="RGBA", color=(255, 0, 0, 0)))
    assert opened(picture).convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
DAMAGED = file_of("PNG", (64, 64))[:60]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (SVG, "no PNG, JPEG or WebP"),
        (b"", "no PNG, JPEG or WebP"),
        (file_of("GIF", mode="P"), "no PNG, JPEG or WebP"),
        (DAMAGED, "damaged"),
        (b"\0" * (MOST_BYTES + 1), "larger than 1 MB"),
        (file_of("PNG", (9000, 5000), mode="1"), "40 million pixels"),
        (file_of("PNG", (20000, 10000), mode="1"), "40 million pixels"),
    ],
    ids=["svg", "empty", "gif", "damaged", "bytes", "pixels", "bomb"],
)
def test_anything_else_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with pytest.raises(PictureError, match=why):
        store_picture(content)
    assert not Picture.objects.exists()


def test_a_reward_has_the_address_of_its_picture_and_browsers_keep_it_for_a_year(
    client: Client, house: HouseProvider
) -> None:
    picture = store_picture(file_of())
    Reward.objects.update(picture=picture, terms="Once.")
    build_member()
    (reward,) = house.list_rewards(REF, Cart(cart_id="c", total=usd("80.00")))
    assert reward.terms == "Once."
    response = client.get(reward.image)
    assert (response.content, response["Content-Type"]) == (bytes(picture.content), "image/webp")
    assert response["Cache-Control"] == "public, max-age=31536000, immutable"
    assert not response.cookies
    # Another picture is another address, and an address without a picture is plain.
    assert store_picture(file_of(size=(10, 10))).digest not in reward.image
    assert client.get("/house/pictures/no-such.webp").status_code == 404


def test_an_unused_picture_is_deleted_later() -> None:
    used, unused = store_picture(file_of()), store_picture(file_of(size=(10, 10)))
    Reward.objects.create(
        program="acme", reward_id="r", title="r", kind="fixed", amount=1, cost=1, picture=used
    )
    now = timezone.now()
    assert forget_unused(now - timedelta(days=1)) == 0
    assert forget_unused(now) == 1
    assert Picture.objects.get() == used
    assert unused.digest != used.digest


# --- Admin ----------------------------------------------------------------------------------------------


def form_of(reward: Reward, **fields: Any) -> dict[str, Any]:
    data = {"program": "acme", "title": "r", "reward_id": "r", "kind": "fixed", "amount": "1", "cost": "1"}
    return {**data, "skus": "[]", "is_active": "on", **fields}


def test_a_picture_is_uploaded_and_removed_in_admin(admin_client: Client) -> None:
    reward = Reward.objects.create(program="acme", reward_id="r", title="r", kind="fixed", amount=1, cost=1)
    url = reverse("admin:house_reward_change", args=[reward.pk])
    # The name and the type that the browser gives say nothing about the content.
    wrong = SimpleUploadedFile("logo.png", SVG, "image/png")
    assert (
        "no PNG, JPEG or WebP" in admin_client.post(url, form_of(reward, picture_file=wrong)).content.decode()
    )
    right = SimpleUploadedFile("logo", file_of(), "text/plain")
    assert admin_client.post(url, form_of(reward, picture_file=right)).status_code == 302
    reward.refresh_from_db()
    assert f'<img src="/house/pictures/{reward.picture_id}.webp"' in admin_client.get(url).content.decode()
    # Saved again without a file, it keeps the picture.
    admin_client.post(url, form_of(reward, terms="Once."))
    reward.refresh_from_db()
    assert (reward.terms, bool(reward.picture_id)) == ("Once.", True)
    admin_client.post(url, form_of(reward, without_picture="on"))
    reward.refresh_from_db()
    assert reward.picture is None


# --- The program file -----------------------------------------------------------------------------------

FILE = """
program = "acme"
[[rewards]]
id = "tote"
title = "Tote"
cost = 100
kind = "fixed"
amount = 5
picture = "pictures/tote.png"
"""


def test_the_program_file_names_a_picture_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "program"
    (folder / "pictures").mkdir(parents=True)
    with pytest.raises(
        SampleFileError, match=r"rewards tote: pictures/tote.png cannot be read: No such file"
    ):
        load_sample(FILE, folder)
    (folder / "pictures" / "tote.png").write_bytes(SVG)
    with pytest.raises(SampleFileError, match=r"tote.png: This is no PNG"):
        load_sample(FILE, folder)
    (folder / "pictures" / "tote.png").write_bytes(file_of())
    assert load_sample(FILE, folder) == ["rewards tote: created"]
    assert load_sample(FILE, folder) == []
    assert Reward.objects.get().picture
    (tmp_path / "other.png").write_bytes(file_of())
    with pytest.raises(SampleFileError, match="does not lie beside this file"):
        load_sample(FILE.replace("pictures/tote.png", "../other.png"), folder)
