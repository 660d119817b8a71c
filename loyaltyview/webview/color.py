"""The program's colour, made legible: darkened for light surfaces, lightened for dark ones, until 4.5:1.

Contrast is WCAG 2.2's: (L1 + 0.05) / (L2 + 0.05) of relative luminances.
"""

import colorsys
from dataclasses import dataclass

RATIO = 4.5
# The surfaces the accent stands on; the same values as in static/css/first.css, layer tokens.
LIGHT_SURFACES = ("#ffffff", "#f5f6f7")
DARK_SURFACES = ("#1a1d21", "#101215")
WHITE, BLACK = "#ffffff", "#0b0d0f"
SOFT_SHARE = 0.09


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """`accent` as text and as fill, `ink` on that fill, `soft` as the tint behind a chosen card."""

    accent: str
    ink: str
    soft: str


def light_palette(color: str, *more: str) -> Palette:
    """Return the palette of `color` (#rrggbb) on light surfaces; `more` are others that it may stand on."""
    return _palette(color, (*LIGHT_SURFACES, *more), step=-0.01)


def dark_palette(color: str, *more: str) -> Palette:
    """Return the palette of `color` (#rrggbb) on dark surfaces; `more` are others that it may stand on."""
    return _palette(color, (*DARK_SURFACES, *more), step=0.01)


def tokens(palette: Palette, name: str = "accent") -> str:
    """Return the palette as properties of CSS. Nothing is filled with another colour than the accent."""
    properties = f"--{name}:{palette.accent};--{name}-soft:{palette.soft}"
    return f"{properties};--accent-ink:{palette.ink}" if name == "accent" else properties


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _palette(color: str, surfaces: tuple[str, ...], step: float) -> Palette:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_rgb(color))
    accent = color.lower()
    soft = _mix(accent, surfaces[0])
    while any(contrast(accent, surface) < RATIO for surface in (*surfaces, soft)):
        lightness = min(max(lightness + step, 0.0), 1.0)
        accent = _hex(colorsys.hls_to_rgb(hue, lightness, saturation))
        soft = _mix(accent, surfaces[0])
    ink = max((WHITE, BLACK), key=lambda candidate: contrast(candidate, accent))
    return Palette(accent=accent, ink=ink, soft=soft)


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(rgb: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in rgb)


def _mix(color: str, surface: str) -> str:
    pairs = zip(_rgb(color), _rgb(surface), strict=True)
    red, green, blue = (c * SOFT_SHARE + s * (1 - SOFT_SHARE) for c, s in pairs)
    return _hex((red, green, blue))


def _luminance(color: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(color)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
