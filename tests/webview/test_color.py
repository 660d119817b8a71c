"""Every program colour has a contrast of 4.5:1 wherever it is used, light and dark."""

import re
from base64 import b64encode
from hashlib import sha256

import pytest
from django.conf import settings
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.webview import color
from loyaltyview.webview.color import contrast, dark_palette, light_palette

COLORS = st.integers(min_value=0, max_value=0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@given(COLORS)
def test_every_colour_becomes_legible(chosen: str) -> None:
    for palette, surfaces in (
        (light_palette(chosen), color.LIGHT_SURFACES),
        (dark_palette(chosen), color.DARK_SURFACES),
    ):
        assert all(contrast(palette.accent, surface) >= 4.5 for surface in (*surfaces, palette.soft))
        assert contrast(palette.ink, palette.accent) >= 4.5


def test_a_legible_colour_is_left_alone() -> None:
    assert light_palette("#1F5F4A").accent == "#1f5f4a"


def test_the_surfaces_are_those_of_the_stylesheet() -> None:
    css = (settings.BASE_DIR / "static/css/first.css").read_text()
    light, dark = re.findall(r"--page: (#\w+); --surface: (#\w+);", css)
    assert set(light) == set(color.LIGHT_SURFACES)
    assert set(dark) == set(color.DARK_SURFACES)


def test_the_programs_colour_is_in_the_page_and_allowed_by_its_hash(client: Client, page: str) -> None:
    response = client.get(page)
    style = re.search(r"<style>(:root{--accent:#1f5f4a.*?)</style>", response.content.decode())
    assert style
    hashed = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"'sha256-{hashed}'" in response["Content-Security-Policy"]


def test_the_small_text_colours_hold_too() -> None:
    css = (settings.BASE_DIR / "static/css/first.css").read_text()
    for block in (css.partition("@media (prefers-color-scheme: dark)")[0], css.partition("dark) {")[2]):
        tokens = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "ink-2", "good", "warn", "bad"):
            for surface in ("page", "surface"):
                assert contrast(tokens[ink], tokens[surface]) >= 4.5, (ink, surface)
        for state in ("good", "warn", "bad"):
            assert contrast(tokens[state], tokens[f"{state}-soft"]) >= 4.5, state
