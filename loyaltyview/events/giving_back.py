"""What a return gives back of the points or voucher that its order spent, by the program's rule.

Pro rata: after each return the points given back in sum are floor(spent * money returned so far / money of
the order), so rounding never adds up. The row with what is to be given is committed before the vendor is
asked, and the vendor's call may be repeated.
"""

from decimal import Decimal

import structlog
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from loyaltyview.events.alarms import raise_alarm
from loyaltyview.events.came_back import kept_lines, look_back, pieces
from loyaltyview.events.erasure import is_closed
from loyaltyview.events.models import (
    AlarmKind,
    Order,
    PartialRelease,
    ReturnKind,
    ReturnRecord,
    ReturnState,
    WhyParked,
)
from loyaltyview.events.orders import settle_order
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.orders import give_back_order, with_codes
from loyaltyview.redemptions.parts import IN_PARTS, give_back_part, note_part, with_points_in_parts
from providers.base import Capability

log = structlog.get_logger(__name__)


def give_back_spends(record: ReturnRecord, order: Order) -> int:
    """Give back what `record` entitles to. Raises ProviderError; may be repeated. Returns the points that the
    vendor cannot give back in parts: to be parked for a person."""
    policy = record.program.return_policy
    if policy == ReturnPolicy.NONE or order.cancelled_seen_at or is_closed(order):
        return 0
    # Cancelled items give nothing back, but of what is left the same returns are a larger share.
    if record.kind != ReturnKind.RETURN and policy != ReturnPolicy.PRO_RATA:
        return 0
    settle_order(order)
    reason = f"goods came back with return {record.return_id}"
    if policy == ReturnPolicy.FULL:
        give_back_order(record.program, order_id=order.order_id, reason=reason)
        return 0
    parts = [_part_of(record, order, row) for row in with_points_in_parts(order.program, order.order_id)]
    due = [part for part in parts if part.points and not part.done_at]
    if Capability.PARTIAL_RELEASE in record.program.provider().capabilities:
        for part in due:
            give_back_part(part.redemption, points=part.points, return_id=record.return_id)
            _done(part)
    elif due and all(part.points == part.redemption.points for part in due):
        # All goods came back at once, so no parts are needed.
        give_back_order(record.program, order_id=order.order_id, reason=reason, kinds=IN_PARTS)
        for part in due:
            _done(part)
    else:
        return sum(part.points for part in due)
    return 0


def has_given_parts(order: Order) -> bool:
    """Whether a return of the order has entitled to a part of what was spent."""
    return PartialRelease.objects.filter(
        record__program=order.program, record__order_id=order.order_id
    ).exists()


def warn_of_exchange(program: Program, old_id: str, new_id: str, codes: tuple[str, ...]) -> None:
    """An exchange repeats the codes of the order it replaces: when points of theirs went back with a return,
    the customer has both, and a person decides. May be repeated."""
    rows = with_codes(program, codes).filter(order_id=old_id)
    parts = PartialRelease.objects.filter(redemption__in=rows, points__gt=0)
    if parts.exists() or rows.filter(state__in=[State.RELEASING, State.RELEASED]).exists():
        detail = f"points of order {old_id} were given back, and its exchange {new_id} has their discount"
        raise_alarm(program, AlarmKind.TWICE, detail, new_id)


def given_by_hand(record: ReturnRecord) -> None:
    """A person gave the points back in the vendor's own system: nothing is left to do."""
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
    """Return how many of `points` all returns of the order that were heard of give back in sum: by money,
    or by pieces where points paid for everything. What was cancelled after it earned is not part of it."""
    back = look_back(order)
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


def park(record: ReturnRecord, points: int) -> None:
    """Have a person give back `points` for a return that took back what it had to. May be repeated."""
    ReturnRecord.objects.filter(pk=record.pk).exclude(state=ReturnState.WAITING).update(
        state=ReturnState.PARKED, why_parked=WhyParked.WHOLE_ONLY, points_owed=points
    )
    log.error("return_parked", program=record.program.slug, record=record.return_id, points=points)
