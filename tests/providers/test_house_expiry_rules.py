"""The ways in which points expire, what a changed rule does, and how the job finds who is due."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from providers.house import expiry, kept
from providers.house.expiry import expire_all, expire_points, expiring_points
from providers.house.ledger import adjust
from providers.house.models import EarnRule, Entry, Member
from providers.house.provider import HouseProvider
from tests.plans import plan_of
from tests.providers.house import REF, build_house, build_intent, build_member, build_order, build_return

BOUGHT = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def rule(**fields: object) -> None:
    EarnRule.objects.update(**{"expiry_months": None, "inactivity_months": None, "expires_on": "", **fields})
    kept.forget()


def buy(house: HouseProvider, at: datetime = BOUGHT, order_id: str = "order-1", base: str = "100.00") -> None:
    with time_machine.travel(at, tick=False):
        house.record_order(replace(build_order(order_id, base=base), placed_at=at))


def expiring(house: HouseProvider) -> list[tuple[int, datetime]]:
    return [(each.points, each.at) for each in house.get_member(REF).balance.expiring]


def taken(now: datetime) -> list[int]:
    return [entry.points for entry in expire_all("acme", now)]


@pytest.fixture
def shopper(house: HouseProvider) -> Member:
    """A member without points."""
    return build_member()


# --- Inactivity -----------------------------------------------------------------------------------------


def test_points_expire_when_the_member_is_not_active_for_months(
    house: HouseProvider, shopper: Member
) -> None:
    rule(inactivity_months=6)
    buy(house)
    assert expiring(house) == [(100, datetime(2026, 9, 4, 12, tzinfo=UTC))]
    assert taken(datetime(2026, 9, 4, 11, tzinfo=UTC)) == []
    assert taken(datetime(2026, 9, 4, 12, tzinfo=UTC)) == [-100]
    assert taken(datetime(2027, 9, 4, 12, tzinfo=UTC)) == []


def test_a_purchase_keeps_all_points(house: HouseProvider, shopper: Member) -> None:
    rule(inactivity_months=6)
    buy(house)
    buy(house, BOUGHT + 100 * DAY, "order-2", "10.00")
    later = datetime(2026, 12, 12, 12, tzinfo=UTC)
    assert expiring(house) == [(110, later)]
    assert taken(datetime(2026, 9, 4, 12, tzinfo=UTC)) == []
    assert sorted(taken(later)) == [-100, -10]


@pytest.mark.parametrize(
    ("what", "is_activity"),
    [("redeem", True), ("give", True), ("reserve", False), ("return", False), ("take", False)],
)
def test_what_counts_as_activity(
    house: HouseProvider, shopper: Member, what: str, *, is_activity: bool
) -> None:
    rule(inactivity_months=6)
    buy(house, base="300.00")
    with time_machine.travel(BOUGHT + 100 * DAY, tick=False):
        if what in ("redeem", "reserve"):
            spend = house.spend(build_intent())
            if what == "redeem":
                house.confirm(spend, build_order("order-2"))
        elif what == "return":
            house.record_return(build_return("10.00"))
        else:
            adjust("acme", REF, 5 if what == "give" else -5, reference="by-hand", note="Sorry")
    moved = (BOUGHT + 100 * DAY).replace(month=12)
    assert expiring(house)[0][1] == (moved if is_activity else datetime(2026, 9, 4, 12, tzinfo=UTC))


def test_points_given_by_hand_do_not_expire(house: HouseProvider) -> None:
    rule(inactivity_months=6)
    build_member(points=50)
    assert expiring(house) == []
    assert taken(datetime(2040, 1, 1, tzinfo=UTC)) == []


# --- A day of the year ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_zone", "at", "expires"),
    [
        ("", "2026-03-04T12:00:00", "2027-03-31T23:59:59.999999"),
        ("", "2026-12-31T23:59:59", "2027-03-31T23:59:59.999999"),
        ("", "2027-01-01T00:00:00", "2028-03-31T23:59:59.999999"),
        ("America/New_York", "2027-01-01T04:59:59", "2027-04-01T03:59:59.999999"),
        ("Asia/Tokyo", "2026-12-31T15:00:00", "2028-03-31T14:59:59.999999"),
    ],
)
def test_points_of_a_year_expire_on_a_day_of_the_next(
    house: HouseProvider, shopper: Member, time_zone: str, at: str, expires: str
) -> None:
    rule(expires_on="03-31")
    house = HouseProvider(replace(house.config, time_zone=time_zone))
    buy(house, datetime.fromisoformat(f"{at}+00:00"))
    assert expiring(house) == [(100, datetime.fromisoformat(f"{expires}+00:00"))]


def test_months_count_by_the_days_at_the_program(house: HouseProvider, shopper: Member) -> None:
    rule(expiry_months=1)
    house = HouseProvider(replace(house.config, time_zone="America/New_York"))
    # The evening of 31 January in New York: a month later is the evening of 28 February.
    buy(house, datetime(2026, 2, 1, 3, tzinfo=UTC))
    assert expiring(house) == [(100, datetime(2026, 3, 1, 3, tzinfo=UTC))]


@pytest.mark.parametrize("day", ["02-29", "13-01", "3-31", "03-32", "31-03", "2026-03-31"])
def test_a_day_that_is_not_in_every_year_is_refused(house: HouseProvider, day: str) -> None:
    earn_rule = EarnRule.objects.get()
    earn_rule.expires_on = day
    with pytest.raises(ValidationError) as caught:
        earn_rule.full_clean()
    assert "expires_on" in caught.value.message_dict


def test_points_expire_in_one_way(house: HouseProvider) -> None:
    with pytest.raises(IntegrityError):
        rule(expiry_months=1, expires_on="03-31")


# --- A changed rule -------------------------------------------------------------------------------------


def test_a_changed_rule_holds_for_points_that_are_earned_later(house: HouseProvider, shopper: Member) -> None:
    rule(expiry_months=6)
    buy(house, order_id="order-1")
    rule(inactivity_months=8)
    buy(house, order_id="order-2", base="20.00")
    rule(expires_on="01-31")
    buy(house, order_id="order-3", base="3.00")
    rule()
    buy(house, order_id="order-4", base="4000.00")
    assert expiring(house) == [
        (100, datetime(2026, 9, 4, 12, tzinfo=UTC)),
        (20, datetime(2026, 11, 4, 12, tzinfo=UTC)),
        (3, datetime(2027, 1, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ]
    for month, points in [(9, [-100]), (10, []), (11, [-20])]:
        assert taken(datetime(2026, month, 5, tzinfo=UTC)) == points
    assert taken(datetime(2027, 2, 1, tzinfo=UTC)) == [-3]
    assert Member.objects.get().spendable == 4000


# --- The job --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fields", [{"expiry_months": 1}, {"inactivity_months": 1}, {"expires_on": "01-31"}])
def test_points_that_come_back_after_their_date_expire_with_the_next_look(
    house: HouseProvider, shopper: Member, fields: dict[str, object]
) -> None:
    rule(**fields)
    buy(house)
    with time_machine.travel(BOUGHT, tick=False):
        spend = house.spend(build_intent())
    late = datetime(2027, 3, 1, tzinfo=UTC)
    assert taken(late) == []
    with time_machine.travel(late + DAY, tick=False):
        house.release(spend)
        assert taken(late + 2 * DAY) == [-100]


def test_the_job_looks_only_at_members_who_are_due(
    house: HouseProvider, shopper: Member, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rule(expiry_months=6)
    buy(house)
    with django_assert_num_queries(1):
        expire_all("acme", BOUGHT + DAY)
    assert taken(BOUGHT + 200 * DAY) == [-100]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        expire_all("acme", BOUGHT + 300 * DAY)
    (query,) = queries.captured_queries
    plan = plan_of(query["sql"])
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert "house_member_expiry" in plan


def test_what_one_call_does_not_reach_the_next_minute_does(
    house: HouseProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry.expire_all, "__defaults__", ("", 2))
    rule(expiry_months=1)
    for number in range(3):
        ref = f"ACME-00000{number}"
        build_member(ref)
        house.record_order(replace(build_order(f"order-{number}", ref=ref), placed_at=BOUGHT))
    cache.clear()
    for left in (80, 0, 0):
        house.maintain()
        assert sum(Member.objects.values_list("spendable", flat=True)) == left


class AnyLife(TestCase):
    """Whatever a member does, the job finds all points that have expired, and takes none twice."""

    steps = st.lists(
        st.tuples(
            st.sampled_from(["buy", "hold", "capture", "release", "return", "expire"]), st.integers(0, 60)
        ),
        min_size=3,
        max_size=8,
    )
    rules = st.sampled_from([{"expiry_months": 1}, {"inactivity_months": 1}, {"expires_on": "01-31"}, {}])

    @settings(max_examples=20, deadline=None)
    @given(steps=steps, rules=st.lists(rules, min_size=9, max_size=9))
    def test_the_time_of_the_next_look_is_never_too_late(
        self, steps: list[tuple[str, int]], rules: list[dict[str, object]]
    ) -> None:
        house, now, spends = build_house(), datetime(2026, 11, 20, 12, tzinfo=UTC), []
        build_member()
        steps = [("buy", 0), *steps]
        for number, (step, days) in enumerate(steps):
            now += days * DAY
            rule(**rules[number])
            with time_machine.travel(now, tick=False):
                if step == "buy":
                    buy(house, now, f"order-{number}", "150.00")
                elif step == "hold" and Member.objects.get().spendable >= 100:
                    spends.append(house.spend(build_intent(f"key-{number}")))
                elif step == "capture" and spends:
                    house.confirm(spends.pop(), build_order(f"spent-{number}"))
                elif step == "release" and spends:
                    house.release(spends.pop(0))
                elif step == "return":
                    house.record_return(build_return("40.00", f"return-{number}", "order-0"))
                elif step == "expire":
                    expire_all("acme", now)
            self.check(now)
        end = datetime(2030, 1, 1, tzinfo=UTC)
        with time_machine.travel(end, tick=False):
            for spend in spends:
                house.release(spend)
        expire_all("acme", end)
        self.check(end)
        assert expire_points("acme", REF, end) == []

    def check(self, now: datetime) -> None:
        member = Member.objects.get()
        points = sum(Entry.objects.values_list("points", flat=True))
        assert member.spendable + member.reserved == points
        for each in expiring_points(member):
            assert member.next_expiry_at
            assert member.next_expiry_at <= max(each.at, now)
