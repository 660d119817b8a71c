"""What a web shop reports, once per id: orders, returns, cancellations. The rules are those of the till: the
adapter itself records them."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from providers.base import LoyaltyProvider
from providers.errors import Rejected
from providers.house.api.models import Report, ReportKind
from providers.house.api.problems import Problem, problem_of
from providers.house.api.reservations import release_order
from providers.house.earning import earned_with, taken_at_once
from providers.house.ledger import cards_of, lock
from providers.house.models import Member
from providers.retention import delete_in_steps
from providers.sales import Order, OrderLine, Return

Answer = dict[str, object]


def report_order(house: LoyaltyProvider, member: Member, named: str, order: Order) -> Answer:
    """Let the order earn once. `named` is the id by which the web shop names the member. Raises Problem."""

    def write() -> Answer:
        _check_owner(member, order.order_id)
        earned = house.record_order(order).points or 0
        return {"order_id": order.order_id, "points": earned + taken_at_once(member.program, order.order_id)}

    content = {
        "member": named,
        "total": _amount(order.earn_base.amount),
        "placed_at": order.placed_at.isoformat(),
        "lines": _lines(order.lines),
        "store": order.store,
    }
    return _once(member.program, ReportKind.ORDER, order.order_id, content, write)


def report_return(house: LoyaltyProvider, member: Member, named: str, ret: Return) -> Answer:
    """Take back what the goods earned, once. Raises Problem."""

    def write() -> Answer:
        _check_owner(member, ret.order_id)
        points = house.record_return(ret).points
        return {"return_id": ret.return_id, "order_id": ret.order_id, "points": points}

    content = {
        "member": named,
        "order": ret.order_id,
        "total": _amount(ret.net.amount),
        "is_complete": ret.is_complete,
        "lines": _lines(ret.lines),
    }
    return _once(member.program, ReportKind.RETURN, ret.return_id, content, write)


def report_cancellation(house: LoyaltyProvider, member: Member, named: str, order: Order) -> Answer:
    """Give back what the order spent, then take back what it earned, once. Raises Problem."""

    def write() -> Answer:
        # Before what is confirmed is read: a confirmation waits, and then finds the cancellation.
        lock(member.program, member.member_id)
        _check_owner(member, order.order_id)
        release_order(member, order.order_id)
        return {"order_id": order.order_id, "points": house.cancel_order(order).points}

    return _once(member.program, ReportKind.CANCELLATION, order.order_id, {"member": named}, write)


def forget_old(before: datetime) -> int:
    """Delete what was reported before that time; the ledger still counts each id once. Returns how many."""
    return delete_in_steps(Report.objects.filter(reported_at__lt=before))


def _once(
    program: str, kind: ReportKind, report_id: str, content: object, write: Callable[[], Answer]
) -> Answer:
    """Return the answer of `write`, or the first answer where this was reported before. A simultaneous
    report of the same id waits for the first one."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    try:
        with transaction.atomic():
            report, is_new = Report.objects.get_or_create(
                program=program, kind=kind, report_id=report_id, defaults={"digest": digest}
            )
            if not is_new and report.digest != digest:
                raise Problem("id_used")
            if is_new:
                report.answer = write()
                report.save(update_fields=["answer"])
            answer: Answer = report.answer
            return answer
    except Rejected as rejected:
        raise problem_of(rejected) from rejected


def _check_owner(member: Member, order_id: str) -> None:
    earned = earned_with(member.program, order_id)
    # Entries stay with the card that earned, also when it was merged since.
    if earned and not cards_of(member).filter(pk=earned.member_id).exists():
        raise Problem("other_member")


def _lines(lines: tuple[OrderLine, ...]) -> list[list[object]]:
    return [[line.item_id, line.product_id, line.quantity, _amount(line.net)] for line in lines]


def _amount(amount: Decimal) -> str:
    """Return one text for 5, 5.0 and 5.00."""
    text = format(amount, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
