"""The styles that a page has in itself, so that its first paint waits for no further request.

The colours of program and app are in each page. The first part of app.css is in the member page of a browser
that was not here before: the whole file then follows behind the content. A cookie says which file the browser
has been told of. Where the cookie is wrong, the page is larger or later, never without its styles.
"""

import re
from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from loyaltyview.ops.policy import inline_style, remember_styles
from loyaltyview.programs.models import Program
from loyaltyview.webview.color_styles import brand_css, host_css
from loyaltyview.webview.models import Launch

MARK = "/* --- Behind the first paint"
COOKIE = "styles"


@cache
def first_part() -> str:
    """Return app.css up to its mark, without comments and the white space that only lays it out."""
    css = (settings.BASE_DIR / "static/css/app.css").read_text().partition(MARK)[0]
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return re.sub(r"\s*([{};,])\s*", r"\1", css).strip()


@cache
def version() -> str:
    return sha256((settings.BASE_DIR / "static/css/app.css").read_bytes()).hexdigest()[:12]


@cache
def link() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("css/app.css"))


def is_known(request: HttpRequest) -> bool:
    """Return whether the browser has been told of today's app.css."""
    return request.COOKIES.get(COOKIE) == version()


def first_styles(request: HttpRequest) -> SafeString:
    """Return the link to app.css where the browser knows it, else its first part; `late_styles` follows."""
    if is_known(request):
        return link()
    remember_styles(request, COOKIE, version())
    preload = format_html('<link rel="preload" as="style" href="{}">', static("css/app.css"))
    return preload + inline_style(request, first_part())


def late_styles(request: HttpRequest) -> SafeString:
    """Return the link to app.css behind the content, where the head has its first part only."""
    return SafeString("") if is_known(request) else link()


def colors(request: HttpRequest, program: Program, launch: Launch | None) -> SafeString:
    """Return the colours of the program, and those of the host app after them."""
    css = brand_css(program.color)
    if launch and launch.theme:
        css += host_css(launch)
    return inline_style(request, css)
