"""Antavo's transactions: a checkout by its id, pending until accepted; rejected or refunded to undo it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from providers.antavo.client import Client, of_member
from providers.antavo.fields import number, rows, text, whole
from providers.antavo.history import read_events
from providers.antavo.refusals import MEMBER_NOT_FOUND, TRANSACTION_USED, Refused, suppress_code
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)

ACCEPTED, PENDING, REJECTED, REFUNDED = "accepted", "pending", "rejected", "refunded"
UNDONE = (REJECTED, REFUNDED)
REFUNDS = ("refund", "partial_refund", "refund_item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    transaction_id: str
    status: str
    total: Decimal
    earned: int


def read(client: Client, ref: str, transaction_id: str) -> Transaction | None:
    """Return the member's transaction, None when there is none with this id."""
    try:
        answer = client.get(of_member(ref, "transactions", transaction_id), "get_transaction")
    except Refused as refused:
        # The customer has a number, the transaction only a sentence.
        if refused.status == 404 and refused.code != MEMBER_NOT_FOUND:
            return None
        raise
    data = answer.get("data") if isinstance(answer, dict) else None
    found = rows([data] if isinstance(data, dict) else data)
    if not found:
        # Only Antavo's own 404 says that there is none.
        raise UnexpectedAnswer("get_transaction: not a transaction")
    row = next((row for row in found if text(row.get("id")) == transaction_id), None)
    if row is None:
        return None
    return Transaction(
        transaction_id=transaction_id,
        status=text(row.get("status")).lower(),
        total=number(row.get("total")),
        earned=whole(row.get("earned")),
    )


def check_out(client: Client, ref: str, data: Mapping[str, Any]) -> Transaction:
    """Send a checkout and return what became of it, not accepted yet; one that was sent before is only read.
    Raise Rejected(NOT_ALLOWED) when another member has a transaction with this id, and OutcomeUnknown when it
    was sent and cannot be read."""
    with suppress_code(TRANSACTION_USED):
        client.event("checkout", ref, data)
    try:
        found = read(client, ref, data["transaction_id"])
    except (Unavailable, AuthFailed, Refused) as error:
        raise OutcomeUnknown("the checkout was sent and cannot be read") from error
    if found is None:
        raise Rejected(RejectReason.NOT_ALLOWED, "the transaction is another member's")
    return found


def accept(client: Client, ref: str, found: Transaction) -> Transaction:
    """Accept a pending transaction where the program's setting says that we accept it."""
    if found.status != PENDING or not client.settings.accepts_checkouts:
        return found
    return _turn(client, ref, found, "checkout_accept", (ACCEPTED,))


def undo(client: Client, ref: str, found: Transaction) -> Transaction:
    """Undo the whole transaction. Pending ones are rejected: a refund of them is refused."""
    if found.status == PENDING:
        return _turn(client, ref, found, "checkout_reject", UNDONE)
    if found.status == ACCEPTED:
        return _turn(client, ref, found, "refund", UNDONE)
    return found


def refunds_of(client: Client, ref: str, transaction_id: str) -> tuple[int, int]:
    """Return how many refunds the transaction had, and the points that they took (negative or 0)."""
    path = of_member(ref, "transactions", transaction_id, "events")
    found = [event for event in read_events(client, path, {"limit": 100}) if event.action in REFUNDS]
    return len(found), -sum(abs(event.points) for event in found)


def _turn(client: Client, ref: str, found: Transaction, action: str, wanted: tuple[str, ...]) -> Transaction:
    """Send `action`; a refusal is success where the transaction already is `wanted`."""
    refusal = None
    try:
        client.event(action, ref, {"transaction_id": found.transaction_id})
    except Refused as refused:
        refusal = refused
    now = read(client, ref, found.transaction_id) or found
    if refusal and now.status not in wanted:
        raise refusal
    return now
