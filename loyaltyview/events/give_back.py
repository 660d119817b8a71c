"""What a return gives back of the points or voucher that its order spent, by the program's rule.

Pro rata: after each return the points given back in sum are floor(spent * money returned so far / money of
the order), so rounding never adds up; a voucher goes back when everything is back. The row with what is to
be given is committed before the vendor is asked, and the vendor's call may be repeated. What the vendor
cannot do is for a person (docs/decisions/0002).
"""

from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.utils import timezone

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.envelope import EventName
from loyaltyview.events.models import (
    AlarmKind,
    Event,
    EventSource,
    EventState,
    Order,
    PartialRelease,
    ReturnKind,
    ReturnRecord,
)
from loyaltyview.events.orders import exchanged_by, exchanges_of, is_member_erased, settle_order
from loyaltyview.events.returns import kept_lines, pieces, returned_so_far
from loyaltyview.events.stored_events import replay
from loyaltyview.programs.models import ReturnPolicy
from loyaltyview.redemptions.codes import with_codes
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import give_back_rows
from loyaltyview.redemptions.partial_release import (
    give_back_part,
    note_part,
    spends_in_order,
    vouchers_to_give_back,
    with_points_in_parts,
)
from loyaltyview.redemptions.release import is_final
from providers.base import Capability
from providers.errors import Rejected, Unsupported
from providers.sales import SpendKind

log = structlog.get_logger(__name__)


def give_back_spends(record: ReturnRecord, order: Order) -> int:
    """Give back what the return entitles to. Raises ProviderError; may be repeated. Returns the points that
    the vendor cannot give back: a person must."""
    policy = record.program.return_policy
    if policy == ReturnPolicy.NONE or order.cancelled_seen_at or is_member_erased(order):
        return 0
    # Cancelled items give nothing back, but earlier returns are a larger share of what is left.
    if record.kind != ReturnKind.RETURN and policy != ReturnPolicy.PRO_RATA:
        return 0
    settle_order(order)
    reason = f"goods came back with return {record.return_id}"
    rows = _spends_in(order)
    if policy == ReturnPolicy.FULL:
        give_back_rows(rows, order.order_id, reason)
        return 0
    owed = 0
    for part in [_part_of(record, order, row) for row in with_points_in_parts(rows)]:
        if part.points and not part.done_at:
            owed += _give_back(part, order, reason)
    if returned_so_far(order).is_everything:
        give_back_rows(vouchers_to_give_back(rows), order.order_id, reason)
    return owed


def _spends_in(order: Order) -> QuerySet[Redemption]:
    """Return the redemptions whose discount this order keeps: an exchange takes them over with their codes,
    and then a return of the exchange gives them back."""
    later = Order.objects.filter(
        program=order.program, order_id__in=exchanges_of(order), cancelled_seen_at=None
    )
    return spends_in_order(
        order.program,
        order_id=order.order_id,
        codes=tuple(order.codes),
        earlier=exchanged_by(order),
        later=tuple(code for codes in later.values_list("codes", flat=True) for code in codes),
    )


def _give_back(part: PartialRelease, order: Order, reason: str) -> int:
    """Have the vendor give back the points of `part`; return those that it cannot give back. Raises
    ProviderError."""
    row, return_id = part.redemption, part.record.return_id
    provider = row.program.provider()
    if is_final(row, provider):
        return part.points
    if Capability.PARTIAL_RELEASE in provider.capabilities:
        try:
            give_back_part(row, points=part.points, return_id=return_id)
        except (Rejected, Unsupported) as error:
            log.warning("part_refused", redemption=str(row.id), record=return_id, problem=error.detail)
            return part.points
    elif part.points == row.points:
        # All goods came back at once, so no parts are needed.
        give_back_rows([row], order.order_id, reason)
    else:
        return part.points
    _done(part)
    return 0


def has_given_parts(order: Order) -> bool:
    """Whether a return of the order has entitled to a part of what was spent."""
    return PartialRelease.objects.filter(
        record__program=order.program, record__order_id=order.order_id
    ).exists()


def warn_of_exchange(order: Order, codes: tuple[str, ...]) -> None:
    """An exchange takes over the codes of the orders that it replaces. When a return gave their points back
    before the exchange arrived, the customer has both, and a person decides. May be repeated."""
    earlier = exchanged_by(order)
    rows = with_codes(order.program, codes).filter(order_id__in=earlier)
    parts = PartialRelease.objects.filter(
        redemption__in=rows, points__gt=0, record__order_id__in=earlier, record__kind=ReturnKind.RETURN
    )
    # A return of the exchange may have given back what the exchange had taken over.
    came_back = ReturnRecord.objects.filter(
        program=order.program, order_id=order.order_id, kind=ReturnKind.RETURN
    )
    released = rows.filter(state__in=[State.RELEASING, State.RELEASED]).exclude(kind=SpendKind.OFFER)
    if parts.exists() or (released.exists() and not came_back.exists()):
        old = ", ".join(sorted(earlier))
        detail = (
            f"points of order {old} were given back, and its exchange {order.order_id} has their discount"
        )
        raise_alarm(order.program, AlarmKind.TWICE, detail, order.order_id)


def give_back_after_exchange(order: Order) -> None:
    """The exchange was cancelled, so it did not take over the discount: have the returns of the orders that
    it replaced handled again. Database only; may be repeated."""
    events = Event.objects.filter(
        program=order.program,
        source=EventSource.NEWSTORE,
        subject__in=exchanged_by(order),
        name=EventName.RETURN_PROCESSED,
        state=EventState.DONE,
    )
    if order.codes and events.exists():
        replay(events)


def given_by_hand(record: ReturnRecord) -> None:
    """Note that a person gave the points back in the vendor's own system."""
    for part in record.parts.filter(done_at=None).select_related("redemption__program"):
        _done(part)


def _part_of(record: ReturnRecord, order: Order, row: Redemption) -> PartialRelease:
    """Return what this return gives back of `row`, decided the first time and kept."""
    part = PartialRelease.objects.filter(record=record, redemption=row).first()
    if part is None:
        others = PartialRelease.objects.filter(redemption=row).aggregate(sum=Sum("points"))["sum"] or 0
        share = _share(row.points, order)
        part, _ = PartialRelease.objects.get_or_create(
            record=record, redemption=row, defaults={"points": max(share - others, 0)}
        )
    part.redemption = row
    return part


def _share(points: int, order: Order) -> int:
    """Return how many of `points` all known returns of the order give back in sum: by money, or by pieces
    where points paid for everything. Items cancelled after they earned do not count."""
    back = returned_so_far(order)
    if back.is_everything:
        return points
    total, returned = order.earn_base - back.cancelled, back.returned
    if order.earn_base <= 0:
        returns = ReturnRecord.objects.filter(
            program=order.program, order_id=order.order_id, currency=order.currency, kind=ReturnKind.RETURN
        )
        lines = [line for found in returns.values_list("lines", flat=True) for line in found]
        total, returned = Decimal(pieces(kept_lines(order))), Decimal(pieces(lines))
    return int(points * min(returned, total) / total) if total > 0 else 0


def _done(part: PartialRelease) -> None:
    with transaction.atomic():
        if PartialRelease.objects.filter(pk=part.pk, done_at=None).update(done_at=timezone.now()):
            note_part(part.redemption, points=part.points, return_id=part.record.return_id)
