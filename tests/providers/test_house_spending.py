"""The house's holds: a key spends at most once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from providers.errors import Rejected, RejectReason
from providers.house.models import Entry, Hold, HoldState, Member, Reward, Tier, Voucher
from providers.house.provider import HouseProvider
from providers.sales import Finding, Spend, SpendKind
from providers.types import LockReason
from tests.providers.house import REF, build_house, build_intent, build_member, build_order


def refused(house: HouseProvider, **intent: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        house.spend(build_intent(**intent))  # type: ignore[arg-type]
    return caught.value


def test_a_spend_that_was_not_found_can_never_happen_later(house: HouseProvider, member: Member) -> None:
    intent = build_intent()
    assert house.find_spend(intent).finding is Finding.DID_NOT
    with pytest.raises(Rejected) as caught:
        house.spend(intent)
    assert caught.value.reason is RejectReason.NOT_ALLOWED
    assert house.get_member(REF).balance.spendable == 250


def test_a_key_released_before_its_spend_arrives_never_spends(house: HouseProvider, member: Member) -> None:
    never_made = Spend(key="key-1", member_ref=REF, kind=SpendKind.REWARD, provider_ref="hold-1", points=100)
    house.release(never_made)
    assert refused(house, key="key-1").reason is RejectReason.NOT_ALLOWED
    assert house.get_member(REF).balance.spendable == 250


def test_an_answer_for_an_unknown_member_is_final_too(house: HouseProvider) -> None:
    assert house.find_spend(build_intent(ref="ACME-000009")).finding is Finding.DID_NOT
    build_member("ACME-000009", points=500)
    assert refused(house, ref="ACME-000009").reason is RejectReason.NOT_ALLOWED


def test_the_same_spend_sent_twice_is_one_spend(house: HouseProvider, member: Member) -> None:
    assert house.spend(build_intent()) == house.spend(build_intent())
    assert house.get_member(REF).balance.spendable == 150


@pytest.mark.parametrize("other", [{"item_id": "ten-off"}, {"points": 200}, {"ref": "ACME-000002"}])
def test_a_key_with_other_content_is_refused(
    house: HouseProvider, member: Member, other: dict[str, object]
) -> None:
    build_member("ACME-000002", points=250)
    house.spend(build_intent())
    assert refused(house, **other).reason is RejectReason.NOT_ALLOWED
    assert Hold.objects.count() == 1


def test_a_released_spend_is_not_found(house: HouseProvider, member: Member) -> None:
    house.release(house.spend(build_intent()))
    assert house.find_spend(build_intent()).finding is Finding.DID_NOT


def test_a_late_order_cannot_confirm_what_was_given_back(house: HouseProvider, member: Member) -> None:
    spend = house.spend(build_intent())
    house.release(spend)
    with pytest.raises(Rejected) as caught:
        house.confirm(spend, build_order())
    assert caught.value.reason is RejectReason.NOT_ALLOWED
    assert house.get_member(REF).balance.spendable == 250


def test_a_late_order_is_spent_again_under_a_new_key(house: HouseProvider, member: Member) -> None:
    house.release(house.spend(build_intent("key-1")))
    house.confirm(house.spend(build_intent("key-2")), build_order())
    assert house.get_member(REF).balance.spendable == 150


def test_too_few_points_name_the_exact_gap(house: HouseProvider, member: Member) -> None:
    Reward.objects.create(
        program="acme", reward_id="big", title="Big", cost=291, kind="fixed", amount=Decimal(20)
    )
    error = refused(house, item_id="big", points=291)
    assert (error.reason, error.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 41)


def test_a_changed_price_is_refused(house: HouseProvider, member: Member) -> None:
    Reward.objects.update(cost=120)
    assert refused(house).reason is RejectReason.PRICE_CHANGED


@pytest.mark.parametrize(
    ("change", "reason", "lock"),
    [
        ({"stock": 0}, RejectReason.OUT_OF_STOCK, LockReason.OUT_OF_STOCK),
        ({"limit_per_member": 0}, RejectReason.LIMIT_REACHED, LockReason.LIMIT_REACHED),
        (
            {"starts_at": timezone.now() + timedelta(days=1)},
            RejectReason.NOT_ALLOWED,
            LockReason.NOT_STARTED,
        ),
        ({"ends_at": timezone.now() - timedelta(days=1)}, RejectReason.EXPIRED, None),
        ({"is_active": False}, RejectReason.REWARD_NOT_FOUND, None),
        ({"kind": "online_only", "amount": None}, RejectReason.NOT_ALLOWED, LockReason.ONLINE_ONLY),
    ],
)
def test_a_locked_reward_cannot_be_spent(
    house: HouseProvider,
    member: Member,
    change: dict[str, object],
    reason: RejectReason,
    lock: LockReason | None,
) -> None:
    Reward.objects.update(**change)
    shown = house.list_rewards(REF, build_intent().cart)
    assert [reward.lock and reward.lock.reason for reward in shown] == ([lock] if lock else [])
    assert refused(house).reason is reason
    assert house.get_member(REF).balance.spendable == 250


def test_a_reward_of_a_higher_tier_names_the_tier(house: HouseProvider, member: Member) -> None:
    Reward.objects.update(tier=Tier.objects.get(name="Silver"))
    (shown,) = house.list_rewards(REF, build_intent().cart)
    assert shown.lock
    assert (shown.lock.reason, shown.lock.tier) == (LockReason.TIER, "Silver")
    assert refused(house).reason is RejectReason.TIER_TOO_LOW


def test_stock_goes_down_with_a_spend_and_up_with_its_release(house: HouseProvider, member: Member) -> None:
    Reward.objects.update(stock=1)
    spend = house.spend(build_intent("key-1"))
    assert refused(house, key="key-2").reason is RejectReason.OUT_OF_STOCK
    house.release(spend)
    house.spend(build_intent("key-3"))
    assert Reward.objects.get().stock == 0


def test_a_limit_does_not_count_released_spends(house: HouseProvider, member: Member) -> None:
    Reward.objects.update(limit_per_member=1)
    house.release(house.spend(build_intent("key-1")))
    house.confirm(house.spend(build_intent("key-2")), build_order())
    assert refused(house, key="key-3").reason is RejectReason.LIMIT_REACHED


@pytest.fixture
def points_as_money(house: HouseProvider) -> Reward:
    return Reward.objects.create(
        program="acme",
        reward_id="points",
        title="Pay with points",
        kind="points",
        points_min=100,
        points_max=1000,
        points_step=50,
        value_per_point=Decimal("0.01"),
    )


@pytest.mark.parametrize("points", [0, -100, 50, 125, 1050])
def test_points_as_money_keep_to_range_and_step(
    house: HouseProvider, member: Member, points_as_money: Reward, points: int
) -> None:
    error = refused(house, kind=SpendKind.POINTS, item_id="points", points=points)
    assert error.reason is RejectReason.INVALID_INPUT
    assert house.get_member(REF).balance.spendable == 250


def test_points_as_money_take_the_chosen_points(
    house: HouseProvider, member: Member, points_as_money: Reward
) -> None:
    house.spend(build_intent(kind=SpendKind.POINTS, item_id="points", points=150))
    assert house.get_member(REF).balance.spendable == 100
    error = refused(house, key="key-2", kind=SpendKind.POINTS, item_id="points", points=150)
    assert (error.reason, error.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 50)


def test_points_as_money_cannot_be_bought_like_a_reward(
    house: HouseProvider, member: Member, points_as_money: Reward
) -> None:
    assert refused(house, item_id="points").reason is RejectReason.INVALID_INPUT
    assert refused(house, kind=SpendKind.POINTS).reason is RejectReason.INVALID_INPUT


@pytest.fixture
def voucher(member: Member) -> Voucher:
    return Voucher.objects.create(
        program="acme", voucher_id="birthday", member=member, title="$10", kind="fixed", amount=Decimal(10)
    )


def test_a_voucher_is_used_once(house: HouseProvider, voucher: Voucher) -> None:
    intent = build_intent(kind=SpendKind.VOUCHER, item_id="birthday", points=0)
    spend = house.spend(intent)
    again = refused(house, key="key-2", kind=SpendKind.VOUCHER, item_id="birthday", points=0)
    assert again.reason is RejectReason.ALREADY_USED
    house.confirm(spend, build_order())
    assert house.list_vouchers(REF) == ()
    house.release(spend)
    assert [shown.voucher_id for shown in house.list_vouchers(REF)] == ["birthday"]


def test_a_voucher_of_another_member_is_not_found(house: HouseProvider, voucher: Voucher) -> None:
    build_member("ACME-000002")
    error = refused(house, kind=SpendKind.VOUCHER, item_id="birthday", points=0, ref="ACME-000002")
    assert error.reason is RejectReason.REWARD_NOT_FOUND
    assert house.list_vouchers("ACME-000002") == ()


def test_an_expired_voucher_is_refused_and_not_listed(house: HouseProvider, voucher: Voucher) -> None:
    Voucher.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert house.list_vouchers(REF) == ()
    error = refused(house, kind=SpendKind.VOUCHER, item_id="birthday", points=0)
    assert error.reason is RejectReason.EXPIRED


def test_history_describes_each_line_in_words(house: HouseProvider, member: Member) -> None:
    spend = house.spend(build_intent("key-1"))
    house.confirm(spend, build_order())
    house.record_order(build_order())
    house.release(spend)
    house.spend(build_intent("key-2"))
    assert [(line.points, line.text) for line in house.get_history(REF).movements] == [
        (-100, "Held for an order: $5 off"),
        (80, "Purchase 100234"),
        (0, "Redeemed and given back: $5 off"),
        (250, "Opening balance"),
    ]


class AnyOrderOfCalls(TestCase):
    """After any calls in any order, the ledger adds up and no balance is negative."""

    calls = st.lists(
        st.tuples(st.sampled_from(["spend", "find", "confirm", "part", "release"]), st.integers(1, 4)),
        max_size=20,
    )

    @settings(max_examples=60)
    @given(calls=calls, opening=st.integers(1, 350))
    def test_the_ledger_always_adds_up(self, calls: list[tuple[str, int]], opening: int) -> None:
        house = build_house()
        build_member(points=opening)
        spends: dict[int, Spend] = {}
        parts = 0
        for call, number in calls:
            intent = build_intent(f"key-{number}")
            try:
                if call == "spend":
                    spends[number] = house.spend(intent)
                elif call == "find":
                    house.find_spend(intent)
                elif number in spends:
                    if call == "confirm":
                        house.confirm(spends[number], build_order())
                    elif call == "part":
                        parts += 1
                        house.release_part(spends[number], 30, f"return-{parts}")
                    else:
                        house.release(spends[number])
            except Rejected:
                pass
            member = Member.objects.get()
            posted = Entry.objects.aggregate(sum=Sum("points"))["sum"]
            held = Hold.objects.filter(state=HoldState.HELD).aggregate(sum=Sum("points"))["sum"] or 0
            spent = 0
            for key in Hold.objects.filter(state=HoldState.CAPTURED).values_list("key", flat=True):
                given = Entry.objects.filter(reference__startswith=f"release-part:{key}:")
                back = given.aggregate(sum=Sum("points"))["sum"] or 0
                assert back <= 100
                spent += 100 - back
            assert member.spendable + member.reserved == posted == opening - spent
            assert member.reserved == held
            assert member.spendable >= 0
