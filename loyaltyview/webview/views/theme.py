"""The program's colours as a small stylesheet of its own, and the host app's as another: no inline style
anywhere, and every colour made legible first."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from loyaltyview.programs.access import active_program
from loyaltyview.webview.color import Palette, dark_palette, light_palette
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import with_launch


@require_safe
def brand(request: HttpRequest, program: str) -> HttpResponse:
    """Answer with the accent for light and dark. Pages link it with the colour in the query string, so a
    new colour is a new address."""
    found = active_program(program)
    if found is None:
        return HttpResponseNotFound(content_type="text/css")
    light, dark = _tokens(light_palette(found.color)), _tokens(dark_palette(found.color))
    css = f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    response = HttpResponse(css, content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@with_launch
@require_safe
def host_theme(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Answer with the colours and insets that the host app sent with this launch."""
    light, dark = _colors(launch, light_palette), _colors(launch, dark_palette)
    # The larger of the two: an app that asks for less than the device needs would put us under its edge.
    insets = ";".join(
        f"--inset-{side}:max(env(safe-area-inset-{side},0px),{launch.theme[f'inset_{side}']}px)"
        for side in ("top", "bottom")
        if f"inset_{side}" in launch.theme
    )
    css = f":root{{{';'.join(part for part in (light, insets) if part)}}}"
    if dark:
        css += f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    return HttpResponse(css + "\n", content_type="text/css; charset=utf-8")


def _colors(launch: Launch, palette: Callable[..., Palette]) -> str:
    """Return the tokens of the app's colours; those of good and bad news also stand on the accent's tint."""
    theme = launch.theme
    accent = palette(theme.get("accent", launch.program.color))
    tokens = [_tokens(accent)] if "accent" in theme else []
    for name in ("good", "warn", "bad"):
        if name in theme:
            tokens.append(_tokens(palette(theme[name], accent.soft), name))
    return ";".join(tokens)


def _tokens(palette: Palette, name: str = "accent") -> str:
    tokens = f"--{name}:{palette.accent};--{name}-soft:{palette.soft}"
    # Nothing is filled with the others.
    return f"{tokens};--accent-ink:{palette.ink}" if name == "accent" else tokens
