"""The WSGI application that gunicorn serves.

Deliveries to `/events/` come in bursts of hundreds a second and need nothing of what pages need (sessions,
languages, CSRF, CSP, compression), so they pass by the page middlewares. Measured by `tests/load/ingest.py`.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyaltyview.settings")
django.setup(set_prefix=False)


class BareHandler(WSGIHandler):
    """Django without middlewares: request, view, response."""

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async)
        self._view_middleware: list[Any] = []
        self._middleware_chain = convert_exception_to_response(
            self._get_response  # type: ignore[attr-defined]
        )


pages = WSGIHandler()
deliveries = BareHandler()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Hand the request to the handler that it needs."""
    handler = deliveries if environ.get("PATH_INFO", "").startswith("/events/") else pages
    response: Iterable[bytes] = handler(environ, start_response)
    return response
