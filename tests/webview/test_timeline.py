"""How the vendor's movements and our own records become one timeline."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from loyaltyview.redemptions.member_records import OwnRedemption, OwnReturn, OwnSale, Records
from loyaltyview.webview.timeline import Cursor, Line, behind, isolated, join, next_cursor, with_balances
from providers.movements import Ending, Movement, MovementKind
from providers.types import Money

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TAP = UUID(int=7)
REDEEMED: dict[str, Any] = {"kind": MovementKind.REDEMPTION, "spend_key": f"{TAP.hex}-1"}


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def movement(points: int, minute: int = 0, **fields: Any) -> Movement:
    return Movement(at=at(minute), points=points, **fields)


def redemption(minute: int = 0, **fields: Any) -> OwnRedemption:
    given = {"id": TAP, "title": "$5 off", "points": 100, "ending": Ending.DONE, "saving": usd("5.00")}
    return OwnRedemption(at=at(minute), **{**given, "store_id": "boston", **fields})


def sale(minute: int = 0, **fields: Any) -> OwnSale:
    given = {"order_id": "o-1", "number": "1001", "total": usd("80.00"), "store_id": "boston"}
    return OwnSale(at=at(minute), **{**given, **fields})


def back(minute: int = 0, **fields: Any) -> OwnReturn:
    given = {"return_id": "r-1", "order_id": "o-1", "refund": usd("20.00"), "store_id": "paris"}
    return OwnReturn(at=at(minute), **{**given, **fields})


def amount_of(line: Line) -> str:
    return str(line.amount.amount) if line.amount else ""


def bare(text: str) -> str:
    return text.replace(isolated("x")[0], "").replace(isolated("x")[-1], "")


def told(*movements: Movement, **records: Any) -> list[tuple[Any, ...]]:
    lines = join(movements, Records(**records))
    return [
        (
            line.points,
            bare(line.text),
            line.store_id,
            str(line.amount.amount) if line.amount else "",
            line.number,
        )
        for line in lines
    ]


def test_our_redemption_and_the_vendors_line_are_one_with_store_saving_and_order() -> None:
    taken = movement(-100, **REDEEMED, title="Reserve points", order_id="o-1")
    assert told(taken, redemptions=[redemption()], sales=[sale()]) == [
        (-100, "Redeemed: $5 off", "boston", "5.00", "1001")
    ]


def test_a_spend_that_was_undone_says_so_and_saves_nothing() -> None:
    taken = movement(0, **REDEEMED, ending=Ending.BACK)
    own = redemption(ending=Ending.BACK)
    line = (0, "Redeemed and given back: $5 off", "boston", "", "")
    assert told(taken, redemptions=[own]) == [line]
    assert told(redemptions=[own]) == [line]


def test_both_spends_of_a_redemption_that_was_spent_again_are_ours() -> None:
    first = movement(0, kind=MovementKind.REDEMPTION, spend_key=f"{TAP.hex}-1", ending=Ending.BACK)
    second = movement(-100, 9, kind=MovementKind.REDEMPTION, spend_key=f"{TAP.hex}-2")
    assert [line[:2] for line in told(second, first, redemptions=[redemption()])] == [
        (-100, "Redeemed: $5 off"),
        (0, "Redeemed and given back: $5 off"),
    ]


def test_a_voucher_that_the_vendor_does_not_list_has_a_line_of_0_points() -> None:
    voucher = redemption(title="Birthday", points=0)
    assert told(redemptions=[voucher]) == [(0, "Redeemed: Birthday", "boston", "5.00", "")]


def test_a_purchase_has_its_store_total_and_number() -> None:
    earned = movement(80, kind=MovementKind.PURCHASE, order_id="o-1")
    assert told(earned, sales=[sale()]) == [(80, "Purchase", "boston", "80.00", "1001")]


def test_a_number_that_only_the_vendor_knows_stands_beside_the_sentence() -> None:
    earned = movement(80, kind=MovementKind.PURCHASE, order_id="web-1", number="W-1")
    assert told(earned) == [(80, "Purchase", "", "", "W-1")]


def test_a_return_has_its_own_store_and_refund_and_its_orders_number() -> None:
    taken = movement(-20, kind=MovementKind.RETURN, order_id="o-1", return_id="r-1")
    assert told(taken, sales=[sale()], returns=[back()]) == [(-20, "Return", "paris", "20.00", "1001")]


def test_expired_points_of_an_order_are_no_purchase() -> None:
    expired = movement(-20, kind=MovementKind.EXPIRY, order_id="o-1")
    assert told(expired, sales=[sale()]) == [(-20, "Points expired", "boston", "", "1001")]


def test_an_order_whose_points_are_to_come_and_one_without_points_are_said() -> None:
    open_sale = sale(5, is_open=True)
    nothing = sale(order_id="o-2", number="1002", earns_nothing=True)
    assert [line[:2] for line in told(sales=[open_sale, nothing])] == [
        (None, "Purchase, its points come when the order is completed"),
        (0, "Purchase without points"),
    ]
    assert told(sales=[sale(earns_nothing=True, is_cancelled=True)])[0][1] == "Purchase cancelled"


def test_an_order_that_the_vendor_lists_under_another_time_has_no_second_line() -> None:
    assert told(sales=[sale(told_at=at(0))], returns=[back(told_at=at(0))]) == []


def test_a_return_that_waits_for_a_person_is_said() -> None:
    assert told(returns=[back(is_open=True)], sales=[sale()]) == [
        (None, "Return, its points are not decided yet", "paris", "20.00", "1001")
    ]


def test_a_vendors_line_without_an_order_is_of_the_only_order_near_its_time() -> None:
    earned = movement(80, 2, kind=MovementKind.PURCHASE)
    assert told(earned, sales=[sale(told_at=at(0))])[0][4] == "1001"
    assert told(earned, sales=[sale(told_at=at(-60))])[0][4] == ""


def test_a_line_that_may_be_of_two_orders_or_one_of_two_lines_is_named_by_none() -> None:
    earned = movement(80, 2, kind=MovementKind.PURCHASE)
    two = [sale(told_at=at(0)), sale(order_id="o-2", number="1002", told_at=at(1))]
    assert told(earned, sales=two)[0][4] == ""
    bonus = movement(50, 3, kind=MovementKind.PURCHASE)
    assert [line[4] for line in told(bonus, earned, sales=two[:1])] == ["", ""]


def test_a_vendors_return_without_an_id_is_of_the_only_return_near_its_time() -> None:
    taken = movement(-20, 2, kind=MovementKind.RETURN)
    records: dict[str, Any] = {"sales": [sale()], "returns": [back(told_at=at(0))]}
    assert told(taken, **records) == [(-20, "Return", "paris", "20.00", "1001")]
    of_another = movement(-20, 2, kind=MovementKind.RETURN, order_id="o-9")
    assert told(of_another, **records) == [(-20, "Return", "", "", "")]


def balances(lines: list[Line], after: int | None) -> list[int | None]:
    return [line.balance for line in with_balances(lines, after)]


def test_the_balance_runs_back_from_the_newest_line() -> None:
    lines = join([movement(80, 3), movement(-100, 2), movement(200, 1)], Records())
    assert balances(lines, 180) == [180, 100, 200]
    assert balances(lines, None) == [None, None, None]


def test_the_balance_ends_at_a_spend_that_the_vendor_does_not_list() -> None:
    records = Records(redemptions=(redemption(2),))
    lines = join([movement(80, 3), movement(200, 1)], records)
    assert balances(lines, 280) == [280, None, None]


def test_the_balance_goes_on_behind_what_takes_no_points() -> None:
    records = Records(redemptions=(redemption(2, points=0),), sales=(sale(2, is_open=True),))
    lines = join([movement(80, 3), movement(200, 1)], records)
    assert balances(lines, 280) == [280, 200, 200, 200]


def test_pages_of_lines_of_one_moment_neither_repeat_nor_lose_a_line() -> None:
    lines = join([movement(number) for number in range(5)], Records())
    seen, cursor = [], None
    while page := behind(lines, cursor)[:2]:
        seen += [line.points for line in page]
        cursor = next_cursor(page, cursor)
    assert seen == [0, 1, 2, 3, 4]
    assert behind(lines, Cursor(at=at(-1))) == []


def test_the_name_of_a_reward_keeps_its_direction_in_any_sentence() -> None:
    (line,) = join([movement(-100, **REDEEMED)], Records(redemptions=(redemption(),)))
    assert isolated("$5 off") in line.text
