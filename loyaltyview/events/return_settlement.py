"""What a return does to points: it gives back what its order had spent, and takes back what the goods had
earned. Each is done once; the vendor calls are idempotent by return.
"""

from decimal import Decimal

from django.utils import timezone

from loyaltyview.events.earning import MAYBE_EARNED, may_be_reported_without_member, why_nothing
from loyaltyview.events.errors import NotYet, PayloadError
from loyaltyview.events.give_back import give_back_spends
from loyaltyview.events.manual_review import park
from loyaltyview.events.models import Earning, Order, ReturnRecord, ReturnState, WhyNothing
from loyaltyview.events.orders import is_member_erased, lines_of, provider_store
from loyaltyview.events.returns import counted_amount, returned_so_far
from providers.base import Capability
from providers.sales import Return
from providers.types import Money


def settle_return(record: ReturnRecord, order: Order) -> None:
    """Give back what the order had spent, then take back what it had earned. Points that the vendor cannot
    give back are for a person. Raises NotYet, ProviderError, PayloadError. May be repeated."""
    # In this order: points that are given back pay for earned points that were spent already.
    owed = give_back_spends(record, order)
    if record.state == ReturnState.WAITING:
        take_back_return(record)
    if owed:
        park(record, owed)


def take_back_return(record: ReturnRecord) -> None:
    """Take back what the returned goods earned, once per return. Raises NotYet while the order has not
    earned, ProviderError, PayloadError. May be repeated."""
    order = Order.objects.filter(program=record.program, order_id=record.order_id).first()
    if order is None or not order.opened_seen_at:
        raise NotYet("order.opened has not arrived")
    if is_member_erased(order):
        _close(record, ReturnState.NOTHING, None)
        return
    is_reported_elsewhere = _is_reported_elsewhere(order)
    is_without_member = may_be_reported_without_member(order)
    is_known_to_vendor = is_reported_elsewhere or is_without_member
    if not is_known_to_vendor and not _may_have_earned(order):
        _close(record, ReturnState.NOTHING, None)
        return
    if not is_known_to_vendor and order.earning != Earning.EARNED:
        raise NotYet("the order has not earned yet")
    if record.currency != order.currency:
        raise PayloadError("currency", "not that of the order")
    back = returned_so_far(order)
    net = counted_amount(record, order, back) if record.amount > 0 else Decimal(0)
    if net <= 0:
        _close(record, ReturnState.NOTHING, None)
        return
    change = record.program.provider().record_return(
        Return(
            return_id=record.return_id,
            order_id=record.order_id,
            member_ref=order.member_ref,
            returned_at=record.returned_at,
            net=Money(amount=net, currency=order.currency),
            order_earn_base=Money(amount=order.earn_base, currency=order.currency),
            lines=lines_of(record.lines),
            store=provider_store(record.program, record.store_id),
            reported_as=order.external_id if is_reported_elsewhere else "",
            is_complete=back.is_everything,
        )
    )
    if is_without_member:
        _close(record, ReturnState.NOTHING, None)
    else:
        _close(record, ReturnState.DONE, change.points)


def _may_have_earned(order: Order) -> bool:
    return order.earning in MAYBE_EARNED or (order.earning == Earning.WAITING and not why_nothing(order))


def _is_reported_elsewhere(order: Order) -> bool:
    """Whether the web shop reported this order to the vendor by itself, and the vendor takes returns from
    us."""
    can = Capability.ONLINE_RETURN in order.program.provider().capabilities
    return can and why_nothing(order) is WhyNothing.CHANNEL


def _close(record: ReturnRecord, state: ReturnState, points: int | None) -> None:
    ReturnRecord.objects.filter(pk=record.pk, state=ReturnState.WAITING).update(
        state=state, points_taken=points, done_at=timezone.now()
    )
