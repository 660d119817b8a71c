"""The house program's history in pages: each hold is one line, and the balance follows the lines."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from providers.house.models import Hold, Member
from providers.house.provider import HouseProvider
from providers.movements import Ending, Movement
from tests.providers.house import REF, build_intent, build_member, build_order, build_return

BEGAN = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def spend(house: HouseProvider, key: str, order_id: str = "", part: int = 0) -> None:
    made = house.spend(build_intent(key))
    if order_id:
        house.confirm(made, build_order(order_id=order_id))
    if part:
        house.release_part(made, part, f"part of {key}")


@pytest.fixture
def member(house: HouseProvider) -> Member:
    """Two orders earned; of four rewards one is held, one used, one came back in part and one as a whole."""
    with time_machine.travel(BEGAN, tick=False) as clock:
        member = build_member()
        house.record_order(build_order(order_id="o-1", base="600.00"))
        clock.shift(DAY)
        spend(house, "used", "o-2")
        clock.shift(DAY)
        spend(house, "in-part", "o-3", 40)
        clock.shift(DAY)
        spend(house, "whole", "o-4", 100)
        clock.shift(DAY)
        house.record_return(build_return("60.00", order_id="o-1"))
        clock.shift(DAY)
        spend(house, "held")
    return member


def pages(house: HouseProvider, limit: int) -> list[tuple[Movement, int | None]]:
    """Return all lines with the balance after each, read by pages of `limit`."""
    found: list[tuple[Movement, int | None]] = []
    until = None
    while True:
        page = house.get_history(REF, until, limit)
        balance = page.points_after
        for movement in page.movements:
            found.append((movement, balance))
            balance = None if balance is None else balance - movement.points
        if not page.has_older:
            return found
        until = page.movements[-1].at - timedelta(seconds=1)


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_pages_of_any_size_show_the_same_lines_and_balances(
    house: HouseProvider, member: Member, limit: int
) -> None:
    assert [(line.points, line.ending, balance) for line, balance in pages(house, limit)] == [
        (-100, Ending.HELD, 280),
        (-60, Ending.DONE, 380),
        (0, Ending.BACK, 440),
        (-60, Ending.PARTLY_BACK, 440),
        (-100, Ending.DONE, 500),
        (600, Ending.DONE, 600),
    ]
    assert house.get_member(REF).balance.spendable == 280


def test_lines_name_our_spends_orders_and_returns(house: HouseProvider, member: Member) -> None:
    lines = house.get_history(REF).movements
    names = [(line.spend_key, line.order_id, line.return_id) for line in lines]
    assert names[0] == ("held", "", "")
    assert names[1][0] == ""
    assert names[1][2] != ""
    assert names[4] == ("used", "o-2", "")
    assert names[5] == ("", "o-1", "")


def test_a_voucher_in_the_history_takes_no_points(house: HouseProvider, member: Member) -> None:
    Hold.objects.filter(key="held").update(points=0, title="Birthday voucher")
    Member.objects.filter(pk=member.pk).update(spendable=380, reserved=0)
    line = house.get_history(REF).movements[0]
    assert (line.points, line.text) == (0, "Held for an order: Birthday voucher")
