"""What each of a vendor's deliveries does: one function a name. All may be repeated, in any order."""

from collections.abc import Callable
from datetime import timedelta

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.errors import NotYet, PayloadError
from loyaltyview.events.models import AlarmKind, Event
from loyaltyview.events.readers import read_hint
from loyaltyview.redemptions.cancellation import cancel_spend
from loyaltyview.redemptions.code_deactivation import queue_used_codes
from loyaltyview.redemptions.models import Redemption
from loyaltyview.work import clock
from providers.types import WebhookName

# A vendor tells of a spend before its answer to us has been written down.
PATIENCE = timedelta(minutes=1)


def spend_cancelled(event: Event) -> None:
    """The vendor took a spend back by itself: its code must not be used any more."""
    ref = read_hint(bytes(event.payload)).provider_ref
    if not ref:
        return
    cancelled = cancel_spend(event.program, provider_ref=ref)
    if cancelled is None and clock.now() < event.received_at + PATIENCE:
        raise NotYet("no redemption has this reference yet")
    for row in cancelled or ():
        _tell_of(row)


def _tell_of(row: Redemption) -> None:
    """Raise an alarm, and have the code switched off at NewStore where the program allows it."""
    if row.order_id:
        said = "an order had used it: decide on the worklist"
    elif row.program.newstore_disable_codes:
        said = "its code is switched off at NewStore"
    elif row.code_expires_at and row.code_expires_at > clock.now():
        said = f"NewStore takes its code until {row.code_expires_at:%H:%M} UTC, since disable_codes is off"
    else:
        said = "its code has expired"
    detail = f"{row.title}: cancelled by the program; {said}"
    raise_alarm(row.program, AlarmKind.CANCELLED, detail, str(row.pk))
    queue_used_codes()


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
