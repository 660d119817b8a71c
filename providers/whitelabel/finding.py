"""Did that spend happen? Answered from our row and the engine's own times and events.

"It did not" is said only when nothing was sent, or when what was sent can no longer be under way and the
engine shows no trace of it. The row is then closed, so that a late attempt is refused.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from providers.errors import Rejected
from providers.types import Finding, Spend, SpendFinding, SpendIntent, SpendKind
from providers.whitelabel import catalogue, settling
from providers.whitelabel.engine import Engine, Json, moment
from providers.whitelabel.models import Report, ReportKind, ReportState
from providers.whitelabel.outbox import SKEW_S, is_quiet, open_report, sent_at, turn
from providers.whitelabel.refunds import find_request, refund_points
from providers.whitelabel.spending import benefit_spend, points_spend

CANNOT_TELL = SpendFinding(finding=Finding.CANNOT_TELL)


def find(engine: Engine, intent: SpendIntent) -> SpendFinding:
    """Return what became of `intent`. May be repeated. Raises Unavailable, AuthFailed, UnexpectedAnswer."""
    row, _created = open_report(engine, ReportKind.SPEND, intent.key, intent.member_ref)
    if row.state == ReportState.NEW:
        turn(row, [ReportState.NEW], ReportState.VOID)
    if row.state == ReportState.VOID:
        return SpendFinding(finding=Finding.DID_NOT)
    ways = {
        SpendKind.POINTS: _find_points,
        SpendKind.REWARD: _find_purchase,
        SpendKind.VOUCHER: _find_use,
    }
    found = ways[intent.kind](engine, intent, row)
    if found.finding is Finding.HAPPENED and found.spend:
        turn(
            row,
            [ReportState.SENDING],
            ReportState.DONE,
            vendor_ref=found.spend.provider_ref,
            points=found.spend.points,
        )
    if found.finding is Finding.DID_NOT and not turn(row, [ReportState.SENDING], ReportState.VOID):
        return CANNOT_TELL
    return found


def _happened(spend: Spend) -> SpendFinding:
    return SpendFinding(finding=Finding.HAPPENED, spend=spend)


def _absent(row: Report, *, is_complete: bool) -> SpendFinding:
    """Nothing was found: certain only once nothing can come any more."""
    is_certain = is_complete and is_quiet(row) and row.state == ReportState.SENDING
    return SpendFinding(finding=Finding.DID_NOT) if is_certain else CANNOT_TELL


def _find_points(engine: Engine, intent: SpendIntent, row: Report) -> SpendFinding:
    if row.state == ReportState.DONE:
        return _happened(points_spend(intent, row.vendor_ref))
    kind = engine.settings["spend_type"]
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
    if row.vendor_ref:
        return _happened(
            benefit_spend(intent, catalogue.get_benefit(engine, intent.member_ref, row.vendor_ref))
        )
    sent = sent_at(row)
    bought = [
        benefit
        for benefit in catalogue.list_benefits(engine, intent.member_ref)
        if catalogue.reward_in(benefit).get("id") == intent.item_id
        and _since(benefit, "createdAt", sent - timedelta(seconds=SKEW_S))
    ]
    ours = [benefit for benefit in bought if _since(benefit, "createdAt", sent)]
    if len(ours) == 1:
        return _happened(benefit_spend(intent, ours[0]))
    if bought:
        # Two at once, or one just before ours by the engine's clock: a person compares.
        return CANNOT_TELL
    return _absent(row, is_complete=True)


def _find_use(engine: Engine, intent: SpendIntent, row: Report) -> SpendFinding:
    try:
        benefit = catalogue.get_benefit(engine, intent.member_ref, intent.item_id)
    except Rejected:
        return _absent(row, is_complete=True)
    has_code = bool(engine.names.text(benefit, "benefit_code"))
    # A voucher without a code is used by being redeemed; any other by being burned.
    step = "burnedAt" if has_code or not benefit.get("redeemedAt") else "redeemedAt"
    if not benefit.get(step):
        return _absent(row, is_complete=True)
    if _since(benefit, step, sent_at(row)):
        return _happened(benefit_spend(intent, {**benefit, "burnedAt": "now"}))
    if _since(benefit, step, sent_at(row) - timedelta(seconds=SKEW_S)):
        return CANNOT_TELL
    return _absent(row, is_complete=True)


def _since(benefit: Json, name: str, since: datetime) -> bool:
    at = moment(benefit.get(name))
    return at is not None and since <= at <= timezone.now() + timedelta(seconds=SKEW_S)
