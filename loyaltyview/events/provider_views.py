"""The endpoint of a vendor's webhooks: verified by the secret in its address and by the adapter, stored,
committed, answered 200; the worker acts.

What a vendor does with other answers is its own affair, and most repeat for hours and then switch the
webhook off. So: 404 for a wrong address, 401 for a wrong signature, 413, 503 when it could not be stored. A
verified body that the adapter does not understand would not be understood the next time either: it is
answered 200 and kept as a dead event for a person to look at.
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
from loyaltyview.events.bodies import BodyCutShort, read_body
from loyaltyview.events.provider_inbox import store_hints, store_unreadable
from loyaltyview.programs.models import Program
from providers.errors import AuthFailed, SettingsError, UnexpectedAnswer, Unsupported
from providers.types import WebhookRequest

log = structlog.get_logger(__name__)


@csrf_exempt  # a machine with a secret of its own, no cookie
def provider_event(request: HttpRequest, program: str, secret: str) -> HttpResponseBase:
    """Store what a vendor's delivery says; 200 only after the commit."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        return HttpResponse(status=_receive(request, program, secret))
    except (Error, SettingsError, BodyCutShort, UnreadablePostError) as error:
        log.error("provider_event_not_stored", program=program, error=type(error).__name__)
    except Exception:
        log.exception("provider_event_not_stored", program=program)
    return HttpResponse(status=503)


def _receive(request: HttpRequest, slug: str, secret: str) -> int:
    # An unknown program looks like a wrong secret.
    program = Program.objects.filter(slug=slug).first() if slug.isprintable() else None
    if program is None or not _is_secret(secret, program.provider_webhook_secret):
        return 404
    body = read_body(request, settings.EVENT_MAX_BYTES)
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
