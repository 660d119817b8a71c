"""The one way a redemption changes state: a conditional UPDATE together with its line in the trail."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q

from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IN_CART, Redemption, State, Transition
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.states import missing_edge
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import insert, update
from providers.types import Spend

log = structlog.get_logger(__name__)


class ForbiddenStep(RuntimeError):
    """The code asked for a step that is not on the map (`states.EDGES`)."""


def advance(
    row: Redemption,
    to: State,
    *,
    allowed: Iterable[State],
    actor: Actor,
    reason: str = "",
    via: Iterable[State] = (),
    needs_lease: bool = False,
    also: Callable[[], object] | None = None,
    **fields: Any,
) -> bool:
    """Move `row` to `to` if it still is in one of `allowed`, and write the audit line, in one commit, and
    whatever `also` writes. It passes through `via`, states in which there was nothing to wait for.

    With `needs_lease` the row must also still be held by us (same `lease_until`): a process that was
    thought dead and taken over finds out here and does nothing. `row` has the new values when it moved,
    and is read again when it did not. Returns whether it moved; the caller decides what losing the race
    means. A step that is not on the map raises ForbiddenStep with STRICT_STATES; otherwise it is logged, and
    the row does not move.
    """
    path = (*via, to)
    states = [state.value for state in _on_the_map(row, allowed, path)]
    if not states:
        refresh(row)
        return False
    changes = {"state": to.value, **fields}
    if to not in IN_CART:
        changes["cart_slot"] = None  # the reward may be applied in this cart again
    with transaction.atomic():
        if len(states) == 1:
            from_state = states[0]
        else:
            # Locks the row on PostgreSQL, so that the trail names the state it really came from.
            locked = Redemption.objects.select_for_update().filter(pk=row.pk, state__in=states)
            from_state = locked.values_list("state", flat=True).first() or ""
        where = {"id": row.pk, "state": states} | ({"lease_until": row.lease_until} if needs_lease else {})
        moved = update(Redemption, where, changes) == 1
        if moved:
            insert(_lines(row, [from_state, *(state.value for state in path)], actor, reason))
            if also:
                also()
    if moved:
        # Reading back what we wrote ourselves was measured at a third of the whole step.
        for name, value in changes.items():
            setattr(row, name, value)
    else:
        refresh(row)
    return moved


def _on_the_map(row: Redemption, allowed: Iterable[State], path: Sequence[State]) -> list[State]:
    """Return those of `allowed` from which every step along `path` is on the map."""
    starts = []
    for start in allowed:
        missing = missing_edge(start, path)
        if missing is None:
            starts.append(start)
            continue
        step = f"{missing[0]} -> {missing[1]}"
        if settings.STRICT_STATES:
            raise ForbiddenStep(f"redemption {row.pk}: {step}")
        log.error("forbidden_step", redemption=str(row.pk), step=step)
    return starts


def refresh(row: Redemption) -> None:
    """Read `row` again, but keep its program: that does not change within a step."""
    program = row.program
    row.refresh_from_db()
    row.program = program


def write_line(
    row: Redemption, from_state: str, to: State, actor: Actor, reason: str, at: datetime | None = None
) -> None:
    """Add one line to the audit trail; inside the transaction of the change it tells of."""
    insert([_line(row, from_state, to.value, actor, reason, at or clock.now())])


def _lines(row: Redemption, path: Sequence[str], actor: Actor, reason: str) -> list[Transition]:
    """Return the lines of the steps along `path`. The request's own is written with the first step after it:
    until then the row says the same, and its commit is the one that everything waits for."""
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
    """Lease the row at once, due or not, when it is in one of `states` and nobody holds it; else None.

    Should we die, the worker takes it up when the lease has run out. Where there is nothing to be taken up
    (`is_work` is False), the row stays due when it was.
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
    """SPENT -> REVEALED: from here on somebody may have seen the code."""
    return advance(row, State.REVEALED, allowed=[State.SPENT], actor=actor, due_at=release_at(row))


def refuse(row: Redemption, refusal: Refusal, state: State, actor: Actor, text: str = "") -> bool:
    """Close `row`, held by us in `state`, as refused; `text` is what the other system says of it."""
    if refusal.may_have_spent:
        raise ValueError(f"{refusal} does not say that nothing was spent")
    return advance(
        row, State.REFUSED, allowed=[state], actor=actor, needs_lease=True, reason=refusal.value,
        refusal=refusal.value, refusal_text=text[:300], due_at=None, lease_until=None,
    )  # fmt: skip


def to_stuck(row: Redemption, state: State, actor: Actor, reason: str) -> bool:
    """Hand `row`, held by us in `state`, to a person: it appears on the worklist with `reason`."""
    log.error("redemption_stuck", redemption=str(row.id), reason=reason)
    return advance(
        row, State.STUCK, allowed=[state], actor=actor, needs_lease=True, reason=reason,
        last_error=reason[:500], due_at=None, lease_until=None,
    )  # fmt: skip


def spent_fields(spend: Spend) -> dict[str, Any]:
    """Return the columns that keep what the vendor answered."""
    return {
        "provider_ref": spend.provider_ref,
        "points": spend.points,
        "is_held": spend.is_held,
        "memo": dict(spend.memo),
    }


def release_at(row: Redemption) -> datetime:
    """Return when an unused code is given back: its life, NewStore's delivery promise, and a margin."""
    ends_at = row.code_expires_at or clock.now()
    return ends_at + timedelta(minutes=settings.EVENT_PROMISE_MINUTES + settings.RELEASE_MARGIN_MINUTES)


def ask_again_at() -> datetime:
    """Return when the worker first asks about an unknown outcome; the page asks by itself."""
    return clock.now() + timedelta(seconds=2)
