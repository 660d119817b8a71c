"""A WSGI application whose answers wait, for gunicorn in a process of its own.

`/later/` sends its rest after a request for `/release/`; `/deadline/` sends it when its time has ended.
`/thread/` names its thread and that thread's cache, and what an earlier request left in its context.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

import django
from django.core.cache import caches
from django.utils import translation

from loyaltyview.ops.overload import Waiting, wait_without_thread
from providers.outbound.parallel import Pending

django.setup()  # gunicorn.py compiles the templates

released: "Future[None]" = Future()
left: ContextVar[str] = ContextVar("left", default="nothing")
used: list[Any] = []  # so that no new cache has the id of an old one


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterator[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    path = environ["PATH_INFO"]
    if path == "/release/":
        released.set_result(None)
    if path == "/later/":
        return _parts(environ, Waiting(Pending({"call": released}).when_done, time.monotonic() + 60))
    if path == "/deadline/":
        return _parts(environ, Waiting(lambda call: None, time.monotonic() + 0.2))
    if path == "/thread/":
        return _thread()
    return (part for part in [b"now"])


def _thread() -> Iterator[bytes]:
    used.append(caches["default"])
    yield f"{threading.get_ident()} {id(used[-1])} {left.get()} {translation.get_language()}".encode()
    left.set("something")
    translation.activate("fr")


def _parts(environ: dict[str, Any], waiting: Waiting) -> Iterator[bytes]:
    yield b"frame"
    assert wait_without_thread(environ, waiting)
    yield b""
    assert time.monotonic() >= waiting.until or released.done()
    yield b"rest"
