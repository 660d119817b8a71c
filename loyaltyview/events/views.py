"""The endpoint of NewStore's event stream. It answers 200, 401, 413 or 503 (and 405 to a browser), never
anything else: a wrong status can stop the retailer's whole stream. Source: contracts/newstore.md 6.2."""

import hmac

import structlog
from django.conf import settings
from django.db import Error
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    UnreadablePostError,
)
from django.views.decorators.csrf import csrf_exempt

from loyaltyview.events.group_commit import NotStored
from loyaltyview.events.inbox import store_delivery
from loyaltyview.programs.models import Program

log = structlog.get_logger(__name__)


class BodyCutShort(Exception):
    """The sender went away before the whole body was here."""


@csrf_exempt  # a machine with a key of its own, no cookie
def newstore_event(request: HttpRequest, program: str) -> HttpResponseBase:
    """Store one event of the program's stream; 200 only after the commit."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        return HttpResponse(status=_receive(request, program))
    except (Error, NotStored, BodyCutShort, UnreadablePostError) as error:
        log.error("event_not_stored", program=program, error=type(error).__name__)
    except Exception:
        log.exception("event_not_stored", program=program)
    return HttpResponse(status=503)


def _receive(request: HttpRequest, slug: str) -> int:
    # An unknown program looks like a wrong key: nobody can find out which programs there are.
    # Only what is needed here: each of its other secrets would be decrypted for nothing.
    programs = Program.objects.only("slug", "newstore_tenant", "newstore_event_key")
    program = programs.filter(slug=slug).first() if slug.isprintable() else None
    if program is None or not _has_key(request, program.newstore_event_key):
        return 401
    body = _read_body(request, settings.EVENT_MAX_BYTES)
    if body is None:
        return 413
    store_delivery(program, body, request.headers)
    return 200


def _has_key(request: HttpRequest, key: str) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    # WSGI hands headers over as latin-1 text, whatever bytes came.
    is_equal = hmac.compare_digest(given.strip().encode("latin-1", "replace"), key.encode())
    return is_equal and bool(key) and scheme.lower() == "bearer"


def _read_body(request: HttpRequest, limit: int) -> bytes | None:
    """Return the body, None when it is larger than `limit` bytes. Never reads more than that."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared.isdecimal():
        size = int(declared)
        if size > limit:
            return None
        body: bytes = request.read(size)
        if len(body) < size:
            raise BodyCutShort
        return body
    # Chunked: Django takes a body without a length for empty, so the server's own stream is read. Only a
    # server that says where the body ends; others would wait for more until the time-out.
    if not request.META.get("wsgi.input_terminated"):
        return b""
    body = request.META["wsgi.input"].read(limit + 1)
    return None if len(body) > limit else body
