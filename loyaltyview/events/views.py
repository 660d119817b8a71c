"""The endpoint of NewStore's event stream. It answers 200, 401, 413 or 503 (and 405 to a browser), never
anything else: a wrong status can stop the retailer's whole stream. Source: docs/contracts/newstore.md 6.2."""

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
from loyaltyview.events.bodies import BodyCutShort, read_body
from loyaltyview.events.group_commit import NotStored
from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.models import EventSource
from loyaltyview.programs.models import Program
from loyaltyview.programs.remembered import program_by_slug

log = structlog.get_logger(__name__)


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
    program = program_by_slug(slug)
    if program and not _has_key(request, program):
        # A 401 can lose the event: another process may have changed the keys a moment ago.
        program = Program.objects.filter(slug=slug).first()
    if program is None or not _has_key(request, program):
        return 401
    body = read_body(request, settings.EVENT_MAX_BYTES)
    if body is None:
        raise_too_large(program, EventSource.NEWSTORE.value)
        return 413
    store_delivery(program, body, request.META)
    return 200


def _has_key(request: HttpRequest, program: Program) -> bool:
    """Whether the sender has the program's key, or the former one while keys are changed."""
    scheme, _, given = str(request.META.get("HTTP_AUTHORIZATION", "")).partition(" ")
    # WSGI hands headers over as latin-1 text, whatever bytes came.
    given_bytes = given.strip().encode("latin-1", "replace")
    keys = (program.newstore_event_key, program.newstore_event_key_previous)
    # Always both, so that the time it takes does not tell which one was tried.
    equal = [hmac.compare_digest(given_bytes, key.encode()) and bool(key) for key in keys]
    return any(equal) and scheme.lower() == "bearer"
