"""How an administrator resolves a stuck redemption, after a look at the vendor's side."""

from enum import StrEnum

from django.db import transaction

from loyaltyview.redemptions import order_lookup
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.transitions import advance, mark_stuck
from loyaltyview.work import clock


class Question(StrEnum):
    """What only a person can answer about a stuck redemption."""

    SPEND = "spend"  # did the vendor take the points or use the voucher?
    RELEASE = "release"  # were they given back, or replaced by hand?
    CONFIRM = "confirm"  # does the vendor know that it was used?


def question_of(row: Redemption) -> Question:
    """Return the question about a stuck row, by the state it came from. Once an order has used its code, the
    question is not whether it was released, but whether the spend stands."""
    line = row.transitions.filter(to_state=State.STUCK).last()
    came_from = line.from_state if line else State.UNCERTAIN
    if came_from == State.RELEASING and not _is_used(row):
        return Question.RELEASE
    if came_from == State.USED:
        return Question.CONFIRM
    return Question.SPEND


def resolve(row: Redemption, asked: Question, *, it_happened: bool, actor: Actor, note: str = "") -> bool:
    """Move a stuck row to the state that the administrator's answer to `asked` means. Returns False when it
    is stuck no longer, or when the question is another one by now: the same answer could mean the opposite.

    The worker gives back a spend that stands, and one whose release did not happen. Where an order used it,
    the vendor is told of the order instead. The trail has every answer with the administrator's name.
    """
    with transaction.atomic():
        # An order may be tied to the row, or cancelled, at this moment, and that decides.
        locked = Redemption.objects.select_for_update().get(pk=row.pk)
        row.order_id, row.is_order_cancelled = locked.order_id, locked.is_order_cancelled
        question = question_of(row)
        if question is not asked:
            return False
        # A use that the vendor does not know of was spent all the same: the vendor is told once more.
        stands = question is Question.CONFIRM or it_happened != (question is Question.RELEASE)
        if stands and _is_used(row):
            # The vendor must still be told of the order, where we know the vendor's name of the spend.
            is_settled = (question is Question.CONFIRM and it_happened) or not row.provider_ref
            to = State.SETTLED if is_settled else State.USED
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
        mark_stuck(row, [State.USED], actor, reason, needs_lease=False)
    return is_resolved


def _is_used(row: Redemption) -> bool:
    return bool(row.order_id) and not row.is_order_cancelled
