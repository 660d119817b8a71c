"""Points that a return could not take, because they were on hold or spent, are taken when they come back."""

from contextlib import suppress
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from providers.errors import Rejected
from providers.house.ledger import adjust
from providers.house.models import Entry, Hold, Member
from providers.house.provider import HouseProvider
from providers.sales import Spend
from tests.providers.house import REF, build_house, build_intent, build_member, build_order, build_return


@pytest.fixture
def spend(house: HouseProvider) -> Spend:
    """A member earned 100 points with order-1, and all are on hold for a reward of 100."""
    build_member()
    house.record_order(build_order(base="100.00"))
    return house.spend(build_intent())


def balance() -> tuple[int, int]:
    member = Member.objects.get(member_id=REF)
    entries = member.entries.aggregate(sum=Sum("points"))["sum"] or 0
    assert entries == member.spendable + member.reserved
    return member.spendable, member.reserved


def return_everything(house: HouseProvider) -> None:
    house.record_return(build_return("100.00"))


def test_points_on_hold_pay_for_the_return_when_the_hold_is_released(
    house: HouseProvider, spend: Spend
) -> None:
    return_everything(house)
    assert balance() == (0, 100)
    for _ in range(2):
        house.release(spend)
        assert balance() == (0, 0)
    assert [(line.points, line.text) for line in house.get_history(REF).movements] == [
        (-100, "Return of purchase 100234"),
        (0, "Redeemed and given back: $5 off"),
        (100, "Purchase 100234"),
    ]


def test_points_on_hold_pay_for_a_cancelled_order(house: HouseProvider, spend: Spend) -> None:
    house.cancel_order(build_order())
    house.release(spend)
    assert balance() == (0, 0)


def test_other_points_of_the_member_stay(house: HouseProvider, spend: Spend) -> None:
    adjust("acme", REF, 5, reference="gift", note="Gift")
    return_everything(house)
    assert balance() == (0, 100)
    house.release(spend)
    assert balance() == (5, 0)


def test_a_used_reward_that_is_given_back_pays_for_the_return(house: HouseProvider, spend: Spend) -> None:
    house.confirm(spend, build_order("order-2"))
    return_everything(house)
    assert balance() == (0, 0)
    for _ in range(2):
        house.release(spend)
        assert balance() == (0, 0)


def test_each_part_that_is_given_back_pays_what_is_still_owed(house: HouseProvider, spend: Spend) -> None:
    house.confirm(spend, build_order("order-2"))
    house.record_return(build_return("60.00"))
    for _ in range(2):
        house.release_part(spend, 40, "return-a")
        assert balance() == (0, 0)
    for _ in range(2):
        house.release_part(spend, 50, "return-b")
        assert balance() == (30, 0)
    house.release(spend)
    assert balance() == (40, 0)


def test_two_returns_that_fell_short_are_paid_by_one_hold(house: HouseProvider, spend: Spend) -> None:
    house.record_return(build_return("30.00", "return-1"))
    house.record_return(build_return("30.00", "return-2"))
    house.release(spend)
    assert balance() == (40, 0)
    house.record_return(build_return("40.00", "return-3"))
    assert balance() == (0, 0)


def test_a_reward_taken_after_the_return_can_be_undone_without_loss(
    house: HouseProvider, spend: Spend
) -> None:
    house.confirm(spend, build_order("order-2"))
    return_everything(house)
    adjust("acme", REF, 150, reference="gift", note="Gift")
    house.release(house.spend(build_intent("key-2")))
    assert balance() == (150, 0)


def test_holds_from_before_the_upgrade_pay_for_later_shortfalls(house: HouseProvider, spend: Spend) -> None:
    return_everything(house)
    Hold.objects.update(newest_entry=0, created_at=Entry.objects.get(kind="return").at - timedelta(seconds=1))
    migration = import_module("providers.house.migrations.0003_shortfalls_outlive_holds")
    migration.note_newest_entries(apps, SimpleNamespace(connection=connection))
    house.release(spend)
    assert balance() == (0, 0)


def test_holds_from_before_the_upgrade_do_not_pay_for_older_shortfalls(
    house: HouseProvider, spend: Spend
) -> None:
    house.confirm(spend, build_order("order-2"))
    return_everything(house)
    adjust("acme", REF, 100, reference="gift", note="Gift")
    later = house.spend(build_intent("key-2"))
    Hold.objects.update(newest_entry=0, created_at=timezone.now())
    migration = import_module("providers.house.migrations.0003_shortfalls_outlive_holds")
    migration.note_newest_entries(apps, SimpleNamespace(connection=connection))
    house.release(later)
    assert balance() == (100, 0)


class AnyStory(TestCase):
    """For any series of orders, rewards and returns: when every reward has been given back, the member has
    the same points as without rewards."""

    steps = st.lists(
        st.tuples(st.sampled_from(["earn", "gift", "redeem", "use", "return", "undo"]), st.integers(0, 5)),
        max_size=14,
    )

    @settings(max_examples=60, deadline=None)
    @given(steps=steps)
    def test_rewards_that_were_given_back_leave_no_trace(self, steps: list[tuple[str, int]]) -> None:
        house = build_house()
        build_member()
        gifts = 0
        kept: dict[str, int] = {}
        spends: list[Spend] = []
        for number, (step, choice) in enumerate(steps):
            if step == "earn":
                order = build_order(f"order-{number}", base="70.00")
                kept[order.order_id] = house.record_order(order).points or 0
            elif step == "gift":
                gifts += 10 * choice + 1
                adjust("acme", REF, 10 * choice + 1, reference=f"gift-{number}", note="Gift")
            elif step == "redeem" and balance()[0] >= 100:
                spends.append(house.spend(build_intent(f"key-{number}")))
            elif step == "return" and kept:
                order_id, _points = kept.popitem()
                house.record_return(build_return("70.00", f"return-{number}", order_id))
            elif step in ("use", "undo") and spends:
                spend = spends[choice % len(spends)]
                with suppress(Rejected):  # it was given back before
                    house.confirm(spend, build_order("used")) if step == "use" else house.release(spend)
            balance()
        for spend in spends:
            house.release(spend)
        assert balance() == (gifts + sum(kept.values()), 0)
