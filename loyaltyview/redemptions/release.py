"""Giving back: an undo by the associate, a code that no order carried, a cancelled order.

RELEASING is committed before the vendor is asked. `LoyaltyProvider.release` may be repeated, so any process
that finds a row in that state continues.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.serialization import spend_of
from loyaltyview.redemptions.transitions import advance, mark_stuck, refresh, take
from loyaltyview.work import clock
from loyaltyview.work.claims import postpone
from providers.base import Capability, LoyaltyProvider
from providers.errors import ProviderError, Rejected, Unsupported
from providers.sales import SpendKind


def can_release(provider: LoyaltyProvider, kind: SpendKind) -> bool:
    """Return whether the vendor can take this kind of spend back. An offer spends nothing."""
    if kind is SpendKind.OFFER:
        return True
    needed = Capability.RELEASE_VOUCHER if kind is SpendKind.VOUCHER else Capability.RELEASE_POINTS
    return needed in provider.capabilities


def is_final(row: Redemption, provider: LoyaltyProvider) -> bool:
    """Return whether the spend of `row` stays spent: by the reward's own rule, or because the vendor cannot
    take its kind back."""
    return row.is_final or not can_release(provider, SpendKind(row.kind))


def is_undoable(row: Redemption) -> bool:
    """Return whether the associate may still give it back: until an order carries its code."""
    return row.state in (State.SPENT, State.REVEALED) and not row.order_id


def undo(redemption_id: UUID, actor: Actor) -> Redemption:
    """Give a spent or revealed redemption back. Returns it RELEASED, or RELEASING when the vendor is away
    (the worker continues). A row in another state, one that an order carries, and one that the vendor cannot
    take back are returned unchanged. May be repeated."""
    row = Redemption.objects.select_related("program").get(pk=redemption_id)
    if is_final(row, row.program.provider()):
        return row
    give_back(row, actor, "undone by the associate")
    return row


def give_back(
    row: Redemption,
    actor: Actor,
    reason: str,
    allowed: Iterable[State] = (State.SPENT, State.REVEALED),
) -> None:
    """Commit RELEASING and ask the vendor at once; the worker continues when that fails. In a race with an
    order exactly one of the two moves the row. A row that is RELEASING already is continued, a row in any
    other state stays. Afterwards `row` has its current values."""
    until = clock.now() + timedelta(seconds=settings.WORK_LEASE_S)
    held: Redemption | None = row
    if not advance(
        row, State.RELEASING, allowed=allowed, actor=actor, reason=reason,
        due_at=until, lease_until=until, attempts=0,
    ):  # fmt: skip
        held = take(row.pk, [State.RELEASING])
    if held:
        release_held(held, actor)
        refresh(row)


def release_held(row: Redemption, actor: Actor) -> None:
    """Ask the vendor to take back the spend of `row`, which we hold in RELEASING."""
    provider = row.program.provider()
    if is_final(row, provider):
        _keep_with_customer(row, provider, actor)
        return
    try:
        provider.release(spend_of(row))
    except (Rejected, Unsupported) as error:
        mark_stuck(row, [State.RELEASING], actor, f"the program refuses to take it back: {error.detail}")
    except ProviderError as error:
        postpone(row, f"{type(error).__name__}: {error.detail}")
        refresh(row)
    else:
        advance(
            row, State.RELEASED, allowed=[State.RELEASING], actor=actor, needs_lease=True,
            due_at=None, lease_until=None, last_error="",
        )  # fmt: skip


def _keep_with_customer(row: Redemption, provider: LoyaltyProvider, actor: Actor) -> None:
    """Close `row`, whose spend stays spent: the customer keeps what it bought, or a person replaces it."""
    try:
        is_kept = provider.keep_with_customer(spend_of(row))
    except ProviderError as error:
        postpone(row, f"{type(error).__name__}: {error.detail}")
        refresh(row)
        return
    if is_kept:
        advance(
            row, State.RELEASED, allowed=[State.RELEASING], actor=actor, needs_lease=True,
            reason="the customer keeps what was bought", due_at=None, lease_until=None, last_error="",
        )  # fmt: skip
    else:
        reason = "the program cannot take this back: the customer is owed a replacement"
        mark_stuck(row, [State.RELEASING], actor, reason)
