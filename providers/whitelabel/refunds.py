"""What becomes of a spend: an order confirms it, or its points are given back, at once or in parts.

Points are given back by an event of the tenant's refund type. A return that could not take its points,
because a spend had them, is owed: giving back that spend pays for it first, and the member gets the rest.
`owed` and `paid` stand in the row of the return, `withheld` in that of the refund.
"""

from providers.errors import Rejected, RejectReason, Unsupported
from providers.journal.booking import book_part, book_release, locked
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Made
from providers.journal.states import advance, note
from providers.journal.states import confirm as confirm_spend
from providers.types import Spend, SpendKind
from providers.whitelabel import settling, vouchers
from providers.whitelabel.engine import Engine, rejecting

# The kinds that take back what an order earned.
TAKING = (WriteKind.RETURN, WriteKind.CANCEL)


def confirm(engine: Engine, spend: Spend, order_id: str) -> None:
    """Note which order carried the code of the spend."""
    vouchers.see_burned(engine, spend)
    if not confirm_spend(engine.journal.row_of(spend), order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend does not stand")


def release(engine: Engine, spend: Spend) -> None:
    """Give back all points of `spend`; see `give_back`."""
    _need_points(spend)
    vouchers.see_burned(engine, spend)
    give_back(engine, spend)


def release_part(engine: Engine, spend: Spend, points: int, key: str) -> None:
    """Give back `points` of a spend that an order confirmed, once per `key`, in sum never more than it took.
    Raises Rejected(NOT_ALLOWED) for one that is not confirmed or was given back; else as `give_back`."""
    _need_points(spend)
    known = engine.journal.get(WriteKind.SPEND, spend.key)
    if known is None or not known.confirmed_at:
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend is not confirmed")
    with locked(known) as row:
        if row.state != WriteState.DONE or engine.journal.get(WriteKind.RELEASE, row.key):
            raise Rejected(RejectReason.NOT_ALLOWED, "the spend was given back")
        part = book_part(row, key, points)
        if part is None:  # the parts before took all
            return
        _withhold(engine, row, part)
    _send(engine, spend, part)


def give_back(engine: Engine, spend: Spend) -> None:
    """Give back the points of `spend` that are not given back yet. Done before is success. Raises Rejected,
    Unavailable (ask again), OutcomeUnknown (ask again: the row knows)."""
    with locked(engine.journal.row_of(spend)) as row:
        rest = book_release(row, spend.points)
        _withhold(engine, row, rest)
    _send(engine, spend, rest)
    if row.state == WriteState.DONE:
        advance(row, WriteState.DONE, WriteState.UNDONE)


def _need_points(spend: Spend) -> None:
    if spend.kind is SpendKind.VOUCHER:
        raise Unsupported("vouchers are final")


def _withhold(engine: Engine, spent: Write, refund: Write) -> None:
    """Let a new `refund` of this spend pay what the member's returns since the spend could not take. The row
    of the spend is locked meanwhile."""
    if refund.state != WriteState.PLANNED or "withheld" in refund.detail:
        return
    withheld = 0
    owing = engine.journal.writes(
        member_ref=spent.member_ref, kind__in=TAKING, detail__owed__gt=0, pk__gt=spent.pk
    )
    for taking in list(owing):
        with locked(taking) as row:
            owed = row.detail["owed"]
            paid = min(owed, max(refund.points or 0, 0) - withheld)
            note(row, detail={**row.detail, "owed": owed - paid, "paid": row.detail["paid"] + paid})
            withheld += paid
    note(refund, detail={**refund.detail, "withheld": withheld})


def _send(engine: Engine, spend: Spend, refund: Write) -> None:
    points = (refund.points or 0) - refund.detail.get("withheld", 0)
    if points <= 0:
        advance(refund, WriteState.PLANNED, WriteState.DONE)
        return
    kind, request = engine.settings.refund_type, f"refund-{refund.key}"
    payload = engine.names.payload(
        {
            "points_points": engine.settings.refund_sign * points,
            "points_cart": spend.key,
            "points_store": spend.memo.get("store", ""),
            "points_request": request,
        }
    )

    def send() -> Made:
        with rejecting(RejectReason.NOT_ALLOWED):
            event = settling.report(engine, kind, spend.member_ref, payload)
        return Made(ref=settling.event_id(event))

    deliver(
        refund,
        send,
        lambda: settling.find_request(engine, refund, kind, "points_request", request),
        engine.settled_after,
    )
