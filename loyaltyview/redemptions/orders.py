"""What orders do to redemptions: use, settle, give back. The event handlers call it.

An order proves that the customer got the discount, so its spend must stand. A redemption that was given back
before its order came is spent again, or becomes STUCK.
"""

from collections.abc import Iterable, Iterator

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.code_deactivation import unqueue
from loyaltyview.redemptions.codes import with_codes
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.refusals import vendor_refusal
from loyaltyview.redemptions.release import give_back
from loyaltyview.redemptions.serialization import intent_of, spend_of
from loyaltyview.redemptions.transitions import (
    advance,
    mark_stuck,
    record_spend,
    refresh,
    release_at,
    take,
    write_line,
)
from loyaltyview.work.claims import finish, postpone
from loyaltyview.work.plain_sql import select
from providers.errors import ProviderError, Rejected, Unavailable, Unsupported
from providers.sales import Order, Spend

log = structlog.get_logger(__name__)

USABLE = (State.SPENT, State.REVEALED)
UNDER_WAY = (*OPEN, State.RELEASING, State.RELEASED)


def use_codes(
    program: Program,
    *,
    order_id: str,
    codes: tuple[str, ...],
    earlier: frozenset[str] = frozenset(),
    later: frozenset[str] = frozenset(),
) -> tuple[Spend, ...]:
    """Tie the redemptions of `codes` to the order that carries them, and return all spends of the order.
    Codes that are not ours are ignored. Called once per event; database only; may be repeated.

    An exchange repeats the codes of the order whose goods came back, which is no second use: `earlier` are
    the orders that this one replaces, `later` those that replaced this one.
    """
    actor = order_actor(order_id)
    for row in _with_program(program, with_codes(program, codes)):
        if row.order_id and row.order_id in earlier:
            continue
        if row.order_id and row.order_id in later:
            _move(row, order_id, actor)
        _use(row, order_id, actor)
    return spends_of_order(program, order_id=order_id)


def spends_of_order(program: Program, *, order_id: str) -> tuple[Spend, ...]:
    """Return all spends that were used in the order."""
    used = [State.USED.value, State.SETTLED.value]
    return tuple(spend_of(row) for row in _of_order(program, order_id).filter(state__in=used))


def detach_dropped_codes(program: Program, *, order_id: str, codes: tuple[str, ...]) -> None:
    """The order is final with these codes. A redemption that an earlier version of the order had used is not
    used: its code can be applied again, or is given back in its time. Database only; may be repeated."""
    actor, reason = order_actor(order_id), "taken out of the order before it was final"
    kept = with_codes(program, codes).values("pk")
    rows = _of_order(program, order_id).filter(is_order_cancelled=False).exclude(pk__in=kept)
    for row in _with_program(program, rows):
        with transaction.atomic():
            if advance(
                row, State.REVEALED, allowed=[State.USED], actor=actor, reason=reason, order_id="",
                due_at=release_at(row),
            ):  # fmt: skip
                unqueue(row)
                continue
        with transaction.atomic():
            if Redemption.objects.filter(
                pk=row.pk, order_id=order_id, state__in=[*UNDER_WAY, State.STUCK]
            ).update(order_id=""):
                write_line(row, row.state, State(row.state), actor, reason)


def has_spends(program: Program, order_id: str) -> bool:
    """Return whether any redemption is tied to this order."""
    return bool(_one_of_order(program, order_id))


def member_of_order(program: Program, order_id: str) -> str:
    """Return the member_ref whose redemption was used in this order, "" without one."""
    return next((row.member_ref for row in _one_of_order(program, order_id)), "")


def settle(program: Program, order: Order) -> None:
    """Tell the vendor that the order's redemptions were used. Raises ProviderError while one of them has not
    ended, so that the caller tries again; may be repeated."""
    actor = order_actor(order.order_id)
    rows = _of_order(program, order.order_id).filter(is_order_cancelled=False)
    for row in _with_program(program, rows):
        if row.state in USABLE:
            _mark_used(row, order.order_id, actor)
        if row.state == State.RELEASED:
            _spend_again(row, actor)
        if row.state == State.REFUSED:
            _ask_about_refused(row, order.order_id, actor)
        if row.state == State.USED:
            _confirm(row, order, actor)
        if row.state in UNDER_WAY:
            raise Unavailable(f"redemption {row.id} is {row.state}")


def give_back_order(program: Program, *, order_id: str) -> None:
    """Release the redemptions of a cancelled order. Raises Unavailable while one is under way; may be
    repeated. A spend that the vendor cannot take back becomes STUCK."""
    rows = _with_program(program, _of_order(program, order_id))
    give_back_rows(rows, order_id, "the order was cancelled")


def give_back_rows(rows: Iterable[Redemption], order_id: str, reason: str) -> None:
    """Release these redemptions of an order that was cancelled, or whose goods came back. Raises and may be
    repeated like `give_back_order`."""
    rows, actor = list(rows), order_actor(order_id)
    # From here on `settle` spends none of them again, however late a repeated event comes.
    Redemption.objects.filter(pk__in=[row.pk for row in rows]).update(is_order_cancelled=True)
    for row in rows:
        give_back(row, actor, reason, allowed=(*USABLE, State.USED, State.SETTLED))
        if row.state in (*OPEN, State.RELEASING):
            raise Unavailable(f"redemption {row.id} is {row.state}")


def order_actor(order_id: str) -> Actor:
    """Return who acts in the trail where an order does."""
    return Actor(name=f"order {order_id}")


def _one_of_order(program: Program, order_id: str) -> list[Redemption]:
    return select(Redemption, {"program": program.pk, "order_id": order_id}, order_by="order_id", limit=1)


def _of_order(program: Program, order_id: str) -> QuerySet[Redemption]:
    # Sorted by their time, SQLite would read all rows of the program.
    return Redemption.objects.filter(program=program, order_id=order_id).order_by("order_id")


def _with_program(program: Program, rows: Iterable[Redemption]) -> Iterator[Redemption]:
    """Give the rows their program: to read it for each would decrypt its secrets each time."""
    for row in rows:
        row.program = program
        yield row


def _use(row: Redemption, order_id: str, actor: Actor) -> None:
    if row.order_id and row.order_id != order_id:
        # The till allows each code once. An alarm must show it if that fails.
        log.error("code_in_two_orders", redemption=str(row.id), first=row.order_id, second=order_id)
    elif row.state in USABLE and _mark_used(row, order_id, actor):
        return
    elif row.state == State.REFUSED:
        _ask_about_refused(row, order_id, actor)
    elif not row.order_id:
        _tie(row, order_id, actor)


def _mark_used(row: Redemption, order_id: str, actor: Actor) -> bool:
    # A failure reads the row again: its code may have been shown at this moment.
    while row.state in USABLE:
        if advance(
            row, State.USED, allowed=[State(row.state)], actor=actor, order_id=order_id, due_at=None,
            lease_until=None,
        ):  # fmt: skip
            return True
    return False


def _ask_about_refused(row: Redemption, order_id: str, actor: Actor) -> None:
    """Nothing was spent, but the code is in an order: a person decides, once."""
    line = row.transitions.last()
    if line and line.from_state == State.STUCK:
        return
    reason = "an order carried a code that was never shown"
    mark_stuck(row, [State.REFUSED], actor, reason, needs_lease=False, order_id=order_id)


def _tie(row: Redemption, order_id: str, actor: Actor) -> None:
    """Note the order of a redemption that is being given back, was given back, or has no known outcome yet.
    `settle` spends again, or waits for the outcome."""
    with transaction.atomic():
        if Redemption.objects.filter(pk=row.pk, order_id="").update(order_id=order_id):
            refresh(row)
            # The outcome may have become known meanwhile.
            if row.state not in USABLE or not _mark_used(row, order_id, actor):
                write_line(row, row.state, State(row.state), actor, "an order carries the code")


def _move(row: Redemption, order_id: str, actor: Actor) -> None:
    """Move `row` to the order that it was used in: the event of its exchange came first."""
    with transaction.atomic():
        if Redemption.objects.filter(pk=row.pk, order_id=row.order_id).update(
            order_id=order_id, is_order_cancelled=False
        ):
            reason = f"used in {order_id} before it was exchanged for {row.order_id}"
            write_line(row, row.state, State(row.state), actor, reason)
    refresh(row)


def _spend_again(row: Redemption, actor: Actor) -> None:
    """Spend once more: the code was used after we had given the spend back, and the discount is real."""
    taken = take(row.pk, [State.RELEASED])
    if taken is None:
        refresh(row)
        return
    try:
        started = advance(
            taken, State.UNCERTAIN, allowed=[State.RELEASED], actor=actor, needs_lease=True,
            reason="late order: spent again", spend_number=taken.spend_number + 1,
            provider_ref="", is_held=False, memo={},
        )  # fmt: skip
    except IntegrityError as error:
        finish(taken)
        raise Unavailable("another spend of this member is under way") from error
    if started:
        _call_spend(taken, actor)
    refresh(row)


def _call_spend(row: Redemption, actor: Actor) -> None:
    try:
        spend = row.program.provider().spend(intent_of(row))
    except Unavailable:
        advance(
            row, State.RELEASED, allowed=[State.UNCERTAIN], actor=actor, needs_lease=True,
            reason="late order: the program cannot be reached", due_at=None, lease_until=None,
        )  # fmt: skip
        raise
    except ProviderError as error:
        if vendor_refusal(error).may_have_spent:
            postpone(row, f"{type(error).__name__}: {error.detail}")
        else:
            reason = f"late order: the program refuses to spend again: {error.detail}"
            mark_stuck(row, [State.UNCERTAIN], actor, reason)
    else:
        record_spend(row, spend, State.USED, actor)


def _confirm(row: Redemption, order: Order, actor: Actor) -> None:
    try:
        row.program.provider().confirm(spend_of(row), order)
    except (Rejected, Unsupported) as error:
        reason = f"the program refuses to confirm: {error.detail}"
        mark_stuck(row, [State.USED], actor, reason, needs_lease=False)
    else:
        advance(row, State.SETTLED, allowed=[State.USED], actor=actor)
