"""What all members have in common is read once in two seconds; what costs points is read when it is spent."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from providers.errors import Rejected, RejectReason
from providers.house import kept
from providers.house.models import EarnRule, Reward, Tier
from providers.house.provider import HouseProvider
from providers.types import Cart, CartItem, LockReason

from .house import REF, build_house, build_intent, build_member, usd

pytestmark = pytest.mark.django_db
CART = Cart(
    cart_id="c", total=usd("10.00"), items=(CartItem(item_id="1", product_id="SHIRT", price=Decimal(10)),)
)


@pytest.fixture
def house() -> HouseProvider:
    house = build_house()
    build_member(points=500, tier_points=500)
    return house


def read_page(house: HouseProvider) -> None:
    with house.reading():
        house.get_member(REF)
        house.list_rewards(REF, CART)
        house.list_vouchers(REF)
        house.preview_earn(REF, CART)


def prices(house: HouseProvider) -> list[int]:
    return [reward.points for reward in house.list_rewards(REF, CART)]


def test_a_page_reads_its_member_once(
    house: HouseProvider, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(6):  # member, tiers, referral, rewards, vouchers, rule
        read_page(house)
    with django_assert_num_queries(2):  # member, vouchers
        read_page(house)
    reward = Reward.objects.get()
    reward.limit_per_member = 1
    reward.save()
    with django_assert_num_queries(7):  # what the member has taken, besides
        read_page(house)


def test_two_reads_of_one_page_are_of_one_moment_and_the_next_page_is_of_its_own(
    house: HouseProvider,
) -> None:
    assert house.get_member(REF).balance.spendable == 500
    house.spend(build_intent("k-1"))
    assert house.get_member(REF).balance.spendable == 400
    with house.reading():
        assert house.get_member(REF).balance.spendable == 400
    house.spend(build_intent("k-2"))
    with house.reading():
        assert house.get_member(REF).balance.spendable == 300


def test_a_change_that_is_saved_here_shows_at_once(house: HouseProvider) -> None:
    read_page(house)
    reward = Reward.objects.get()
    reward.cost = 80
    reward.save()
    assert prices(house) == [80]
    Tier.objects.create(program="acme", name="Gold", threshold=501)
    tier = house.get_member(REF).tier
    assert tier
    assert tier.next_name == "Gold"
    rule = EarnRule.objects.get()
    rule.points_per_unit = 3
    rule.save()
    assert house.preview_earn(REF, CART) == 45
    reward.delete()
    assert prices(house) == []


def test_a_change_of_another_process_shows_after_two_seconds(
    house: HouseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(kept.time, "monotonic", lambda: now)
    assert prices(house) == [100]
    Reward.objects.update(cost=80)  # no signal, as from another process
    now += 1.9
    assert prices(house) == [100]
    now += 0.2
    assert prices(house) == [80]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cost": 120}, RejectReason.PRICE_CHANGED),
        ({"stock": 0}, RejectReason.OUT_OF_STOCK),
        ({"limit_per_member": 0}, RejectReason.LIMIT_REACHED),
        ({"is_active": False}, RejectReason.REWARD_NOT_FOUND),
        ({"ends_at": datetime(2026, 1, 1, tzinfo=UTC)}, RejectReason.EXPIRED),
    ],
)
def test_a_spend_is_judged_by_the_rows_and_not_by_what_is_kept(
    house: HouseProvider, change: dict[str, object], reason: RejectReason
) -> None:
    assert prices(house) == [100]
    Reward.objects.update(**change)  # no signal, as from another process
    assert prices(house) == [100]
    with pytest.raises(Rejected) as refused:
        house.spend(build_intent("k-1"))
    assert refused.value.reason is reason
    assert house.get_member(REF).balance.spendable == 500


def test_stock_that_is_taken_and_given_back_here_shows_at_once(house: HouseProvider) -> None:
    reward = Reward.objects.get()
    reward.stock = 1
    reward.save()
    assert house.list_rewards(REF, CART)[0].lock is None
    spend = house.spend(build_intent("k-1"))
    lock = house.list_rewards(REF, CART)[0].lock
    assert lock
    assert lock.reason is LockReason.OUT_OF_STOCK
    house.release(spend)
    assert house.list_rewards(REF, CART)[0].lock is None
