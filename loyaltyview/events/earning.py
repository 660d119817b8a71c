"""What an order does to points: it earns once when it is completed, and loses the points when it is
cancelled. What goods that came back do is in return_settlement.py.

Before the vendor is called the row says STARTED. So a cancellation knows that there may be points, even if
the process was killed in between. The vendor's calls are idempotent by order.
"""

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from loyaltyview.events.envelope import EventName
from loyaltyview.events.errors import PayloadError
from loyaltyview.events.give_back import give_back_after_exchange
from loyaltyview.events.models import (
    Earning,
    Event,
    EventSource,
    EventState,
    Order,
    ReturnKind,
    ReturnRecord,
    ReturnState,
    WhyNothing,
)
from loyaltyview.events.orders import (
    NOT_EARNED,
    change,
    is_member_erased,
    member_who_spent,
    note_cancelled,
    opened_event,
    refresh,
    settle_order,
    to_provider,
)
from loyaltyview.events.readers import read_order
from loyaltyview.events.stored_events import replay
from loyaltyview.newstore import orders as host_orders
from loyaltyview.newstore.profile_links import read_loyalty_id
from loyaltyview.programs.erasure import is_pseudonym
from loyaltyview.programs.models import Program
from loyaltyview.programs.newcomers import newcomer_of
from loyaltyview.redemptions.orders import give_back_order
from loyaltyview.work.plain_sql import select
from providers.base import Capability, LoyaltyProvider
from providers.sales import Spend
from providers.types import MemberQuery, QueryKind

log = structlog.get_logger(__name__)

# With one of these a vendor may have taken an order that has no member here.
TAKING_WITHOUT_MEMBER = frozenset({Capability.ANONYMOUS_SALES, Capability.ENROL_WITH_ORDER})
MAYBE_EARNED = (Earning.STARTED, Earning.EARNED)
TAKING_BACK = (EventName.RETURN_PROCESSED.value, EventName.ORDER_ITEMS_CANCELLED.value)


def complete_order(order: Order) -> None:
    """The opened order is completed: settle its redemptions, let it earn, then handle again the returns that
    came before it had earned. Raises ProviderError, NewStoreError; may be repeated."""
    earn(order, settle_order(order))
    if order.earning == Earning.EARNED:
        reopen_returns(order)


def earn(order: Order, spends: tuple[Spend, ...]) -> None:
    """Let a completed order earn, or note why it does not. Raises ProviderError, NewStoreError; may be
    repeated."""
    if order.earning in (Earning.EARNED, Earning.TAKEN_BACK):
        return
    if is_member_erased(order):
        _earn_nothing(order, WhyNothing.NO_MEMBER)
        return
    provider = order.program.provider()
    # Once the vendor was asked, a repetition names the same member, even if another one enrolled meanwhile.
    member_ref = order.member_ref if order.earning == Earning.STARTED else ""
    if not member_ref:
        against = why_nothing(order)
        member_ref = "" if against else _member_of(order, provider)
        if not member_ref:
            _earn_nothing(order, against or WhyNothing.NO_MEMBER, is_without_member=not against)
            if spends:
                provider.close_order(to_provider(order, spends[0].member_ref, spends))
            if not against and Capability.ANONYMOUS_SALES in provider.capabilities:
                provider.record_order(to_provider(order, "", ()))
            return
    if not _start(order, member_ref):
        return  # Cancelled meanwhile: order.cancelled takes back the points that there are.
    points = provider.record_order(to_provider(order, member_ref, spends)).points
    earned = {"earning": Earning.EARNED, "earned_points": points, "earned_at": timezone.now()}
    change(order, {"earning": Earning.STARTED}, earned)
    log.info("order_earned", program=order.program.slug, order=order.order_id, points=points)


def why_nothing(order: Order) -> WhyNothing | None:
    """Return why the opened order earns nothing, judged by its own row; None when it may earn."""
    if order.is_historical:
        return WhyNothing.HISTORICAL
    if order.cancelled_seen_at:
        return WhyNothing.CANCELLED
    if order.channel_type not in order.program.report_channels:
        return WhyNothing.CHANNEL
    if order.currency != order.program.currency:
        return WhyNothing.CURRENCY
    if order.earn_base <= 0:
        return WhyNothing.NO_AMOUNT
    return None


def find_member(order: Order, provider: LoyaltyProvider) -> str:
    """Return the ref of the member who earns: the one whose reward was used (in this order or in the one that
    it was exchanged for), else the one with the e-mail of the order, else the one whose loyalty id is in the
    customer's profile. "" without one, or when several match. Raises ProviderError, NewStoreError."""
    ref = member_who_spent(order)
    if is_pseudonym(ref):
        return ""
    if not ref and Capability.EMAIL_LOOKUP in provider.capabilities:
        ref = _only_member(provider, QueryKind.EMAIL, _customer_email(order))
    # A member who enrolled by phone, or with another e-mail than NewStore has: the page finds them, too.
    if not ref and order.profile_id:
        ref = _only_member(provider, QueryKind.MEMBER_ID, read_loyalty_id(order.program, order.profile_id))
    return ref


def may_be_reported_without_member(order: Order) -> bool:
    """Whether the vendor may have been told of the order although it has no member. Then it is told of its
    returns and of its cancellation, too."""
    is_without = order.earning == Earning.NOTHING and order.why_nothing == WhyNothing.NO_MEMBER
    if not is_without or is_member_erased(order):
        return False
    return bool(TAKING_WITHOUT_MEMBER & order.program.provider().capabilities)


def reopen_returns(order: Order) -> None:
    """The order has earned: have the worker handle again the returns that found nothing to take back before,
    each by its own event. Database only; may be repeated."""
    of_order = {"program": order.program_id, "order_id": order.order_id, "state": ReturnState.NOTHING}
    if not select(ReturnRecord, of_order, order_by="order_id", limit=1):
        return
    nothing = ReturnRecord.objects.filter(
        program=order.program,
        order_id=order.order_id,
        state=ReturnState.NOTHING,
        kind__in=[ReturnKind.RETURN, ReturnKind.CANCELLATION],
        amount__gt=0,
    )
    if not nothing.exists():
        return
    # Waiting events, too: they may have been handled before, and found nothing.
    events = Event.objects.filter(
        program=order.program,
        source=EventSource.NEWSTORE,
        subject=order.order_id,
        name__in=TAKING_BACK,
        state__in=[EventState.DONE, EventState.WAITING],
    )
    with transaction.atomic():
        if replay(events):
            nothing.update(state=ReturnState.WAITING, done_at=None)


def cancel_order(program: Program, order_id: str) -> None:
    """The whole order is cancelled, possibly before order.created arrived: undo what it did. Raises
    ProviderError; may be repeated."""
    order = note_cancelled(program, order_id)
    undo_order(order)
    give_back_after_exchange(order)


def undo_order(order: Order) -> None:
    """Give back what a cancelled order spent, then take back what it earned. Raises ProviderError; may be
    repeated."""
    if is_member_erased(order):
        return
    # In this order: points that are given back pay for earned points that were spent already.
    give_back_order(order.program, order_id=order.order_id)
    take_back_order(order)


def take_back_order(order: Order) -> None:
    """Take back what the order earned. Raises ProviderError; may be repeated."""
    if order.earning == Earning.WAITING:
        _earn_nothing(order, WhyNothing.CANCELLED)
    elif may_be_reported_without_member(order):
        order.program.provider().cancel_order(to_provider(order, "", ()))
    if order.earning in MAYBE_EARNED:
        order.program.provider().cancel_order(to_provider(order, order.member_ref, ()))
        Order.objects.filter(pk=order.pk, earning__in=MAYBE_EARNED).update(
            earning=Earning.TAKEN_BACK, taken_back_at=timezone.now()
        )


def _member_of(order: Order, provider: LoyaltyProvider) -> str:
    """Return the ref of the member who earns, who may become one by this order; "" for nobody."""
    # An enrolment that was begun is finished: a look-up might find the member whom it has just made.
    if order.earning == Earning.STARTED and (ref := _enrol(order, provider)):
        return ref
    return find_member(order, provider) or _enrol(order, provider)


def _enrol(order: Order, provider: LoyaltyProvider) -> str:
    """Enrol the order's customer with it, where they asked for that at the till; return their ref, "" for
    nobody. The row says STARTED before: a cancellation that comes meanwhile takes the points back."""
    if Capability.ENROL_WITH_ORDER not in provider.capabilities:
        return ""
    newcomer = newcomer_of(order.program, order.profile_id)
    if newcomer is None or not _start(order, ""):
        return ""
    member = provider.enrol_with_order(to_provider(order, "", ()), newcomer.profile, newcomer.consents)
    if not _start(order, member.ref):
        return ""
    newcomer.done(member)
    log.info("enrolled_with_order", program=order.program.slug, order=order.order_id)
    return member.ref


def _start(order: Order, member_ref: str) -> bool:
    """Note that the vendor is about to be asked. False when the order was cancelled meanwhile."""
    may_start = {"cancelled_seen_at": None, "earning": [*NOT_EARNED, Earning.STARTED]}
    return change(order, may_start, {"earning": Earning.STARTED, "member_ref": member_ref, "why_nothing": ""})


def _earn_nothing(order: Order, reason: WhyNothing, *, is_without_member: bool = False) -> None:
    """Note that the order earns nothing. `is_without_member` also ends an enrolment that was begun and for
    which no customer waits any more."""
    may_end = Q(earning__in=NOT_EARNED)
    if is_without_member:
        may_end |= Q(earning=Earning.STARTED, member_ref="", cancelled_seen_at=None)
    Order.objects.filter(may_end, pk=order.pk).update(earning=Earning.NOTHING, why_nothing=reason)
    refresh(order)


def _only_member(provider: LoyaltyProvider, kind: QueryKind, value: str) -> str:
    refs = provider.find_refs(MemberQuery(kind=kind, value=value)) if value else ()
    return refs[0] if len(refs) == 1 else ""


def _customer_email(order: Order) -> str:
    """Return the customer's e-mail, read again from the stored event or from NewStore: orders hold no
    personal data."""
    opened = opened_event(order)
    try:
        if opened:
            return read_order(bytes(opened.payload)).customer_email.strip().lower()
    except PayloadError:
        pass  # The event is dead, and the order was read from NewStore instead.
    return host_orders.read_order(order.program, order.order_id).customer_email.strip().lower()
