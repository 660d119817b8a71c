"""Deliveries of Stampcard, signed over the body with the secret of the shop."""

import hashlib
import hmac

from providers.answers import delivered, needed_text, object_in, text_of
from providers.errors import AuthFailed
from providers.types import WebhookEvent, WebhookName, WebhookRequest

NAMES = {"customer.updated": WebhookName.MEMBER_CHANGED, "stamps.changed": WebhookName.MEMBER_CHANGED}


def parse(secret: str, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
    expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    given = request.headers.get("stampcard-signature", "")
    if not secret or not hmac.compare_digest(given.encode(), expected.encode()):
        raise AuthFailed("webhook: wrong signature")
    body = object_in(delivered(request.body), "webhook")
    name = needed_text(body, "type")
    event = WebhookEvent(
        event_id=needed_text(body, "id"), name=NAMES.get(name, name), member_ref=text_of(body, "customer")
    )
    return (event,)
