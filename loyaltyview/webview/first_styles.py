"""The styles that a page has in itself, so that its first paint waits for no further request.

The colours of program and app are in each page. The whole of first.css is in the member page of a browser
that was not here before: the files then follow behind the content. A cookie says which files the browser has
been told of. Where the cookie is wrong, the page is larger or later, never without its styles.
"""

import re
from functools import cache
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from loyaltyview.ops.policy import inline_style, remember_styles
from loyaltyview.programs.models import Program
from loyaltyview.webview.brand_styles import brand_css, look_of
from loyaltyview.webview.color_styles import host_css
from loyaltyview.webview.models import Launch

FILES = ("css/first.css", "css/app.css")
COOKIE = "styles"


@cache
def first_part() -> str:
    """Return first.css without comments and the white space that only lays it out."""
    css = (settings.BASE_DIR / "static" / FILES[0]).read_text()
    css = re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return re.sub(r"\s*([{};,])\s*", r"\1", css).strip()


@cache
def version() -> str:
    files = (settings.BASE_DIR / "static" / name for name in FILES)
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


@cache
def links() -> SafeString:
    """Return the links to the files, in their order."""
    each = ((static(name),) for name in FILES)
    return format_html_join("", '<link rel="stylesheet" href="{}">', each)


def is_known(request: HttpRequest) -> bool:
    """Return whether the browser has been told of today's files."""
    return request.COOKIES.get(COOKIE) == version()


def first_styles(request: HttpRequest) -> SafeString:
    """Return the links where the browser knows the files, else first.css itself; `late_styles` follows."""
    if is_known(request):
        return links()
    remember_styles(request, COOKIE, version())
    preload = format_html('<link rel="preload" as="style" href="{}">', static(FILES[1]))
    return preload + inline_style(request, first_part())


def late_styles(request: HttpRequest) -> SafeString:
    """Return the links behind the content, where the head has first.css only."""
    return SafeString("") if is_known(request) else links()


def colors(request: HttpRequest, program: Program, launch: Launch | None) -> SafeString:
    """Return the colours of the program, and those of the host app after them."""
    css = brand_css(look_of(program))
    if launch and launch.theme:
        css += host_css(launch)
    return inline_style(request, css)
