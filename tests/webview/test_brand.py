"""The page in the program's brand: logo, typeface, header, radius, colours of tiers, pictures by kind."""

import pytest
from django.test import Client

from loyaltyview.brand.files import made_logo, store
from loyaltyview.programs.models import Program
from loyaltyview.webview.brand_styles import brand_css, logos, look_of
from loyaltyview.webview.color import contrast
from tests.brand.build import picture

from .conftest import squeezed

pytestmark = pytest.mark.once

LOGO, DARK = made_logo(picture((60, 30))), made_logo(picture((61, 30)))


def test_the_logo_stands_in_place_of_the_name_and_reserves_its_place(
    client: Client, page: str, program: Program
) -> None:
    store(LOGO)
    program.logo, program.logo_dark = LOGO.name, DARK.name
    program.save()
    html = squeezed(client.get(page).content.decode())
    assert f'<img class="logo" src="/brand/{LOGO.name}" alt="Acme Club" width="60" height="30"' in html
    assert f'<source srcset="/brand/{DARK.name}" media="(prefers-color-scheme: dark)"' in html


def test_without_a_logo_the_name_stands_there(client: Client, page: str) -> None:
    assert '<p class="top-name"><bdi>Acme Club</bdi></p>' in squeezed(client.get(page).content.decode())


@pytest.mark.parametrize(
    ("header", "color", "names"),
    [
        ("plain", "#1f5f4a", (LOGO.name, DARK.name)),
        ("accent", "#1f5f4a", (DARK.name, LOGO.name)),  # white letters on dark green, black on light green
    ],
)
def test_the_header_takes_the_logo_for_what_it_stands_on(
    header: str, color: str, names: tuple[str, str]
) -> None:
    program = Program(header=header, color=color, logo=LOGO.name, logo_dark=DARK.name)
    shown = [logo.address.rpartition("/")[2] for logo in logos(program) if logo]
    assert tuple(shown) == names


@pytest.mark.parametrize("name", ['Gold"]{}</style><script>', "Or \\ é", "ゴールド", "a\u2028b"])
def test_a_tiers_name_cannot_leave_its_string(name: str) -> None:
    css = brand_css(look_of(Program(tier_colors={name: "#b8860b"})))
    assert not set('<>\u2028"') & set(css.replace('[data-tier="', "").replace('"]', ""))


def test_a_tiers_colour_is_made_legible_for_light_and_dark() -> None:
    css = brand_css(look_of(Program(tier_colors={"Sun": "#ffff00"})))
    light, dark = css.split("@media")
    for part in (light, dark):
        tier, ink = (part.split(f"--{name}:")[1][:7] for name in ("tier", "tier-ink"))
        assert contrast(tier, ink) >= 4.5


def test_a_typeface_never_moves_a_text() -> None:
    css = brand_css(look_of(Program(typeface="0" * 32 + ".woff2")))
    assert "font-display:optional" in css
    assert "--font:Brand,var(--system)" in css
    assert "@font-face" not in brand_css(look_of(Program()))


def test_a_reward_without_a_picture_gets_a_drawing_of_its_kind(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert html.count('class="picture drawn"') == html.count("data-reward=") > 0
