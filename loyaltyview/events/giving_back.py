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

from loyaltyview.events.erasure import is_closed
from loyaltyview.events.models import Order, PartialRelease, ReturnKind, ReturnRecord, ReturnState, WhyParked
from loyaltyview.events.orders import settle_order
from loyaltyview.programs.models import ReturnPolicy
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.orders import give_back_order
from loyaltyview.redemptions.parts import IN_PARTS, give_back_part, note_part, with_points_in_parts
from providers.base import Capability

log = structlog.get_logger(__name__)


def give_back_spends(record: ReturnRecord, order: Order) -> None:
    """Give back what `record` entitles to. Raises ProviderError; may be repeated. What the vendor cannot give
    back in parts is parked for a person, with the points."""
    policy = record.program.return_policy
    if policy == ReturnPolicy.NONE or record.kind != ReturnKind.RETURN or order.cancelled_seen_at:
        return
    if is_closed(order) or (policy == ReturnPolicy.PRO_RATA and order.earn_base <= 0):
        return
    settle_order(order)
    reason = f"goods came back with return {record.return_id}"
    if policy == ReturnPolicy.FULL:
        give_back_order(record.program, order_id=order.order_id, reason=reason)
        return
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
    elif due:
        _park(record, sum(part.points for part in due))


def given_by_hand(record: ReturnRecord) -> None:
    """A person gave the points back in the vendor's own system: nothing is left to do."""
    for part in record.parts.filter(done_at=None).select_related("redemption__program"):
        _done(part)


def _part_of(record: ReturnRecord, order: Order, row: Redemption) -> PartialRelease:
    """Return what this return gives back of `row`, decided the first time and kept."""
    part = PartialRelease.objects.filter(record=record, redemption=row).first()
    if part is None:
        others = PartialRelease.objects.filter(redemption=row).aggregate(sum=Sum("points"))["sum"] or 0
        share = int(row.points * _returned(order) / order.earn_base)
        part, _ = PartialRelease.objects.get_or_create(
            record=record, redemption=row, defaults={"points": max(share - others, 0)}
        )
    part.redemption = row
    return part


def _returned(order: Order) -> Decimal:
    """Return the money of all returns of the order that were heard of, never more than it was worth."""
    records = ReturnRecord.objects.filter(
        program=order.program, order_id=order.order_id, kind=ReturnKind.RETURN, currency=order.currency
    )
    total: Decimal = records.aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return min(total, order.earn_base)


def _done(part: PartialRelease) -> None:
    with transaction.atomic():
        if PartialRelease.objects.filter(pk=part.pk, done_at=None).update(done_at=timezone.now()):
            note_part(part.redemption, points=part.points, return_id=part.record.return_id)


def _park(record: ReturnRecord, points: int) -> None:
    ReturnRecord.objects.filter(pk=record.pk).exclude(state=ReturnState.WAITING).update(
        state=ReturnState.PARKED, why_parked=WhyParked.WHOLE_ONLY, points_owed=points
    )
    log.error("return_parked", program=record.program.slug, record=record.return_id, points=points)
