"""The two endpoints of events: NewStore's stream, and the vendor's webhooks. Each delivery is verified,
stored and committed, then answered 200; the worker handles it later.

NewStore's stream gets 200, 401, 413 or 503 (a browser gets 405) and no other status: a wrong one can stop the
retailer's whole stream. Source: docs/contracts/newstore.md 6.2.

Vendors react to other answers each in their own way: most repeat for hours, then switch the webhook off. So
they get 404 for a wrong address, 401 for a wrong signature, 413 for a body that is too large, and 503 when it
could not be stored. A verified body that the adapter does not understand gets 200, and a dead event keeps it
for an administrator: sending it again would not help.
"""

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

from loyaltyview.events.alarms import raise_too_large
from loyaltyview.events.group_commit import NotStored
from loyaltyview.events.inbox import store_delivery, store_hints, store_unreadable
from loyaltyview.events.models import EventSource
from loyaltyview.programs.models import Program
from loyaltyview.programs.program_cache import program_by_slug
from providers.errors import AuthFailed, SettingsError, UnexpectedAnswer, Unsupported
from providers.types import WebhookRequest

log = structlog.get_logger(__name__)


class BodyCutShort(Exception):
    """The sender closed the connection before the whole body had arrived."""


@csrf_exempt  # a machine with a key of its own, no cookie
def newstore_event(request: HttpRequest, program: str) -> HttpResponseBase:
    """Store one event of the program's stream; 200 only after the commit."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        return HttpResponse(status=_receive_from_newstore(request, program))
    except (Error, NotStored, BodyCutShort, UnreadablePostError) as error:
        log.error("event_not_stored", program=program, error=type(error).__name__)
    except Exception:
        log.exception("event_not_stored", program=program)
    return HttpResponse(status=503)


@csrf_exempt  # a machine with a secret of its own, no cookie
def provider_event(request: HttpRequest, program: str, secret: str) -> HttpResponseBase:
    """Store the hints of a vendor's delivery; 200 only after the commit."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        return HttpResponse(status=_receive_from_provider(request, program, secret))
    except (Error, SettingsError, BodyCutShort, UnreadablePostError) as error:
        log.error("provider_event_not_stored", program=program, error=type(error).__name__)
    except Exception:
        log.exception("provider_event_not_stored", program=program)
    return HttpResponse(status=503)


def _receive_from_newstore(request: HttpRequest, slug: str) -> int:
    # An unknown program looks like a wrong key, so that the answer does not show which programs exist.
    program = program_by_slug(slug)
    if program and not _has_key(request, program):
        # A 401 can lose the event: another process may have changed the keys a moment ago.
        program = Program.objects.filter(slug=slug).first()
    if program is None or not _has_key(request, program):
        return 401
    body = _read_body(request, settings.EVENT_MAX_BYTES)
    if body is None:
        raise_too_large(program, EventSource.NEWSTORE.value)
        return 413
    store_delivery(program, body, request.META)
    return 200


def _has_key(request: HttpRequest, program: Program) -> bool:
    """Whether the sender has the program's key, or the former one while keys are changed."""
    scheme, _, given = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    # WSGI decodes the bytes of headers as latin-1.
    given_bytes = given.strip().encode("latin-1", "replace")
    keys = (program.newstore_event_key, program.newstore_event_key_previous)
    # Always both, so that the time it takes does not show which key matched.
    equal = [hmac.compare_digest(given_bytes, key.encode()) and bool(key) for key in keys]
    return any(equal) and scheme.lower() == "bearer"


def _receive_from_provider(request: HttpRequest, slug: str, secret: str) -> int:
    # An unknown program looks like a wrong secret.
    program = Program.objects.filter(slug=slug).first() if slug.isprintable() else None
    if program is None or not _is_secret(secret, program.provider_webhook_secret):
        return 404
    body = _read_body(request, settings.EVENT_MAX_BYTES)
    if body is None:
        raise_too_large(program, program.provider_kind)
        return 413
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        hints = program.provider().parse_webhook(WebhookRequest(headers=headers, body=body))
    except AuthFailed as error:
        log.warning("provider_event_refused", program=slug, detail=error.detail)
        return 401
    except Unsupported:
        return 404
    except UnexpectedAnswer as error:
        store_unreadable(program, body, error.detail)
        return 200
    store_hints(program, hints)
    return 200


def _is_secret(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()) and bool(secret)


def _read_body(request: HttpRequest, limit: int) -> bytes | None:
    """Return the body, None when it is larger than `limit` bytes. Never reads more than that.
    Raises BodyCutShort and django.http.UnreadablePostError."""
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
