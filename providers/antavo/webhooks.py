"""Deliveries of a workspace: every program designs their bodies, so its settings name the places of the
fields.

Antavo sends again every 10 s, five times, in any order (docs/contracts/antavo.md 8). A delivery is a hint:
state is read again before we act on it.
"""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt

from providers.answers import at, delivered, objects_in
from providers.antavo.fields import text
from providers.antavo.settings import Settings
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookEvent, WebhookRequest


def parse(settings: Settings, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
    """Return the content of a delivery; raise AuthFailed, UnexpectedAnswer."""
    _verify(settings, request.headers.get("authorization", ""))
    body = delivered(request.body)
    found = objects_in(body if isinstance(body, list) else [body], "delivery")
    return tuple(_event(settings, item) for item in found)


def _event(settings: Settings, body: dict[str, Any]) -> WebhookEvent:
    places = settings.webhook_fields
    values = {name: text(at(body, place)) if place else "" for name, place in places.items()}
    if not values["event"]:
        raise UnexpectedAnswer(f"no {places['event']}")
    return WebhookEvent(
        # No id that all deliveries share is documented; the same body is the same delivery.
        event_id=values["id"] or hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
        name=settings.webhook_events.get(values["event"], values["event"]),
        member_ref=values["member"],
        provider_ref=values["ref"],
    )


def _verify(settings: Settings, header: str) -> None:
    """Check the credentials that the trusted site sends. The secret address alone is checked by our
    caller."""
    scheme, _, credentials = header.partition(" ")
    if settings.webhook_auth == "jwt":
        try:
            jwt.decode(
                credentials if scheme.lower() == "bearer" else header,
                settings.webhook_key,
                algorithms=["HS256"],
                options={"verify_aud": False},
            )
        except jwt.InvalidTokenError as error:
            raise AuthFailed(f"webhook: {type(error).__name__}") from error
    elif settings.webhook_auth == "basic":
        expected = base64.b64encode(settings.webhook_key.encode()).decode()
        if scheme.lower() != "basic" or not hmac.compare_digest(credentials.encode(), expected.encode()):
            raise AuthFailed("webhook: wrong user or password")
