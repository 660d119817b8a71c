"""Points that expire, and orders that come back later: no point is taken twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from providers.house.expiry import expire_all, expire_points
from providers.house.ledger import lock, post
from providers.house.models import EarnRule, EntryKind, Member
from providers.house.provider import HouseProvider
from tests.providers.house import REF, build_intent, build_member, build_order, build_return

BOUGHT = datetime(2026, 3, 4, 12, tzinfo=UTC)
EXPIRED = datetime(2026, 4, 5, 12, tzinfo=UTC)


@pytest.fixture
def house(house: HouseProvider) -> Iterator[HouseProvider]:
    """Two points a dollar that expire after a month. The member has 500 points that never do, and bought
    for $100 on 4 March."""
    EarnRule.objects.update(points_per_unit=2, expiry_months=1)
    build_member(points=500)
    with time_machine.travel(BOUGHT, tick=False):
        house.record_order(replace(build_order(base="100.00"), placed_at=BOUGHT))
        yield house


def spendable() -> int:
    return Member.objects.get().spendable


def bring_back(house: HouseProvider, net: str, return_id: str = "return-1") -> None:
    for _ in range(2):
        house.record_return(build_return(net, return_id))


def test_expired_points_are_not_taken_again_by_a_complete_return(house: HouseProvider) -> None:
    assert [entry.points for entry in expire_all("acme", EXPIRED)] == [-200]
    bring_back(house, "100.00")
    assert spendable() == 500
    assert Member.objects.get().lifetime_points == 0


def test_expired_points_are_not_taken_again_when_the_order_is_cancelled_late(house: HouseProvider) -> None:
    expire_all("acme", EXPIRED)
    house.cancel_order(build_order())
    assert spendable() == 500


def test_expired_points_are_not_taken_again_by_several_returns(house: HouseProvider) -> None:
    expire_all("acme", EXPIRED)
    bring_back(house, "50.00")
    bring_back(house, "50.00", "return-2")
    assert spendable() == 500


def test_points_that_a_return_took_do_not_expire(house: HouseProvider) -> None:
    bring_back(house, "50.00")
    assert spendable() == 600
    assert [entry.points for entry in expire_all("acme", EXPIRED)] == [-100]
    bring_back(house, "50.00", "return-2")
    assert spendable() == 500


def test_points_that_were_spent_before_the_rest_expired_are_taken_once(house: HouseProvider) -> None:
    house.confirm(house.spend(build_intent()), build_order("order-2"))
    assert [entry.points for entry in expire_all("acme", EXPIRED)] == [-100]
    bring_back(house, "100.00")
    # 500 less the 100 that bought a reward: what the member would have without the order.
    assert spendable() == 400


def test_points_on_hold_do_not_expire_until_they_come_back(house: HouseProvider) -> None:
    spend = house.spend(build_intent())
    assert [entry.points for entry in expire_all("acme", EXPIRED)] == [-100]
    house.release(spend)
    with time_machine.travel(EXPIRED, tick=False):
        bring_back(house, "100.00")
    assert spendable() == 500
    assert expire_all("acme", EXPIRED + timedelta(days=1)) == []


def test_a_return_takes_the_points_of_its_own_order(house: HouseProvider) -> None:
    later = BOUGHT + timedelta(days=20)
    house.record_order(replace(build_order("order-2", base="100.00"), placed_at=later))
    house.record_return(build_return("100.00", "return-2", "order-2"))
    (expiring,) = house.get_member(REF).balance.expiring
    assert (expiring.points, expiring.at) == (200, datetime(2026, 4, 4, 12, tzinfo=UTC))
    assert [entry.order_id for entry in expire_all("acme", EXPIRED)] == ["order-1"]
    bring_back(house, "100.00")
    assert spendable() == 500


def test_several_orders_expire_with_an_entry_each_and_once(house: HouseProvider) -> None:
    house.record_order(replace(build_order("order-2", base="10.00"), placed_at=BOUGHT))
    entries = expire_points("acme", REF, EXPIRED)
    assert [(entry.order_id, entry.points) for entry in entries] == [("order-1", -200), ("order-2", -20)]
    assert expire_points("acme", REF, EXPIRED + timedelta(days=1)) == []


def test_an_expiry_that_names_no_order_counts_in_favour_of_the_member(house: HouseProvider) -> None:
    post(lock("acme", REF), EntryKind.EXPIRE, -200, reference="expire:1:before-the-upgrade", at=EXPIRED)
    bring_back(house, "100.00")
    assert spendable() == 500
