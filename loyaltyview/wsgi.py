"""The WSGI application that gunicorn serves.

Deliveries to `/events/` come in bursts of hundreds a second. They need no sessions, languages, CSRF, CSP,
compression or request logs, so they go to their view without Django's request cycle: its middlewares, signals
and search through all addresses cost more than the view. Measured by `tests/load/ingest.py`.
"""

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import close_old_connections
from django.urls import Resolver404, resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "loyaltyview.settings")
django.setup(set_prefix=False)

pages = WSGIHandler()
# A sender always uses the same address, and resolving it takes as long as checking its key.
find_view = lru_cache(maxsize=100)(resolve)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request."""
    if environ.get("PATH_INFO", "").startswith("/events/"):
        return deliver(environ, start_response)
    response: Iterable[bytes] = pages(environ, start_response)
    return response


def deliver(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Call the view of a delivery. It catches all errors, and its answer is not streamed."""
    request = WSGIRequest(environ)
    try:
        view, arguments, named = find_view(request.path_info, "loyaltyview.events.urls")
    except Resolver404:
        response: Iterable[bytes] = pages(environ, start_response)
        return response
    # Django does this by signals of the request cycle: a thread's connection may have been lost.
    close_old_connections()
    answer = view(request, *arguments, **named)
    # Without it gunicorn sends the answer in chunks, and so a second packet.
    answer.headers.setdefault("Content-Length", str(len(answer.content)))
    start_response(f"{answer.status_code} {answer.reason_phrase}", list(answer.items()))
    return [answer.content]
