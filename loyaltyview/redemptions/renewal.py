"""Renewal: an expired code gets a new one under the same spend, without new points."""

from uuid import UUID

import structlog
from django.db import transaction

from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.refusals import Refusal, mint_refusal
from loyaltyview.redemptions.saga import mint
from loyaltyview.redemptions.transitions import advance, refresh, release_at, take
from loyaltyview.work import clock
from loyaltyview.work.claims import finish

log = structlog.get_logger(__name__)

RENEWABLE = (State.SPENT, State.REVEALED)


def renew(redemption_id: UUID, actor: Actor) -> tuple[Redemption, Refusal | None]:
    """Give a spent redemption without an order a new code when its own has expired.

    Returns the row, and why there is no new code (None when there is one, or none was needed). An order that
    carries the old code still counts. May be repeated.
    """
    # No work for the worker: it would give the spend back, and an order may still come.
    row = take(redemption_id, RENEWABLE, is_work=False)
    if row is None:
        return Redemption.objects.get(pk=redemption_id), None
    if row.order_id or (row.code_expires_at and row.code_expires_at > clock.now()):
        finish(row, due_at=release_at(row))
        refresh(row)
        return row, None
    try:
        minted = mint(row)
    except NewStoreError as error:
        log.warning("renewal_failed", redemption=str(row.id), detail=error.detail)
        finish(row, due_at=release_at(row))
        refresh(row)
        return row, mint_refusal(error)
    with transaction.atomic():
        moved = advance(
            row, State.REVEALED, allowed=RENEWABLE, actor=actor, needs_lease=True, reason="code renewed",
            code=minted.code, code_expires_at=minted.expires_at, lease_until=None,
        )  # fmt: skip
        if moved:
            IssuedCode.objects.create(
                program=row.program, redemption=row, code=minted.code, issued_at=clock.now()
            )
            Redemption.objects.filter(pk=row.pk).update(due_at=release_at(row))
    refresh(row)
    return row, None
