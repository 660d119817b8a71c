"""What each of a vendor's deliveries does: one function a name. All may be repeated, in any order."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.earning import NotYet
from loyaltyview.events.models import AlarmKind, Event
from loyaltyview.events.payload_fields import PayloadError
from loyaltyview.events.provider_inbox import read_hint
from loyaltyview.redemptions.cancellation import cancel_spend
from providers.types import WebhookName

# A vendor tells of a spend before its answer to us has been written down.
PATIENCE = timedelta(minutes=1)


def spend_cancelled(event: Event) -> None:
    """The vendor took a spend back by itself: nobody may use its code any more."""
    ref = read_hint(bytes(event.payload)).provider_ref
    is_ours = bool(ref) and cancel_spend(event.program, provider_ref=ref)
    if ref and not is_ours and timezone.now() < event.received_at + PATIENCE:
        raise NotYet("no redemption has this reference yet")


def member_changed(event: Event) -> None:
    """Pages read members from the vendor each time; its adapter may keep something of them."""
    ref = read_hint(bytes(event.payload)).member_ref
    if ref:
        event.program.provider().note_member(ref)


def low_stock(event: Event) -> None:
    """An administrator must order more."""
    hint = read_hint(bytes(event.payload))
    raise_alarm(event.program, AlarmKind.LOW_STOCK, "the provider says so", hint.provider_ref)


def not_understood(event: Event) -> None:
    """A body that the adapter did not understand has no name. A person must look."""
    raise PayloadError("body", "the adapter did not understand it; the provider must send it again")


PROVIDER_HANDLERS: dict[str, Callable[[Event], None]] = {
    "": not_understood,
    WebhookName.SPEND_CANCELLED: spend_cancelled,
    WebhookName.MEMBER_CHANGED: member_changed,
    WebhookName.LOW_STOCK: low_stock,
}
