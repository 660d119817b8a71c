"""The one way to change a redemption's state: a conditional UPDATE together with its line in the trail."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model, Q

from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IN_CART, Redemption, State, Transition
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.states import missing_edge
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import insert, update
from providers.sales import Spend

log = structlog.get_logger(__name__)


class ForbiddenTransition(RuntimeError):
    """The code asked for a transition that is not on the map (`states.EDGES`)."""


def advance(
    row: Redemption,
    to: State,
    *,
    allowed: Iterable[State],
    actor: Actor,
    reason: str = "",
    via: Iterable[State] = (),
    needs_lease: bool = False,
    also: Sequence[Model] = (),
    **fields: Any,
) -> bool:
    """Move `row` to `to` if it still is in one of `allowed`. The lines of the trail and the new rows `also`
    are part of the same commit. The row passes through `via`, states in which there was nothing to wait for.

    With `needs_lease` we must still hold the row (same `lease_until`): a process that was taken for dead
    finds out here, and does nothing. `row` has the new values when it moved, and is read again when it did
    not. Returns whether it moved; the caller decides what a lost race means. A transition that is not on the
    map raises ForbiddenTransition with STRICT_STATES. Otherwise it is logged, and the row does not move.
    """
    path = (*via, to)
    states = [state.value for state in _on_the_map(row, allowed, path)]
    if not states:
        refresh(row)
        return False
    changes = {"state": to.value, **fields}
    if to not in IN_CART:
        changes["cart_slot"] = None  # the reward may be applied in this cart again
    where = {"id": row.pk, "state": states} | ({"lease_until": row.lease_until} if needs_lease else {})
    # With one state the update alone is the whole transaction. Within another's it has a savepoint, since a
    # constraint may refuse it.
    is_alone = len(states) == 1 and not connection.in_atomic_block
    with nullcontext() if is_alone else transaction.atomic():
        from_state = states[0]
        if len(states) > 1:
            # Locks the row on PostgreSQL, so that the trail names the state it really came from.
            locked = Redemption.objects.select_for_update().filter(pk=row.pk, state__in=states)
            from_state = locked.values_list("state", flat=True).first() or ""
        lines = _lines(row, [from_state, *(state.value for state in path)], actor, reason)
        moved = update(Redemption, where, changes, [*lines, *also]) == 1
    if moved:
        # Reading back what we wrote ourselves would take a third of the whole transition (measured).
        for name, value in changes.items():
            setattr(row, name, value)
    else:
        refresh(row)
    return moved


def _on_the_map(row: Redemption, allowed: Iterable[State], path: Sequence[State]) -> list[State]:
    """Return those of `allowed` from which every transition along `path` is on the map."""
    starts = []
    for start in allowed:
        missing = missing_edge(start, path)
        if missing is None:
            starts.append(start)
            continue
        wanted = f"{missing[0]} -> {missing[1]}"
        if settings.STRICT_STATES:
            raise ForbiddenTransition(f"redemption {row.pk}: {wanted}")
        log.error("forbidden_transition", redemption=str(row.pk), transition=wanted)
    return starts


def refresh(row: Redemption) -> None:
    """Read `row` again, but keep its program, which does not change meanwhile."""
    program = row.program
    row.refresh_from_db()
    row.program = program


def write_line(
    row: Redemption, from_state: str, to: State, actor: Actor, reason: str, at: datetime | None = None
) -> None:
    """Add one line to the trail, inside the transaction of the change that it records."""
    insert([_line(row, from_state, to.value, actor, reason, at or clock.now())])


def _lines(row: Redemption, path: Sequence[str], actor: Actor, reason: str) -> list[Transition]:
    """Return the lines of the transitions along `path`. The line of the request is written with the first
    transition after it: until then the row says the same, and all wait for the request's commit."""
    at = clock.now()
    lines = [_line(row, before, after, actor, reason, at) for before, after in pairwise(path)]
    if path[0] == State.REQUESTED:
        tapped_by = Actor(name=row.associate_id, store_id=row.store_id, device_id=row.device_id)
        lines.insert(0, _line(row, "", State.REQUESTED.value, tapped_by, "", row.requested_at))
    return lines


def _line(
    row: Redemption, from_state: str, to_state: str, actor: Actor, reason: str, at: datetime
) -> Transition:
    return Transition(
        redemption=row,
        at=at,
        from_state=from_state,
        to_state=to_state,
        actor=actor.name,
        store_id=actor.store_id,
        device_id=actor.device_id,
        reason=reason[:300],
    )


def take(redemption_id: UUID, states: Iterable[State], *, is_work: bool = True) -> Redemption | None:
    """Lease the row at once, due or not, when it is in one of `states` and no process holds it; else None.

    If this process dies, the worker takes the row when the lease has run out. With `is_work` False there is
    nothing for the worker to do, and the row stays due when it was.
    """
    now = clock.now()
    until = now + timedelta(seconds=settings.WORK_LEASE_S)
    due = {"due_at": until} if is_work else {}
    taken = Redemption.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=now),
        pk=redemption_id,
        state__in=[state.value for state in states],
    ).update(lease_until=until, **due)
    return Redemption.objects.get(pk=redemption_id) if taken else None


def reveal(row: Redemption, actor: Actor) -> bool:
    """SPENT -> REVEALED: from now on somebody may have seen the code."""
    return advance(row, State.REVEALED, allowed=[State.SPENT], actor=actor, due_at=release_at(row))


def record_spend(
    row: Redemption, spend: Spend, to: State, actor: Actor, *, via: Iterable[State] = (), reason: str = ""
) -> bool:
    """Take `row`, held by us in UNCERTAIN, to `to`: the vendor made this spend. Without an order it is given
    back in its time."""
    return advance(
        row, to, via=via, allowed=[State.UNCERTAIN], actor=actor, needs_lease=True, reason=reason,
        **spent_fields(spend), due_at=None if to is State.USED else release_at(row), lease_until=None,
        last_error="",
    )  # fmt: skip


def refuse(row: Redemption, refusal: Refusal, state: State, actor: Actor, text: str = "") -> bool:
    """Close `row`, held by us in `state`, as refused; `text` is what the other system says of it."""
    if refusal.may_have_spent:
        raise ValueError(f"{refusal} does not say that nothing was spent")
    return advance(
        row, State.REFUSED, allowed=[state], actor=actor, needs_lease=True, reason=refusal.value,
        refusal=refusal.value, refusal_text=text[:300], due_at=None, lease_until=None,
    )  # fmt: skip


def mark_stuck(
    row: Redemption,
    allowed: Iterable[State],
    actor: Actor,
    reason: str,
    *,
    needs_lease: bool = True,
    **fields: Any,
) -> bool:
    """Make `row` STUCK, if it still is in one of `allowed`: administrators find it on the worklist with
    `reason`."""
    moved = advance(
        row, State.STUCK, allowed=allowed, actor=actor, needs_lease=needs_lease, reason=reason,
        last_error=reason[:500], due_at=None, lease_until=None, **fields,
    )  # fmt: skip
    if moved:
        log.error("redemption_stuck", redemption=str(row.id), reason=reason)
    return moved


def spent_fields(spend: Spend) -> dict[str, Any]:
    """Return the columns that keep what the vendor answered."""
    return {
        "provider_ref": spend.provider_ref,
        "points": spend.points,
        "is_held": spend.is_held,
        "memo": dict(spend.memo),
    }


def release_at(row: Redemption) -> datetime:
    """Return when the spend of an unused code is given back."""
    return (row.code_expires_at or clock.now()) + _wait_for_orders()


def longest_unused() -> timedelta:
    """Return how long after its code was made an unused spend is given back."""
    return timedelta(minutes=settings.CODE_LIFE_MINUTES) + _wait_for_orders()


def _wait_for_orders() -> timedelta:
    """Return for how long after a code's end an order may still come: NewStore's promise, and a margin."""
    return timedelta(minutes=settings.EVENT_PROMISE_MINUTES + settings.RELEASE_MARGIN_MINUTES)
