"""What the browser lets our pages do: use the camera to scan a card, and run the scanner's reader."""

from collections.abc import Callable
from typing import Any, ParamSpec

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase

P = ParamSpec("P")

POLICY = "camera=(self), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that adds the header to every response. Django has no setting for it."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", POLICY)
        return response

    return middleware


def with_scanner(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Decorate each view whose page has a scanner, or into which htmx may put one. Where the browser has no
    reader of codes, WebAssembly is one, which the CSP must allow. 'unsafe-eval' would allow far more."""
    update: Any = csp_update({"script-src": ["'wasm-unsafe-eval'"]})  # typed for views of a request alone
    permitted: Callable[P, HttpResponse] = update(view)
    return permitted
