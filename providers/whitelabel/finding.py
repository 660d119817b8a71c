"""Did that spend happen? Answered by what the engine shows now and did not show before.

No time of the engine is compared with ours. `Report.shown_before` holds what the engine showed just before
the write; a points event carries our key. "It did not" is said in two cases only.

Either nothing was sent: the row is closed before it could be. Or the engine shows no trace, and no call can
be under way any more. Our own call ends after 10 s, and the gateway in front of the engine gives up within
30 s: QUIET_S is longer than both. The row is then closed, so that a late attempt is refused.
"""

from django.db import IntegrityError, transaction

from providers.errors import Rejected
from providers.types import Finding, Spend, SpendFinding, SpendIntent, SpendKind
from providers.whitelabel import catalogue, members, settling
from providers.whitelabel.engine import Engine
from providers.whitelabel.models import Report, ReportKind, ReportState
from providers.whitelabel.outbox import close_unsent, is_quiet, open_report, turn
from providers.whitelabel.refunds import find_request, refund_points
from providers.whitelabel.spending import (
    BENEFITS,
    POINTS,
    benefit_spend,
    owned_of_reward,
    points_spend,
)

CANNOT_TELL = SpendFinding(finding=Finding.CANNOT_TELL)


def find(engine: Engine, intent: SpendIntent) -> SpendFinding:
    """Return what became of `intent`. May be repeated. Raises Unavailable, AuthFailed, UnexpectedAnswer."""
    row, _created = open_report(engine, ReportKind.SPEND, intent.key, intent.member_ref)
    if row.state == ReportState.NEW:
        turn(row, [ReportState.NEW], ReportState.VOID)
    if row.state == ReportState.SENDING and row.shown_before is None:
        close_unsent(row)
    if row.state == ReportState.VOID:
        return SpendFinding(finding=Finding.DID_NOT)
    ways = {
        SpendKind.POINTS: _find_points,
        SpendKind.REWARD: _find_purchase,
        SpendKind.VOUCHER: _find_use,
    }
    found = ways[intent.kind](engine, intent, row)
    if found.finding is Finding.HAPPENED and found.spend and not _keep(row, found.spend):
        return CANNOT_TELL
    if found.finding is Finding.DID_NOT and not turn(row, [ReportState.SENDING], ReportState.VOID):
        return CANNOT_TELL
    return found


def _keep(row: Report, spend: Spend) -> bool:
    """Commit what was found; False when another spend of ours took the same benefit meanwhile."""
    try:
        with transaction.atomic():
            turn(
                row,
                [ReportState.SENDING],
                ReportState.DONE,
                vendor_ref=spend.provider_ref,
                points=spend.points,
            )
    except IntegrityError:
        return False
    return True


def _happened(spend: Spend) -> SpendFinding:
    return SpendFinding(finding=Finding.HAPPENED, spend=spend)


def _absent(row: Report, *, is_complete: bool) -> SpendFinding:
    """Nothing was found: certain only once nothing can come any more."""
    is_certain = is_complete and is_quiet(row) and row.state == ReportState.SENDING
    return SpendFinding(finding=Finding.DID_NOT) if is_certain else CANNOT_TELL


def _find_points(engine: Engine, intent: SpendIntent, row: Report) -> SpendFinding:
    if row.state == ReportState.DONE:
        return _happened(points_spend(intent, row.vendor_ref))
    kind = engine.settings.spend_type
    search = find_request(engine, row, kind, "points_request", intent.key)
    if not search.found:
        return _absent(row, is_complete=search.is_complete)
    spend = points_spend(intent, settling.event_id(search.found[0]))
    if _is_being_refunded(row):
        # It went below zero and is being given back, before anybody saw the code: bring that to its end.
        refund_points(engine, spend)
        return SpendFinding(finding=Finding.DID_NOT)
    return _happened(spend)


def _is_being_refunded(row: Report) -> bool:
    return Report.objects.filter(
        program=row.program, kind=ReportKind.REFUND, reference=row.reference
    ).exists()


def _find_purchase(engine: Engine, intent: SpendIntent, row: Report) -> SpendFinding:
    ref = intent.member_ref
    if row.vendor_ref:
        return _happened(benefit_spend(intent, catalogue.get_benefit(engine, ref, row.vendor_ref)))
    before = row.shown_before or {}
    # Judged before the lists are read: a purchase that comes in between shows in them.
    is_quiet_now = is_quiet(row)
    purse = members.wallet(engine, ref)
    owned = owned_of_reward(engine, ref, intent.item_id, purse)
    new = [each for each in owned if each not in before.get(BENEFITS, []) and not _is_of_another(row, each)]
    if len(new) == 1 and BENEFITS in before:
        return _happened(benefit_spend(intent, catalogue.get_benefit(engine, ref, new[0])))
    # Several: the member bought the same elsewhere at the same moment. Or none, and points are gone: perhaps
    # ours was bought, and used up at once. A person compares.
    if new or members.points_of(engine, purse) < before.get(POINTS, 0):
        return CANNOT_TELL
    return _absent(row, is_complete=is_quiet_now)


def _find_use(engine: Engine, intent: SpendIntent, row: Report) -> SpendFinding:
    if row.state == ReportState.SENDING and _is_of_another(row, intent.item_id):
        return _absent(row, is_complete=True)
    is_quiet_now = is_quiet(row)
    try:
        benefit = catalogue.get_benefit(engine, intent.member_ref, intent.item_id)
    except Rejected:
        return _absent(row, is_complete=is_quiet_now)
    has_code = bool(engine.names.text(benefit, "benefit_code"))
    # A voucher without a code is used by being redeemed; any other by being burned. Before, it was whole.
    step = "burnedAt" if has_code or not benefit.get("redeemedAt") else "redeemedAt"
    if benefit.get(step):
        return _happened(benefit_spend(intent, {**benefit, "burnedAt": "now"}))
    return _absent(row, is_complete=is_quiet_now)


def _is_of_another(row: Report, benefit_id: str) -> bool:
    """Return whether another spend of ours bought or used this benefit."""
    others = Report.objects.filter(program=row.program, kind=ReportKind.SPEND, vendor_ref=benefit_id)
    return others.exclude(pk=row.pk).exists()
