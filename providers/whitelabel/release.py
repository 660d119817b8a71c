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
from providers.journal.states import advance, note, undo
from providers.journal.states import confirm as confirm_spend
from providers.sales import Spend, SpendKind
from providers.whitelabel import events, vouchers
from providers.whitelabel.client import Client, rejecting

# What the memo of a spend says of its benefit, as `burned`.
BURNED, OPEN = "yes", "no"
OFFER = "offer"  # in the memo of an always-on offer
# The kinds that take back what an order earned.
TAKING = (WriteKind.RETURN, WriteKind.CANCEL)


def confirm(client: Client, spend: Spend, order_id: str) -> None:
    """Note which order carried the code of the spend."""
    _see_burned(client, spend)
    row = client.journal.row_of(spend)
    if row.state == WriteState.SENT:  # a person has decided what the engine does not show
        ref = spend.provider_ref or row.vendor_ref
        advance(row, WriteState.SENT, WriteState.DONE, vendor_ref=ref, points=spend.points)
    if not confirm_spend(row, order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend does not stand")


def release(client: Client, spend: Spend) -> None:
    """Give back all points of `spend`; see `give_back`. An offer is only noted."""
    if spend.kind is SpendKind.OFFER:
        undo(client.journal.row_of(spend))
        return
    _need_points(spend)
    _see_burned(client, spend)
    give_back(client, spend)


def release_part(client: Client, spend: Spend, points: int, key: str) -> None:
    """Give back `points` of a spend that an order confirmed, once per `key`, in sum never more than it took.
    Raises Rejected(NOT_ALLOWED) for one that is not confirmed or was given back; else as `give_back`."""
    _need_points(spend)
    known = client.journal.get(WriteKind.SPEND, spend.key)
    if known is None or not known.confirmed_at:
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend is not confirmed")
    with locked(known) as row:
        if row.state != WriteState.DONE or client.journal.get(WriteKind.RELEASE, row.key):
            raise Rejected(RejectReason.NOT_ALLOWED, "the spend was given back")
        part = book_part(row, key, points)
        if part is None:  # the parts before took all
            return
        _withhold(client, row, part)
    _send(client, spend, part)


def give_back(client: Client, spend: Spend) -> None:
    """Give back the points of `spend` that are not given back yet. Done before is success. Raises Rejected,
    Unavailable (ask again), OutcomeUnknown (ask again: the row knows)."""
    with locked(client.journal.row_of(spend)) as row:
        rest = book_release(row, spend.points)
        _withhold(client, row, rest)
    _send(client, spend, rest)
    if row.state == WriteState.DONE:
        advance(row, WriteState.DONE, WriteState.UNDONE)


def given_back(refund: Write) -> int:
    """Return how many points the member got by a refund that was sent."""
    withheld: int = refund.detail.get("withheld", 0)
    return max((refund.points or 0) - withheld, 0)


def _need_points(spend: Spend) -> None:
    if spend.kind in (SpendKind.VOUCHER, SpendKind.OFFER):
        raise Unsupported("vouchers are final, and offers take no points")


def _see_burned(client: Client, spend: Spend) -> None:
    """Burn a bought reward whose burning failed: else its worth could be used again."""
    if spend.kind is not SpendKind.REWARD or spend.memo.get("burned") == BURNED:
        return
    benefit = vouchers.get_benefit(client, spend.member_ref, spend.provider_ref)
    if benefit.get("burnedAt"):
        return
    redeemed = vouchers.redeem(client, spend.member_ref, benefit)
    try:
        vouchers.burn(client, spend.member_ref, redeemed, spend.memo.get("store", ""), None)
    except Rejected as error:
        if error.reason is not RejectReason.ALREADY_USED:
            raise


def _withhold(client: Client, spent: Write, refund: Write) -> None:
    """Let a new `refund` of this spend pay what the member's returns since the spend could not take. The row
    of the spend is locked meanwhile."""
    if refund.state != WriteState.PLANNED or "withheld" in refund.detail:
        return
    withheld = 0
    owing = client.journal.writes(
        member_ref=spent.member_ref, kind__in=TAKING, detail__owed__gt=0, pk__gt=spent.pk
    )
    for taking in list(owing):
        with locked(taking) as row:
            owed = row.detail["owed"]
            paid = min(owed, max(refund.points or 0, 0) - withheld)
            note(row, detail={**row.detail, "owed": owed - paid, "paid": row.detail["paid"] + paid})
            withheld += paid
    note(refund, detail={**refund.detail, "withheld": withheld})


def _send(client: Client, spend: Spend, refund: Write) -> None:
    points = given_back(refund)
    if not points:
        advance(refund, WriteState.PLANNED, WriteState.DONE)
        return
    kind, request = client.settings.refund_type, f"refund-{refund.key}"
    payload = client.names.payload(
        {
            "points_points": client.settings.refund_sign * points,
            "points_cart": spend.key,
            "points_store": spend.memo.get("store", ""),
            "points_request": request,
        }
    )

    def send() -> Made:
        with rejecting(RejectReason.NOT_ALLOWED):
            event = events.report(client, kind, spend.member_ref, payload)
        return Made(ref=events.event_id(event))

    deliver(
        refund,
        send,
        lambda: events.find_request(client, refund, kind, "points_request", request),
        client.settled_after,
    )
