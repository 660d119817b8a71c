"""The brand of a program in admin and in the program file."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from loyaltyview.brand.files import made_logo, store
from loyaltyview.brand.models import BrandFile
from loyaltyview.programs.models import Program
from loyaltyview.programs.retention import purge_brand_files
from tests.brand.build import DEJAVU, picture
from tests.programs.test_admin import address_of, errors_of, form_of

pytestmark = [pytest.mark.once, pytest.mark.django_db]


def uploaded(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


def saved(client: Client, program: Program, **changes: Any) -> Program:
    address = address_of(program)
    response = client.post(address, form_of(client, address) | changes)
    assert response.status_code == 302, errors_of(response)
    return Program.objects.get()


def refused(client: Client, program: Program, **changes: Any) -> dict[str, list[str]]:
    address = address_of(program)
    response = client.post(address, form_of(client, address) | changes)
    assert response.status_code == 200
    return errors_of(response)


def test_a_brand_is_set_kept_and_removed_in_admin(admin_client: Client, acme: Program) -> None:
    program = saved(
        admin_client,
        acme,
        logo=uploaded(picture((200, 50))),
        typeface=uploaded(DEJAVU.read_bytes(), "acme.ttf"),
        header="accent",
        radius="4",
        tier_colors="Gold = #b8860b\n\nVIP \u201cOne\u201d = #000000",
        welcome="en = Hello\nfr = Bonjour",
        product_names="TOTE-01 = Canvas tote = large",
    )
    assert program.logo.endswith("-200x50.webp")
    assert (program.header, program.radius) == ("accent", 4)
    assert program.tier_colors == {"Gold": "#b8860b", "VIP \u201cOne\u201d": "#000000"}
    assert program.welcome_in("fr-ca") == "Bonjour"
    assert program.product_names == {"TOTE-01": "Canvas tote = large"}
    again = saved(admin_client, program, name="Acme")
    assert (again.logo, again.typeface, again.tier_colors) == (
        program.logo,
        program.typeface,
        program.tier_colors,
    )
    assert saved(admin_client, again, **{"logo-clear": "on"}).logo == ""
    assert BrandFile.objects.filter(name=program.logo).exists(), "pages that are open still load it"


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("logo", uploaded(b"<svg onload=alert(1)>"), "An SVG can carry a script"),
        ("typeface", uploaded(b"%PDF"), "no TTF, OTF, WOFF or WOFF2 typeface"),
        ("tier_colors", "Gold = gold", "must be written such as #b8860b"),
        ("tier_colors", "Gold", "Line 1 must be written such as: Gold = #b8860b"),
        ("tier_colors", "Gold = #000000\nGold = #ffffff", "Line 2 names Gold again"),
        ("welcome", "xx = Hello", "xx is not a language code"),
        ("welcome", f"en = {'x' * 400}", "must have 1 to 140 characters"),
        ("radius", "99", "less than or equal to 24"),
        ("color", "green", "valid value"),
    ],
)
def test_a_wrong_value_says_what_is_wrong(
    admin_client: Client, acme: Program, field: str, value: Any, reason: str
) -> None:
    errors = refused(admin_client, acme, **{field: value})
    assert reason in " ".join(errors[field])
    assert list(errors) == [field]


def test_too_large_a_form_says_so_and_saves_nothing(
    admin_client: Client, acme: Program, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    address = address_of(acme)
    data = form_of(admin_client, address) | {"name": "Other", "typeface": uploaded(bytes(20_000))}
    page = admin_client.post(address, data, follow=True)
    assert "larger than 1 MB together" in page.content.decode()
    assert Program.objects.get().name != "Other"


def test_the_preview_shows_the_brand_before_it_is_saved(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme)) | {
        "header": "accent",
        "logo": uploaded(picture((60, 30))),
        "tier_colors": "Gold = #b8860b",
        "radius": "99",
    }
    response = admin_client.post(f"/admin/programs/program/preview/?program={acme.pk}", data)
    html = response.content.decode()
    assert '-60x30.webp" alt="' in html
    assert ".top{background:var(--accent)" in html
    assert 'data-tier="Gold"' in html
    assert "Corner radius" in html, "what is wrong is said there, too"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert Program.objects.get().logo == ""


def test_the_preview_is_for_those_who_may_change_the_program(client: Client, acme: Program) -> None:
    assert client.post(f"/admin/programs/program/preview/?program={acme.pk}").status_code == 302
    client.force_login(_viewer())
    assert client.post(f"/admin/programs/program/preview/?program={acme.pk}").status_code == 403


def _viewer() -> Any:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_program"))
    return user


def test_a_program_file_names_files_beside_it(program_file: Path) -> None:
    (program_file.parent / "logo.png").write_bytes(picture((60, 30)))
    text = program_file.read_text()
    program_file.write_text(
        text + '\n[brand]\nlogo = "logo.png"\nradius = 0\n[brand.tier_colors]\nGold = "#b8860b"\n'
    )
    call_command("load_program", program_file)
    program = Program.objects.get()
    assert program.logo.endswith("-60x30.webp")
    assert (program.radius, program.tier_colors) == (0, {"Gold": "#b8860b"})
    assert BrandFile.objects.get().name == program.logo


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('logo = "none.png"', "brand.logo: none.png cannot be read: No such file"),
        ('logo = "logo.svg"', "brand.logo: an SVG can carry a script"),
        ("radius = 99", "brand.radius: ensure this value is less than or equal to 24"),
        ('header = "huge"', "brand.header"),
        ('logos = "a.png"', "brand.logos: unknown key"),
    ],
)
def test_a_program_file_with_a_wrong_brand_is_refused(program_file: Path, line: str, reason: str) -> None:
    (program_file.parent / "logo.svg").write_bytes(b"<svg/>")
    program_file.write_text(program_file.read_text() + f"\n[brand]\n{line}\n")
    with pytest.raises(CommandError, match=reason):
        call_command("load_program", program_file)
    assert not Program.objects.exists()


def test_used_brand_files_are_kept(acme: Program) -> None:
    used, unused = made_logo(picture((8, 8))), made_logo(picture((9, 8)))
    store(used)
    store(unused)
    Program.objects.update(logo_dark=used.name)
    assert purge_brand_files(timezone.now() + timedelta(days=1)) == 1
    assert BrandFile.objects.get().name == used.name
