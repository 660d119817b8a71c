"""Deliveries of the tenant's webhook reactions.

Source: docs/contracts/whitelabel.md 3. They carry no signature and no id: a secret header of the reaction
proves the sender, and type, subject and time together are the id. The subject is the login of the member's
app, not our ref.
"""

import hashlib
import hmac
import json

from providers.answers import delivered, object_in, text_of
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookEvent, WebhookRequest
from providers.whitelabel.client import Client

MEMBER_CHANGED = "member_changed"
# What changes what a page shows of a member.
OF_MEMBERS = frozenset(
    {
        "REGISTERED_ACCOUNT",
        "CLOSED_ACCOUNT",
        "PROFILE_UPDATED",
        "CONSENT_GIVEN",
        "CONSENT_REVOKED",
        "PURCHASED_REWARD",
        "REDEEMED_VOUCHER",
        "BURNED_VOUCHER",
        "VOUCHER_GIVEN",
        "POINTS_ADJUSTED",
        "POINTS_EXPIRED",
    }
)


def parse(client: Client, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
    """Return the one event of a delivery. Raises AuthFailed, UnexpectedAnswer."""
    expected = client.settings.webhook_token
    given = request.headers.get(client.settings.webhook_header.lower(), "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        raise AuthFailed("webhook: the secret header is missing or wrong")
    body = object_in(delivered(request.body), "delivery")
    kind, subject = body.get("type"), text_of(body, "subject")
    if not isinstance(kind, str):
        raise UnexpectedAnswer("delivery: no type")
    proof = json.dumps([kind, subject, body.get("reportedAt")])
    return (
        WebhookEvent(
            event_id=hashlib.sha256(proof.encode()).hexdigest(),
            name=MEMBER_CHANGED if kind in OF_MEMBERS else kind.lower()[:64],
            member_ref=subject,
        ),
    )
