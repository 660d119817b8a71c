"""Points given back: an event of the tenant's refund type, once per spend.

A return that could not take its points, because a spend had them, is owed: a refund of that spend pays for
it first, and gives back the rest.
"""

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from providers.errors import Rejected, RejectReason
from providers.types import Spend
from providers.whitelabel import settling
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.models import TAKING, Report, ReportKind, ReportState
from providers.whitelabel.outbox import age, deliver, turn


def refund_points(engine: Engine, spend: Spend) -> None:
    """Give back the points of `spend` that are not given back yet. Done before is success. Raises Rejected,
    Unavailable (ask again), OutcomeUnknown (ask again: the row knows)."""
    _refund(engine, spend, _plan(engine, spend, spend.key, spend.points))


def refund_part(engine: Engine, spend: Spend, points: int, key: str) -> None:
    """Give back `points` of a spend that an order confirmed, once per `key`, in sum never more than it
    took. Raises Rejected(NOT_ALLOWED) for one that is not confirmed or was given back; else as above."""
    known = _rows(engine, ReportKind.SPEND, spend.key).exclude(order_id="")
    if not known.exists() or _rows(engine, ReportKind.REFUND, spend.key).exists():
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend is not confirmed")
    _refund(engine, spend, _plan(engine, spend, f"{spend.key}:{key}", points))


def note_order(engine: Engine, spend: Spend, order_id: str) -> None:
    """Remember which order confirmed the spend."""
    _rows(engine, ReportKind.SPEND, spend.key).update(order_id=order_id)


def _rows(engine: Engine, kind: ReportKind, reference: str) -> "QuerySet[Report]":
    return Report.objects.filter(program=engine.config.program, kind=kind, reference=reference)


def _plan(engine: Engine, spend: Spend, reference: str, points: int) -> Report:
    """Return the row of this refund, its points fixed when it is first seen."""
    with transaction.atomic():
        spent = _rows(engine, ReportKind.SPEND, spend.key).select_for_update().first()
        if known := _rows(engine, ReportKind.REFUND, reference).first():
            return known
        parts = Report.objects.filter(
            program=engine.config.program, kind=ReportKind.REFUND, reference__startswith=f"{spend.key}:"
        )
        given = parts.aggregate(sum=Sum(F("points") + F("withheld")))["sum"] or 0
        back = max(min(points, spend.points - given), 0)
        withheld = _withhold(spent, back) if spent else 0
        return Report.objects.create(
            program=engine.config.program,
            kind=ReportKind.REFUND,
            reference=reference,
            member_ref=spend.member_ref,
            points=back - withheld,
            withheld=withheld,
        )


def _withhold(spent: Report, back: int) -> int:
    """Let the refund of this spend pay what the member's returns since the spend could not take; return how
    many of its `back` points that needs. Inside the transaction that writes the refund."""
    owing = Report.objects.filter(
        program=spent.program, member_ref=spent.member_ref, kind__in=TAKING, owed__gt=0, pk__gt=spent.pk
    )
    withheld = 0
    for row in owing.select_for_update().order_by("pk"):
        paid = min(row.owed, back - withheld)
        Report.objects.filter(pk=row.pk).update(owed=F("owed") - paid, paid=F("paid") + paid)
        withheld += paid
    return withheld


def _refund(engine: Engine, spend: Spend, row: Report) -> None:
    if not row.points:
        turn(row, [ReportState.NEW], ReportState.DONE)
        return
    kind, request = engine.settings.refund_type, f"refund-{row.reference}"
    payload = engine.names.payload(
        {
            "points_points": engine.settings.refund_sign * row.points,
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
    key = engine.names[name]
    return settling.search(
        engine, row.member_ref, kind, age(row), lambda event: settling.payload_of(event).get(key) == request
    )
