"""What the host app sent, as styles. Every colour is made legible first."""

from collections.abc import Callable

from loyaltyview.webview.color import Palette, dark_palette, light_palette, tokens
from loyaltyview.webview.models import Launch


def host_css(launch: Launch) -> str:
    """Return the colours and insets that the host app sent with this launch."""
    light, dark = _colors(launch, light_palette), _colors(launch, dark_palette)
    # The larger of the two: an app that asks for less than the device needs would put us under its edge.
    insets = ";".join(
        f"--inset-{side}:max(env(safe-area-inset-{side},0px),{launch.theme[f'inset_{side}']}px)"
        for side in ("top", "bottom")
        if f"inset_{side}" in launch.theme
    )
    css = f":root{{{';'.join(part for part in (light, insets) if part)}}}"
    return css + (f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}" if dark else "")


def _colors(launch: Launch, palette: Callable[..., Palette]) -> str:
    """Return the tokens of the app's colours; those of good and bad news also stand on the accent's tint."""
    theme = launch.theme
    accent = palette(theme.get("accent", launch.program.color))
    colors = [tokens(accent)] if "accent" in theme else []
    for name in ("good", "warn", "bad"):
        if name in theme:
            colors.append(tokens(palette(theme[name], accent.soft), name))
    return ";".join(colors)
