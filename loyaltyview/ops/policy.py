"""What our pages may do: use the camera (to scan a card), and on those with a scanner run its reader."""

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
    """For each view that answers with a scanner, or with a page into which htmx may put one: where the
    browser reads no codes by itself, WebAssembly does. 'unsafe-eval' would allow far more."""
    update: Any = csp_update({"script-src": ["'wasm-unsafe-eval'"]})  # typed for views of a request alone
    permitted: Callable[P, HttpResponse] = update(view)
    return permitted
