"""The brand of a program as styles. Every colour is made legible first."""

import re
from dataclasses import dataclass
from functools import lru_cache

from loyaltyview.brand.fields import Header
from loyaltyview.brand.files import Logo, address_of
from loyaltyview.programs.models import Program
from loyaltyview.webview.color import WHITE, Palette, dark_palette, light_palette, tokens

USUAL_RADIUS = 12  # as in static/css/first.css
ACCENT_HEADER = (
    ".top{background:var(--accent);border-color:transparent;color:var(--accent-ink)}"
    ".top-name,.top-link{color:inherit}.top :focus-visible{outline-color:currentColor}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the styles of a brand are made of. `tiers` are pairs of a tier's name and its colour."""

    color: str
    header: str
    radius: int
    typeface: str
    tiers: tuple[tuple[str, str], ...]


def look_of(program: Program) -> Look:
    return Look(
        color=program.color,
        header=program.header,
        radius=program.radius,
        typeface=program.typeface,
        tiers=tuple(program.tier_colors.items()),
    )


@lru_cache(256)
def brand_css(look: Look) -> str:
    """Return the styles of a brand, for light and dark. They stand outside of the layers, and so win."""
    light, dark = tokens(light_palette(look.color)), tokens(dark_palette(look.color))
    parts = [f":root{{{light}{_radius(look)}{_font(look)}}}"]
    if look.typeface:
        # `optional`: a typeface that comes late is used from the next page on, so no text moves.
        source = f'url({address_of(look.typeface)}) format("woff2")'
        parts.append(f"@font-face{{font-family:Brand;src:{source};font-display:optional}}")
    if look.header == Header.ACCENT:
        parts.append(ACCENT_HEADER)
    parts += [_tier(name, light_palette(color)) for name, color in look.tiers]
    dark_tiers = "".join(_tier(name, dark_palette(color)) for name, color in look.tiers)
    parts.append(f"@media (prefers-color-scheme:dark){{:root{{{dark}}}{dark_tiers}}}")
    return "".join(parts)


def logos(program: Program) -> tuple[Logo | None, Logo | None]:
    """Return the logo that the header needs on a light and on a dark screen."""
    if program.header != Header.ACCENT:
        return program.light_logo(), program.dark_logo()
    palettes = (light_palette(program.color), dark_palette(program.color))
    light, dark = (
        program.dark_logo() if palette.ink == WHITE else program.light_logo() for palette in palettes
    )
    return light, dark


def _radius(look: Look) -> str:
    return "" if look.radius == USUAL_RADIUS else f";--radius:{look.radius}px"


def _font(look: Look) -> str:
    return ";--font:Brand,var(--system)" if look.typeface else ""


def _tier(name: str, palette: Palette) -> str:
    """Return the colours of one tier, for its badge and for the panel that the badge is in."""
    badge = f'[data-tier="{_escaped(name)}"]'
    colors = f"--tier:{palette.accent};--tier-ink:{palette.ink};--tier-soft:{palette.soft}"
    # Two rules: an old iPad that does not know :has() would drop both.
    return f"{badge}{{{colors}}}.panel:has({badge}){{{colors}}}"


def _escaped(text: str) -> str:
    """Return `text` for a string in CSS that stands in HTML: no quote, no bracket, no backslash is left."""
    return re.sub(r"[^A-Za-z0-9]", lambda found: f"\\{ord(found[0]):x} ", text)
