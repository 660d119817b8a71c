"""Colours and safe-area insets of `window.NEWSTORE`. Source: docs/contracts/newstore.md 1.3.

They only change how our page looks, so a malformed value is left out and never refuses a launch.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from loyaltyview.newstore.context import HostTheme

COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
LARGEST_INSET = 120  # CSS pixels; the tallest of today's devices has 62


def read_theme(values: Mapping[str, Any], keys: Mapping[str, tuple[str, ...]]) -> HostTheme:
    """Return what the injected object says about colours and insets, as far as it is usable."""
    theme = values.get("theme")
    colors = theme.get("color") if isinstance(theme, dict) else None
    dimensions = values.get("dimensions")
    return HostTheme(
        accent=_color(colors, keys["accent"]),
        good=_color(colors, keys["good"]),
        warn=_color(colors, keys["warn"]),
        bad=_color(colors, keys["bad"]),
        inset_top=_inset(dimensions, keys["inset_top"]),
        inset_bottom=_inset(dimensions, keys["inset_bottom"]),
    )


def _color(colors: Any, names: tuple[str, ...]) -> str:
    """Return the first usable colour as "#rrggbb", "" without one."""
    for name in names if isinstance(colors, dict) else ():
        value = colors.get(name)
        if isinstance(value, str) and COLOR.fullmatch(value):
            digits = value[1:].lower()
            return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))
    return ""


def _inset(dimensions: Any, names: tuple[str, ...]) -> int:
    for name in names if isinstance(dimensions, dict) else ():
        value = dimensions.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and 0 <= value <= LARGEST_INSET:
            return round(value)
    return 0
