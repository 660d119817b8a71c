"""The program's colours as a small stylesheet of its own: cacheable, and no inline style anywhere."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from loyaltyview.programs.access import active_program
from loyaltyview.webview.color import Palette, dark_palette, light_palette


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


def _tokens(palette: Palette) -> str:
    return f"--accent:{palette.accent};--accent-ink:{palette.ink};--accent-soft:{palette.soft}"
