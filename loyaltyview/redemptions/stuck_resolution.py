"""What an administrator decides about a stuck redemption, after looking at the vendor's side."""

from enum import StrEnum

from django.db import transaction

from loyaltyview.redemptions import order_lookup
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.transitions import advance
from loyaltyview.work import clock


class Question(StrEnum):
    """What nobody but a person can answer about a stuck redemption."""

    SPEND = "spend"  # did the vendor take the points or use the voucher?
    RELEASE = "release"  # were they given back, or replaced by hand?
    CONFIRM = "confirm"  # does the vendor know that it was used?


def question_of(row: Redemption) -> Question:
    """Return what is open about a stuck row: the state it came from tells. Once an order has used its code,
    nobody asks for a release any more: does the spend stand?"""
    line = row.transitions.filter(to_state=State.STUCK).last()
    came_from = line.from_state if line else State.UNCERTAIN
    if came_from == State.RELEASING and not _is_used(row):
        return Question.RELEASE
    if came_from == State.USED:
        return Question.CONFIRM
    return Question.SPEND


def resolve(row: Redemption, asked: Question, *, it_happened: bool, actor: Actor, note: str = "") -> bool:
    """Take a stuck row to where the administrator's answer to `asked` puts it; False when it was stuck no
    longer, or when something else is open about it by now: the same answer may then mean the opposite.

    A spend that stands is given back by the worker unless an order used it, of which the vendor is told then;
    so is one whose release did not happen. Every answer is in the audit trail with the administrator's name.
    """
    with transaction.atomic():
        # An order may be tied to it, or cancelled, at this very moment, and that decides.
        locked = Redemption.objects.select_for_update().get(pk=row.pk)
        row.order_id, row.is_order_cancelled = locked.order_id, locked.is_order_cancelled
        question = question_of(row)
        if question is not asked:
            return False
        # What the vendor does not know of was spent all the same: it is told once more.
        stands = question is Question.CONFIRM or it_happened != (question is Question.RELEASE)
        if stands and _is_used(row):
            # The vendor still has to be told of the order, if we know the spend by a name to tell it.
            is_told = (question is Question.CONFIRM and it_happened) or not row.provider_ref
            to = State.SETTLED if is_told else State.USED
        elif stands:
            to = State.RELEASING
        else:
            to = State.REFUSED if question is Question.SPEND else State.RELEASED
        answer = "it happened" if it_happened else "it did not"
        is_resolved = advance(
            row, to, allowed=[State.STUCK], actor=actor, reason=f"{question}: {answer}. {note}".strip(),
            due_at=clock.now() if to is State.RELEASING else None, lease_until=None, attempts=0,
            last_error="", refusal=Refusal.NOT_SPENT.value if to is State.REFUSED else row.refusal,
        )  # fmt: skip
    if is_resolved and to is State.USED and not order_lookup.read_again(row.program, row.order_id):
        reason = f"its order {row.order_id} is kept no longer: tell the program by hand that it was used"
        advance(row, State.STUCK, allowed=[State.USED], actor=actor, reason=reason, last_error=reason)
    return is_resolved


def _is_used(row: Redemption) -> bool:
    return bool(row.order_id) and not row.is_order_cancelled
