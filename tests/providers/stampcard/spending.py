"""Redemptions of stamps: made once, found again by our key, given back.

The journal (`providers.journal.spending`) commits a row before anything is sent, and judges the outcome. This
module says only how Stampcard is told, and how a redemption is recognised.
"""

from datetime import timedelta

from providers.answers import Json, needed_text, objects_in, text_of
from providers.errors import Rejected, RejectReason, Unsupported
from providers.journal import spending
from providers.journal.booking import book_release
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteState
from providers.journal.spending import Found, Made, SpendWay
from providers.journal.states import advance, note_if_open
from providers.outbound.exchange import segment
from providers.sales import Order, Spend, SpendFinding, SpendIntent, SpendKind
from tests.providers.stampcard.client import Client

# A call ends after 10 seconds, and Stampcard finishes what it began within a minute.
SETTLED_AFTER = timedelta(minutes=2)


class RedemptionWay(SpendWay):
    settled_after = SETTLED_AFTER

    def __init__(self, client: Client) -> None:
        self.client, self.journal = client, client.journal

    def plan(self, intent: SpendIntent) -> Json:
        if intent.kind is not SpendKind.REWARD:
            raise Unsupported("only rewards")
        return {}

    def before(self, write: Write, intent: SpendIntent) -> Json:
        return {}  # the redemption carries our key: nothing else is needed to find it

    def send(self, write: Write, intent: SpendIntent) -> Made:
        body = {"reward": intent.item_id, "stamps": intent.points, "reference": write.key}
        path = f"/customers/{segment(intent.member_ref)}/redemptions"
        return Made(ref=needed_text(self.client.send("POST", path, body, operation="redeem"), "id"))

    def look(self, write: Write, intent: SpendIntent) -> Found:
        path = f"/customers/{segment(intent.member_ref)}/redemptions"
        found = objects_in(self.client.get(path, operation="list_redemptions"), "redemptions")
        mine = [row for row in found if text_of(row, "reference") == write.key]
        return Found(made=tuple(Made(ref=needed_text(row, "id")) for row in mine))


def spend(client: Client, intent: SpendIntent) -> Spend:
    return spending.spend(RedemptionWay(client), intent)


def find_spend(client: Client, intent: SpendIntent) -> SpendFinding:
    return spending.find(RedemptionWay(client), intent)


def release(client: Client, spend: Spend) -> None:
    """Give the stamps back. Stampcard cancels a redemption once: `look` is not needed."""
    if spend.kind is not SpendKind.REWARD:
        raise Unsupported("only rewards")
    row = client.journal.row_of(spend)
    path = f"/redemptions/{segment(spend.provider_ref)}"

    def cancel() -> None:
        client.send("DELETE", path, None, operation="cancel_redemption")

    deliver(book_release(row, spend.points), cancel, None, SETTLED_AFTER)
    advance(row, WriteState.DONE, WriteState.UNDONE)


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """The stamps are gone since the tap: there is nothing to tell."""
    if not note_if_open(client.journal.row_of(spend), order_id=order.order_id):
        raise Rejected(RejectReason.NOT_ALLOWED, "the spend was given back")
