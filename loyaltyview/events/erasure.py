"""A member is erased: stored events lose their content, orders keep a pseudonym (`programs.erasure`).

From then on the member's orders are closed: later events about them change no points.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from loyaltyview.events.alarms import close_dead
from loyaltyview.events.errors import PayloadError
from loyaltyview.events.models import (
    Earning,
    Event,
    EventSource,
    EventState,
    Order,
    ReturnRecord,
    ReturnState,
    WhyNothing,
)
from loyaltyview.events.payloads import optional_text, payload_of
from loyaltyview.events.stored_events import ERASED
from loyaltyview.programs.erasure import Person

UNDECIDED = (ReturnState.WAITING, ReturnState.PARKED)
# Around an address stands no other character of an address, but possibly an escaped line end.
BEFORE, AFTER = rb"(?:(?<![\w.+%-])|(?<=\\[nrt]))", rb"(?![\w-]|\.\w)"
CONTACTS = ("customer_email", "customer_phone")


def find(person: Person) -> None:
    """Add the orders and NewStore profiles of the person: by ref, by profile, by e-mail and phone."""
    for order_id, profile_id in _orders_in_events(person):
        person.order_ids.add(order_id)
        person.profile_ids |= {profile_id} - {""}
    orders = Order.objects.filter(program=person.program)
    # Without a redemption of the member, the order earned because the member was its customer. With one, the
    # cart may have been another customer's.
    bought = orders.filter(member_ref=person.ref, is_exchange=False).exclude(order_id__in=person.order_ids)
    person.profile_ids |= set(bought.values_list("profile_id", flat=True)) - {""}
    found = orders.filter(Q(member_ref=person.ref) | Q(profile_id__in=person.profile_ids))
    person.order_ids |= set(found.values_list("order_id", flat=True))


def blockers(person: Person) -> Iterator[str]:
    """Yield what is not finished, and still needs to know who the member is."""
    # One that the search found open is looked at again until it is completed, which may take weeks, and then
    # changes no points, like any event of an erased member's order.
    still_open = _orders(person).filter(opened_seen_at__isnull=False, completed_seen_at=None)
    of_orders = _of_orders(person).exclude(
        source=EventSource.FOUND, subject__in=still_open.values("order_id")
    )
    waiting = of_orders.filter(state=EventState.WAITING).count()
    waiting += _others(person).filter(state=EventState.WAITING).count()
    if waiting:
        yield _("Waiting events about this member: %(count)d. Let the worker handle them first.") % {
            "count": waiting
        }
    if count := _orders(person).filter(earning=Earning.STARTED, member_ref=person.ref).count():
        yield _("Orders that are being earned: %(count)d. Replay their dead events first.") % {"count": count}
    if count := _returns(person).filter(state__in=UNDECIDED).count():
        yield _("Returns that are not decided: %(count)d. Decide them first.") % {"count": count}


def erase(person: Person) -> dict[str, int]:
    """Empty the events about the member's orders (the rows stay, so that a repetition is recognised), delete
    other events that name the member, and put the pseudonym into the orders."""
    events = _of_orders(person).exclude(state=EventState.WAITING)
    events.filter(state=EventState.DEAD).update(state=EventState.IGNORED, due_at=None)
    emptied = events.update(payload=ERASED, headers={}, last_error="")
    close_dead()
    deleted, _rows = _others(person).delete()
    orders = _orders(person)
    orders.exclude(profile_id="").update(profile_id="")
    _returns(person).update(lines=[])
    # An order on which another member earned belongs to that member.
    own = orders.filter(member_ref__in=["", person.ref])
    # Of these one with STARTED was to enrol the customer, and gave up.
    without = own.filter(Q(earning=Earning.WAITING) | Q(earning=Earning.STARTED, member_ref=""))
    without.update(earning=Earning.NOTHING, why_nothing=WhyNothing.NO_MEMBER)
    return {
        "events emptied": emptied,
        "events deleted": deleted,
        "orders": own.update(member_ref=person.pseudonym, lines=[]),
    }


def _orders_in_events(person: Person) -> Iterator[tuple[str, str]]:
    """Yield the order and the NewStore profile, "" without one, of each event whose customer is the person.
    Only these find orders that earned nothing, such as those of the web shop. Reads the payloads of all
    events that are kept, dead ones included."""
    wanted = _as_stored(person.contacts)
    rows = Event.objects.filter(program=person.program, source=EventSource.NEWSTORE, subject__gt="")
    for order_id, payload in rows.values_list("subject", "payload").order_by().iterator():
        if any(word in bytes(payload).lower() for word in wanted):
            with suppress(PayloadError):
                content = payload_of(bytes(payload))
                # The address may also be that of the associate.
                named = {optional_text(content, key, limit=254).lower() for key in CONTACTS}
                if named & person.contacts:
                    yield order_id, optional_text(content, "customer_id")


def _orders(person: Person) -> QuerySet[Order]:
    return Order.objects.filter(program=person.program, order_id__in=person.order_ids)


def _returns(person: Person) -> QuerySet[ReturnRecord]:
    return ReturnRecord.objects.filter(program=person.program, order_id__in=person.order_ids)


def _of_orders(person: Person) -> QuerySet[Event]:
    return Event.objects.filter(program=person.program, subject__in=person.order_ids)


def _others(person: Person) -> QuerySet[Event]:
    """Return the events without an order that name the member: the vendor's deliveries, blind returns. Reads
    the payloads of all of these that are kept."""
    ids = {person.ref, *person.profile_ids, *person.member_ids}
    wanted = {re.escape(f'"{word.lower()}"'.encode()) for word in ids}
    # Whole words only: one address may be a part of another, as ann@ of joann@.
    wanted |= {BEFORE + re.escape(word) + AFTER for word in _as_stored(person.contacts)}
    names_member = re.compile(b"|".join(wanted)).search if wanted else lambda text: None
    rows = Event.objects.filter(program=person.program).filter(Q(source=EventSource.PROVIDER) | Q(subject=""))
    named = [
        pk
        for pk, payload in rows.values_list("pk", "payload").order_by().iterator()
        if names_member(bytes(payload).lower())
    ]
    return Event.objects.filter(pk__in=named)


def _as_stored(words: set[str]) -> set[bytes]:
    """Return the words as bytes of a payload in lower case: as they are, and escaped."""
    return {word.encode() for word in words} | {json.dumps(word)[1:-1].encode() for word in words}
