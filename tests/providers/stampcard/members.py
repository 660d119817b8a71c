"""Customers of Stampcard, their history, and the rewards that they can have."""

from dataclasses import replace
from datetime import UTC, datetime

from providers.answers import Json, moment, needed_text, number, object_in, objects_in, text_of
from providers.currencies import from_hundredths
from providers.errors import UnexpectedAnswer
from providers.movements import Ending, History, Movement, MovementKind, newest_first
from providers.outbound.exchange import segment
from providers.texts import found_by_spelling
from providers.types import (
    Balance,
    Discount,
    DiscountKind,
    Lock,
    LockReason,
    Member,
    MemberQuery,
    QueryKind,
    Reward,
)
from tests.providers.stampcard.client import Client, stamps

# The parameter of each look-up. Stampcard has no look-up by phone.
ASKED_BY = {QueryKind.EMAIL: "email", QueryKind.CODE: "card", QueryKind.MEMBER_ID: "card"}


def find(client: Client, query: MemberQuery) -> tuple[Member, ...]:
    """An e-mail is compared as it is; a card's number may be typed in another spelling."""
    name = ASKED_BY.get(query.kind)
    if not name or not query.value:
        return ()
    if query.kind is QueryKind.EMAIL:
        return _find_exactly(client, name, query.value)
    return found_by_spelling(
        query.value,
        lambda each: _find_exactly(client, name, each),
        lambda member: member.ref,
        is_typed=query.is_typed,
    )


def _find_exactly(client: Client, name: str, value: str) -> tuple[Member, ...]:
    """Stampcard answers with every record that contains the value: only an exact match is the member."""
    found = client.get("/customers", operation="find_members", params={name: value})
    exact = [row for row in objects_in(found, "customers") if text_of(row, name) == value]
    return tuple(_member(row) for row in exact[:20])


def get(client: Client, ref: str) -> Member:
    row = object_in(client.get(f"/customers/{segment(ref)}", operation="get_member"), "customer")
    if needed_text(row, "id") != ref:
        raise UnexpectedAnswer("get_member: another customer")
    return _member(row)


def history(client: Client, ref: str, until: datetime | None, limit: int) -> History:
    """Stampcard's list begins with the oldest line. The lines of a redemption have its reference."""
    found = objects_in(client.get(f"/customers/{segment(ref)}/stamps", operation="get_history"), "stamps")
    told: dict[str, Movement] = {}
    for line, row in enumerate(found):
        reference = text_of(row, "reference")
        taken = told.get(reference)
        if taken and reference:  # cancelled
            told[reference] = replace(taken, points=taken.points + stamps(row), ending=Ending.BACK)
        elif text := text_of(row, "what"):
            told[reference or str(line)] = Movement(
                at=moment(row.get("at")) or datetime.min.replace(tzinfo=UTC),
                points=stamps(row),
                kind=MovementKind.REDEMPTION if reference else MovementKind.OTHER,
                title=text,
                spend_key=reference,
            )
    return newest_first(list(told.values()), until, limit)


def list_rewards(client: Client, ref: str) -> tuple[Reward, ...]:
    found = objects_in(client.get("/rewards", operation="list_rewards"), "rewards")
    # The page reads the customer at the same time, so this read is shared and costs no wait.
    balance = get(client, ref).balance.spendable
    return tuple(_reward(row, balance, client.currency) for row in found)


def shop_name(client: Client) -> str:
    return needed_text(object_in(client.get("/shop", operation="check"), "shop"), "name")


def _member(row: Json) -> Member:
    return Member(
        ref=needed_text(row, "id"),
        member_id=needed_text(row, "card"),
        first_name=text_of(row, "first_name"),
        last_name=text_of(row, "last_name"),
        email=text_of(row, "email").lower(),
        balance=Balance(spendable=stamps(row)),
    )


def _reward(row: Json, balance: int, currency: str) -> Reward:
    price = stamps(row)
    gap = price - balance
    return Reward(
        reward_id=needed_text(row, "id"),
        title=needed_text(row, "title"),
        points=price,
        discount=_discount(row, currency),
        lock=Lock(reason=LockReason.POINTS, points_gap=gap) if gap > 0 else None,
    )


def _discount(row: Json, currency: str) -> Discount:
    """An amount in another currency than the program's is worth nothing at its tills."""
    cents = number(row.get("cents_off"))
    if cents is None or row.get("currency") != currency:
        return Discount(kind=DiscountKind.UNKNOWN, raw=f"{row.get('cents_off')} {row.get('currency')}")
    return Discount(kind=DiscountKind.FIXED, amount=from_hundredths(cents, currency))
