"""Deliveries of a workspace: every program designs their bodies, so its settings say where things stand.

Antavo sends again every 10 s, five times, in any order (docs/contracts/antavo.md 8). A delivery is a hint:
state is read again before anything is done about it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt

from providers.antavo.fields import text
from providers.antavo.options import Options
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.outbound.lenient_json import read_json
from providers.types import WebhookEvent, WebhookRequest

# The one body that Antavo shows: a coupon that was claimed. The path is the names, joined by dots.
FIELDS = {"event": "eventName", "id": "", "member": "consentGuid", "ref": "voucherCode"}


def parse(options: Options, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
    """Return what a delivery says; raise AuthFailed, UnexpectedAnswer."""
    _verify(options, request.headers.get("authorization", ""))
    try:
        body = read_json(request.body, float)
    except (ValueError, RecursionError) as error:
        raise UnexpectedAnswer("not JSON") from error
    found = body if isinstance(body, list) else [body]
    if not all(isinstance(item, dict) for item in found):
        raise UnexpectedAnswer("not an object")
    return tuple(_event(options, item) for item in found)


def _event(options: Options, body: dict[str, Any]) -> WebhookEvent:
    fields = {**FIELDS, **options.webhook_fields}
    values = {name: _at(body, path) for name, path in fields.items()}
    if not values["event"]:
        raise UnexpectedAnswer(f"no {fields['event']}")
    return WebhookEvent(
        # No id that all deliveries share is documented; the same body is the same delivery.
        event_id=values["id"] or hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
        name=options.webhook_events.get(values["event"], values["event"]),
        member_ref=values["member"],
        provider_ref=values["ref"],
    )


def _at(body: Mapping[str, Any], path: str) -> str:
    value: Any = body
    for name in path.split(".") if path else [None]:
        value = value.get(name) if isinstance(value, dict) else None
    return text(value)


def _verify(options: Options, header: str) -> None:
    """Check what the trusted site was told to send. The secret address alone is checked by our caller."""
    scheme, _, credentials = header.partition(" ")
    if options.webhook_auth == "jwt":
        try:
            jwt.decode(
                credentials if scheme.lower() == "bearer" else header,
                options.webhook_key,
                algorithms=["HS256"],
                options={"verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise AuthFailed(f"webhook: {type(error).__name__}") from error
    elif options.webhook_auth == "basic":
        expected = base64.b64encode(options.webhook_key.encode()).decode()
        if scheme.lower() != "basic" or not hmac.compare_digest(credentials.encode(), expected.encode()):
            raise AuthFailed("webhook: wrong user or password")
