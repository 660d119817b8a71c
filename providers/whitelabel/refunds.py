"""Points given back: an event of the tenant's refund type, once per spend."""

from datetime import timedelta

from providers.errors import Rejected, RejectReason
from providers.types import Spend
from providers.whitelabel import settling
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.models import Report, ReportKind
from providers.whitelabel.outbox import SKEW_S, deliver, open_report, sent_at


def refund_points(engine: Engine, spend: Spend) -> None:
    """Give the points of `spend` back. Done before is success. Raises Rejected, Unavailable (ask again),
    OutcomeUnknown (ask again: the row knows)."""
    if not spend.points:
        return
    row, _created = open_report(engine, ReportKind.REFUND, spend.key, spend.member_ref, points=spend.points)
    kind, request = engine.settings["refund_type"], f"refund-{spend.key}"
    payload = engine.names.payload(
        {
            "points_points": engine.settings["refund_sign"] * spend.points,
            "points_cart": spend.key,
            "points_store": spend.memo.get("store", ""),
            "points_request": request,
        }
    )

    def send() -> Json:
        return settling.report(engine, kind, spend.member_ref, payload)

    def look(known: Report) -> settling.Search:
        return find_request(engine, known, kind, "points_request", request)

    try:
        deliver(row, send, look)
    except Refused as refused:
        raise Rejected(RejectReason.NOT_ALLOWED, str(refused), text=refused.message) from refused


def find_request(engine: Engine, row: Report, kind: str, name: str, request: str) -> settling.Search:
    """Look for the event of `row` by the request id that its payload carries under the key `name`."""
    since = sent_at(row) - timedelta(seconds=SKEW_S)
    key = engine.names[name]
    return settling.search(
        engine, row.member_ref, kind, since, lambda event: settling.payload_of(event).get(key) == request
    )
