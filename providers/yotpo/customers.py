"""Yotpo's customer record: fetched by exactly one identifier, and its history of points.

Source: loyaltyapi.yotpo.com/reference/fetch-customer-details (read 2026-11-24). There is no list of the
codes a customer has not used: a redemption appears in the history, where `status` is the code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from providers.answers import moment, object_in, rows, text_of, whole_of
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.exchange import Call
from providers.yotpo.client import Client, is_ok
from providers.yotpo.refs import BY_ID, hinted_ref, identity_of

# A status that is one of these words or a share of many steps is no code.
PENDING, REVERSED = "pending", "reversed"
STATUS_WORDS = frozenset({"", "approved", PENDING, REVERSED, "declined", "expired", "rejected"})
SHARE = re.compile(r"\d+(\.\d+)?\s*%")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """One line. `code` is set for a redemption; `points` is signed. The balance has no points of a pending
    line."""

    at: datetime | None
    title: str
    points: int
    code: str
    is_pending: bool = False
    is_reversed: bool = False


def fetch(
    client: Client, identity: Mapping[str, str], *, with_history: bool = False
) -> dict[str, Any] | None:
    """Return the record that Yotpo has for one identifier, None where it has none."""
    params = {**identity, "with_history": "true"} if with_history else dict(identity)
    answer = client.get("/customers", operation="get_customer", params=params)
    # 400 has been seen for shoppers without a loyalty profile, 422 for what is no identifier at all.
    if answer.status in (400, 404, 422):
        return None
    if not is_ok(answer):
        raise client.refusal(answer)
    record = object_in(answer.json(), "customer")
    # A newer endpoint wraps the record.
    record = object_in(record["customers"], "customer") if "customers" in record else record
    if not (text_of(record, "email") or customer_id_of(record)):
        # A record without an identity is no proof that there is no such customer.
        raise UnexpectedAnswer("customer: no identity")
    if with_history:
        _prime(client, record, answer.body)
    return record


def _prime(client: Client, record: Mapping[str, Any], body: bytes) -> None:
    """The page reads the customer by their ref next: this is the same record."""
    customer_id, email = customer_id_of(record), text_of(record, "email").lower()
    if ref := hinted_ref(client.program, customer_id=customer_id, email=email):
        by_id = ref.startswith(BY_ID)
        identity = {"customer_id": customer_id} if by_id else {"customer_email": email}
        params = {**identity, "with_history": "true"}
        client.session.prime(Call("GET", "/customers", params=params), body, member=ref)


def fetch_by_ref(client: Client, ref: str, *, with_history: bool = False) -> dict[str, Any]:
    """Return the record of a member; raise Rejected(MEMBER_NOT_FOUND)."""
    record = fetch(client, identity_of(client.program, ref), with_history=with_history)
    if record is None:
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return record


def customer_id_of(record: Mapping[str, Any]) -> str:
    """Return the shop's id of the customer. Yotpo spells the key in two ways, old records only in one."""
    return text_of(record, "third_party_id", "thirty_party_id")


def history_of(record: Mapping[str, Any]) -> tuple[HistoryItem, ...]:
    """Return the lines of a record fetched with its history, in Yotpo's order."""
    return tuple(_item(item) for item in rows(record.get("history_items")))


def deducted_codes(record: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes whose points have left the balance."""
    return frozenset(item.code for item in history_of(record) if item.code and item.points < 0)


def _item(item: Mapping[str, Any]) -> HistoryItem:
    status = text_of(item, "status")
    is_word = status.lower() in STATUS_WORDS or SHARE.fullmatch(status)
    return HistoryItem(
        at=moment(item.get("created_at")) or moment(item.get("completed_at")) or moment(item.get("date")),
        title=text_of(item, "action", "action_name"),
        points=whole_of(item, "points") or 0,
        code="" if is_word else status,
        is_pending=status.lower() == PENDING,
        is_reversed=status.lower() == REVERSED,
    )
