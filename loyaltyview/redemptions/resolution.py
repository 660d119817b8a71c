"""What an administrator decides about a stuck redemption, after looking at the vendor's side."""

from enum import StrEnum

from django.utils import timezone

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.requests import Actor
from loyaltyview.redemptions.steps import advance


class Question(StrEnum):
    """What nobody but a person can answer about a stuck redemption."""

    SPEND = "spend"  # did the vendor take the points or use the voucher?
    RELEASE = "release"  # were they given back, or replaced by hand?
    CONFIRM = "confirm"  # does the vendor know that it was used?


def question_of(row: Redemption) -> Question:
    """Return what is open about a stuck row: the state it came from tells."""
    line = row.transitions.filter(to_state=State.STUCK).last()
    came_from = line.from_state if line else State.UNCERTAIN
    if came_from == State.RELEASING:
        return Question.RELEASE
    if came_from == State.USED:
        return Question.CONFIRM
    return Question.SPEND


def resolve(row: Redemption, *, it_happened: bool, actor: Actor, note: str = "") -> bool:
    """Take a stuck row to where the administrator's answer puts it; False when it was stuck no longer.

    A spend that happened is given back by the worker unless an order used it. A release that did not
    happen is tried again. Every answer is in the audit trail with the administrator's name.
    """
    question = question_of(row)
    answer = "it happened" if it_happened else "it did not"
    reason = f"{question}: {answer}. {note}".strip()
    now = timezone.now()
    if question is Question.SPEND and it_happened:
        to = State.SETTLED if row.order_id else State.SPENT
        due_at = None if row.order_id else now
    elif question is Question.SPEND:
        to, due_at = State.REFUSED, None
    elif question is Question.RELEASE:
        to, due_at = (State.RELEASED, None) if it_happened else (State.RELEASING, now)
    else:
        to, due_at = (State.SETTLED, None) if it_happened else (State.RELEASED, None)
    refusal = Refusal.NOT_SPENT.value if to is State.REFUSED else row.refusal
    return advance(
        row, to, allowed=[State.STUCK], actor=actor, reason=reason,
        due_at=due_at, lease_until=None, attempts=0, last_error="", refusal=refusal,
    )  # fmt: skip
