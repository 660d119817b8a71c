"""Pongo's deliveries: subscribing to them, and verifying one.

`Pongo-Signature: t=…,v1=…`; v1 is HMAC-SHA256 over the raw body followed by the timestamp; other systems put
the timestamp first (reference, "Subscribe to a webhook event"). Hex and unix seconds are assumed.
"""

import hashlib
import hmac
import re

from django.utils import timezone

from providers.answers import delivered, inner, needed_text, object_in, text_of
from providers.errors import AuthFailed, RejectReason, UnexpectedAnswer
from providers.pongo.client import Client, object_of, refusal
from providers.pongo.models import Account, Subscription
from providers.sealing import seal
from providers.types import WebhookEvent, WebhookName, WebhookRequest

EVENTS = ("customer.created", "customer.updated")  # all there are
TOLERANCE_S = 300
SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-fA-F]{64})")


def signing_secret(webhook_secret: str) -> str:
    """Return the secret that we give Pongo: made from the program's own, which stands in the address and
    so in Pongo's logs."""
    return hmac.new(webhook_secret.encode(), b"pongo webhook signature", hashlib.sha256).hexdigest()


def parse(request: WebhookRequest, secrets: tuple[str, ...]) -> tuple[WebhookEvent, ...]:
    """Return the content of the delivery; raise AuthFailed unless one of `secrets` signed it within the last
    five minutes."""
    found = SIGNATURE.fullmatch(request.headers.get("pongo-signature", "").replace(" ", ""))
    if found is None:
        raise AuthFailed("no signature")
    moment, signature = found.groups()
    if not any(
        hmac.compare_digest(sign(request.body, moment, secret), signature.lower()) for secret in secrets
    ):
        raise AuthFailed("wrong signature")
    if abs(timezone.now().timestamp() - int(moment)) > TOLERANCE_S:
        raise AuthFailed("signature too old")
    return (_read(request.body, moment),)


def sign(body: bytes, moment: str, secret: str) -> str:
    """Return the hex signature of a delivery sent at `moment` (unix seconds)."""
    return hmac.new(secret.encode(), body + moment.encode(), hashlib.sha256).hexdigest()


def subscribe(client: Client, url: str, secret: str) -> None:
    """Subscribe to every event that has no subscription yet."""
    known = set(Subscription.objects.filter(program=client.program).values_list("event", flat=True))
    for event in EVENTS:
        if event in known:
            continue
        body = {
            client.names["webhook.event"]: event,
            client.names["webhook.url"]: url,
            client.names["webhook.secret"]: secret,
        }
        answered = object_of(
            client.write("POST", "/v1/webhooks", operation="subscribe", body=body),
            RejectReason.NOT_ALLOWED,
        )
        given = text_of(answered, client.names["webhook.secret"])
        if given and given != secret:
            # Pongo chose its own secret, and may not show it again.
            Account.objects.update_or_create(
                program=client.program, defaults={"sealed_signing_secret": seal(given)}
            )
        Subscription.objects.update_or_create(
            program=client.program, event=event, defaults={"webhook_id": needed_text(answered, "id")}
        )


def unsubscribe(client: Client) -> None:
    """End every stored subscription; one that has already ended is success."""
    for subscription in Subscription.objects.filter(program=client.program):
        path = client.path("webhook", webhook=subscription.webhook_id)
        answer = client.write("DELETE", path, operation="unsubscribe", body={})
        if answer.status not in (200, 204, 404):
            raise refusal(answer, RejectReason.NOT_ALLOWED)
        subscription.delete()


def _read(body: bytes, moment: str) -> WebhookEvent:
    data = object_in(delivered(body), "delivery")
    name = text_of(data, "event", "type")
    customer = text_of(inner(data, "data") or inner(data, "customer") or data, "id")
    if not name or (name in EVENTS and not customer):
        raise UnexpectedAnswer("no event or no customer")
    return WebhookEvent(
        event_id=f"{name}:{customer}:{moment}",
        name=WebhookName.MEMBER_CHANGED.value if name in EVENTS else name,
        member_ref=customer if name in EVENTS else "",
    )
