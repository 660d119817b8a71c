"""Recovery: redemptions whose process died, whose outcome is unknown, or whose time has come.

The page that waits calls `carry_on`, the worker `run_one`.
"""

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction

from loyaltyview.redemptions import order_lookup
from loyaltyview.redemptions.commands import WORKER, Actor
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.release import give_back, release_held
from loyaltyview.redemptions.serialization import intent_of
from loyaltyview.redemptions.transitions import (
    mark_stuck,
    record_spend,
    refuse,
    release_at,
    reveal,
    take,
)
from loyaltyview.work import clock
from loyaltyview.work.claims import claim, finish, postpone
from providers.errors import ProviderError
from providers.sales import Finding, SpendFinding

log = structlog.get_logger(__name__)

UNREAD_FOR = timedelta(seconds=30)  # until the inbox is looked at again


def carry_on(redemption_id: UUID, actor: Actor) -> Redemption:
    """Ask the vendor for the outcome of an open redemption, reveal the code where the spend happened, and
    return the row. Called by the associate's page; may be repeated."""
    row = take(redemption_id, OPEN)
    if row:
        recover(row, actor)
    row = Redemption.objects.get(pk=redemption_id)
    if row.state == State.SPENT and not row.order_id:
        reveal(row, actor)
    return row


def run_one() -> bool:
    """Handle one due redemption; False when none is due. Called by the worker."""
    row = claim(Redemption.objects.all())
    if row is None:
        return False
    try:
        _handle(row)
    except Exception as error:
        # An adapter did not expect the vendor's answer. The error's text may hold anything.
        log.exception("redemption_failed", redemption=str(row.id))
        postpone(row, type(error).__name__)
    return True


def _handle(row: Redemption) -> None:
    if row.state in OPEN and row.attempts > settings.WORK_MAX_ATTEMPTS:
        mark_stuck(row, [State(row.state)], WORKER, f"outcome unknown: {row.last_error}")
    elif row.state in OPEN:
        recover(row, WORKER)
    elif row.state in (State.SPENT, State.REVEALED):
        _release_unused(row)
    elif row.state == State.RELEASING and row.attempts > settings.WORK_MAX_ATTEMPTS:
        mark_stuck(row, [State.RELEASING], WORKER, f"cannot be given back: {row.last_error}")
    elif row.state == State.RELEASING:
        release_held(row, WORKER)
    else:
        finish(row)


def _release_unused(row: Redemption) -> None:
    """Give back what no order used in time, unless an event that came in time is not read yet."""
    codes = tuple(row.codes.values_list("code", flat=True))
    if order_lookup.has_unread(row.program, codes, release_at(row)):
        finish(row, due_at=clock.now() + UNREAD_FOR)
    else:
        give_back(row, WORKER, "no order carried the code in time")


def recover(row: Redemption, actor: Actor) -> None:
    """Find out how a row stands that we hold and whose process did not finish it, and move it there."""
    if row.state == State.REQUESTED:
        # The vendor was never asked, and the code was never shown. It expires by itself.
        refuse(row, Refusal.ABANDONED, State.REQUESTED, actor)
        return
    try:
        found = row.program.provider().find_spend(intent_of(row))
    except ProviderError as error:
        log.warning("find_spend_failed", redemption=str(row.id), detail=error.detail)
        found = SpendFinding(finding=Finding.CANNOT_TELL)
        problem = f"{type(error).__name__}: {error.detail}"
    else:
        problem = "the program cannot tell yet"
    with transaction.atomic():
        # An order may have been tied to the row while the vendor was asked.
        row.order_id = (
            Redemption.objects.select_for_update().values_list("order_id", flat=True).get(pk=row.pk)
        )
        _decide(row, found, actor, problem)


def _decide(row: Redemption, found: SpendFinding, actor: Actor, problem: str) -> None:
    if found.finding is Finding.HAPPENED and found.spend:
        # A late order waits for the outcome: its handler confirms. Otherwise the code can still be shown.
        to = State.USED if row.order_id else State.SPENT
        record_spend(row, found.spend, to, actor, reason="the program confirms it")
    elif found.finding is Finding.DID_NOT and row.order_id:
        mark_stuck(row, [State.UNCERTAIN], actor, "an order used the code, and the spend did not happen")
    elif found.finding is Finding.DID_NOT:
        refuse(row, Refusal.NOT_SPENT, State.UNCERTAIN, actor)
    elif clock.now() > _uncertain_since(row) + timedelta(minutes=settings.UNCERTAIN_MINUTES):
        mark_stuck(row, [State.UNCERTAIN], actor, f"outcome unknown: {problem}")
    else:
        postpone(row, problem)


def _uncertain_since(row: Redemption) -> datetime:
    """Return when the spend with the unknown outcome was made. That of a late order is newer than the tap."""
    asked = row.transitions.filter(to_state=State.UNCERTAIN).exclude(from_state=State.UNCERTAIN)
    return asked.values_list("at", flat=True).last() or row.requested_at
