"""Yotpo's deliveries in our words: webhooks with a `topic`, and the callback that cancels a delayed code.

Yotpo signs nothing. Webhooks come to an address with a secret in it; the callback brings its own secret in a
header and in its body. All are hints: the state is read again before anything is done.
Sources: core-api.yotpo.com/reference/about-webhook-events, loyaltyapi.yotpo.com/reference/points-earned,
/redemption-cancellation-request, support.yotpo.com/docs/implementing-redemptions-via-api.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from providers.answers import delivered, inner, object_in, text_of
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookEvent, WebhookName, WebhookRequest
from providers.yotpo.customers import customer_id_of
from providers.yotpo.refs import hinted_ref
from providers.yotpo.settings import Settings

CANCELLATION_REQUEST = "swell/point_redemption/cancellation_request"
BELOW_THRESHOLD = "swell/redemption_code/below_threshold"
MEMBER_TOPICS = frozenset(
    {
        "swell/points/earned",
        "swell/redemption/created",
        "swell/tier/earned",
        "swell/tier/lost",
        "swell/tier/status/changed",
        "swell/account/created",
        "swell/customer/birthday",
        "loyalty/opt_in",
    }
)
SECRET_HEADER = "x-api-secret"  # noqa: S105 - the name of a header


def parse(program: str, settings: Settings, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
    """Return what a delivery says. Raises AuthFailed, UnexpectedAnswer."""
    data = _body(request)
    # One delivery repeated has the same id; without the header the same bytes have.
    event_id = request.headers.get("eventid", "").strip()[:100] or hashlib.sha256(request.body).hexdigest()
    topic = text_of(data, "topic")
    if topic:
        return (_event(program, event_id, topic, data),)
    _check_secret(settings, request, data)
    codes = _codes(settings, data)
    if not codes:
        raise UnexpectedAnswer("callback: no code")
    return tuple(
        WebhookEvent(event_id=f"{event_id}:{code}", name=WebhookName.SPEND_CANCELLED, provider_ref=code)
        for code in codes
    )


def _body(request: WebhookRequest) -> dict[str, Any]:
    content = request.body.decode(errors="replace")
    try:
        is_json = content.lstrip().startswith(("{", "["))
        data = delivered(request.body) if is_json else dict(parse_qsl(content))
    except ValueError as error:  # more fields than Python reads
        raise UnexpectedAnswer("delivery: neither JSON nor a form") from error
    if not data:
        raise UnexpectedAnswer("delivery: empty")
    return object_in(data, "delivery")


def _event(program: str, event_id: str, topic: str, data: Mapping[str, Any]) -> WebhookEvent:
    ref = _member_ref(program, data)
    if topic == CANCELLATION_REQUEST:
        code = text_of(data, "reward_text")
        return WebhookEvent(
            event_id=event_id, name=WebhookName.SPEND_CANCELLED, member_ref=ref, provider_ref=code
        )
    if topic == BELOW_THRESHOLD:
        name = text_of(data, "redemption_option_name", "redemption_option_id")
        left = text_of(data, "number_of_unused_codes")
        return WebhookEvent(
            event_id=event_id, name=WebhookName.LOW_STOCK, provider_ref=f"{name}: {left}"[:200]
        )
    return WebhookEvent(
        event_id=event_id,
        name=WebhookName.MEMBER_CHANGED if topic in MEMBER_TOPICS else topic[:100],
        member_ref=ref,
    )


def _member_ref(program: str, data: Mapping[str, Any]) -> str:
    customer = inner(data, "customer")
    customer_id, email = customer_id_of(customer), text_of(customer, "email") or text_of(data, "email")
    return hinted_ref(program, customer_id=customer_id, email=email)


def _check_secret(settings: Settings, request: WebhookRequest, data: Mapping[str, Any]) -> None:
    given = [text_of(data, key) for key in settings.names.all("callback_secret_keys")]
    given.append(request.headers.get(SECRET_HEADER, "").strip())
    wanted = settings.callback_secret.encode()
    if not wanted or not any(hmac.compare_digest(each.encode(), wanted) for each in given if each):
        raise AuthFailed("callback: wrong secret, or none is set in the program")


def _codes(settings: Settings, data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the codes of a callback: one, or several separated by commas."""
    told = text_of(data, *settings.names.all("callback_code_keys"))
    return tuple(code.strip() for code in told.split(",") if code.strip())
