"""What the browser lets our pages do: use the camera to scan a card, run the scanner's reader, and apply the
few styles that are in the page itself."""

from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.safestring import SafeString, mark_safe

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

# The key of a request's META that holds the inline styles of its page.
STYLES = "loyaltyview.styles"
# The cookie that tells the next page which stylesheet this browser has, as a pair of name and value.
REMEMBERED = "loyaltyview.remembered_styles"
REMEMBERED_S = 30 * 86_400
POLICY = "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that adds the header to every response. Django has no setting for it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        if STYLES in request.META:
            _allow(response, "style-src", request.META[STYLES])
        if REMEMBERED in request.META:
            name, value = request.META[REMEMBERED]
            response.set_cookie(
                name, value, REMEMBERED_S, httponly=True, secure=settings.COOKIE_SECURE, samesite="Lax"
            )
        return response

    return middleware


def inline_style(request: HttpRequest, css: str) -> SafeString:
    """Return a style element with `css`, which is ours. The CSP of the answer allows it by its hash."""
    request.META.setdefault(STYLES, []).append(_hash_of(css))
    return mark_safe(f"<style>{css}</style>")  # noqa: S308 - no text of others is in it


def remember_styles(request: HttpRequest, name: str, value: str) -> None:
    """Have the answer set the cookie `name`, which holds no personal data."""
    request.META[REMEMBERED] = (name, value)


@lru_cache(256)
def _hash_of(css: str) -> str:
    return f"'sha256-{b64encode(sha256(css.encode()).digest()).decode()}'"


def _allow(response: HttpResponseBase, directive: str, sources: list[str]) -> None:
    """Allow `sources` in this response, besides what the settings and other callers allow."""
    # The dict may be that of a decorator, which all its responses share.
    update = vars(response).get("_csp_update") or {}
    vars(response)["_csp_update"] = update | {directive: [*update.get(directive, []), *sources]}


def with_scanner(view: Callable[P, R]) -> Callable[P, R]:
    """Decorate each view whose page has a scanner, or into which htmx may put one. Where the browser has no
    reader of codes, WebAssembly is one, which the CSP must allow. 'unsafe-eval' would allow far more."""
    update: Any = csp_update({"script-src": ["'wasm-unsafe-eval'"]})  # typed for views of a request alone
    permitted: Callable[P, R] = update(view)
    return permitted
