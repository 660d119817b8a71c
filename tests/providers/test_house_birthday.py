"""The birthday reward: one voucher a year, around the birthday."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from providers.base import ProviderConfig
from providers.house.birthday import give_gifts, months_of
from providers.house.campaigns import Zone
from providers.house.models import BirthdayGift, BirthdayRule, Member, Voucher
from providers.house.provider import HouseProvider
from providers.types import Birthday, Consents, EnrolmentField, MemberProfile
from tests.plans import plan_of
from tests.providers.house import REF, build_campaign, build_member

NEW_YORK = Zone(time_zone="America/New_York")


@pytest.fixture
def rule(house: HouseProvider) -> BirthdayRule:
    campaign = build_campaign(campaign_id="birthday", title="Happy birthday")
    return BirthdayRule.objects.create(program="acme", campaign=campaign, days_before=7, days_after=14)


def born(month: int, day: int, ref: str = REF) -> Member:
    member = build_member(ref)
    Member.objects.filter(pk=member.pk).update(birth_month=month, birth_day=day)
    return member


def give_on(day: date, zone: Zone = NEW_YORK, hour: int = 17) -> int:
    """Give the gifts of that day at `hour` UTC; returns how many vouchers there are then."""
    give_gifts("acme", zone, datetime(day.year, day.month, day.day, hour, tzinfo=UTC), 60)
    return Voucher.objects.count()


def test_a_member_gets_one_voucher_from_the_days_before_to_the_days_after(rule: BirthdayRule) -> None:
    born(3, 20)
    assert give_on(date(2026, 3, 12)) == 0
    assert give_on(date(2026, 3, 13)) == 1
    assert give_on(date(2026, 3, 20)) == 1
    voucher = Voucher.objects.get()
    assert voucher.title == "Happy birthday"
    # The end of 3 April in New York.
    assert voucher.expires_at == datetime(2026, 4, 4, 4, tzinfo=UTC) - timedelta(microseconds=1)
    assert give_on(date(2027, 3, 13)) == 2


def test_today_is_that_of_the_programs_time_zone(rule: BirthdayRule) -> None:
    born(3, 20)
    assert give_on(date(2026, 3, 13), hour=2) == 0  # still 12 March in New York
    assert give_on(date(2026, 3, 13), hour=5) == 1


def test_who_enrols_soon_after_their_birthday_gets_a_voucher(rule: BirthdayRule) -> None:
    born(3, 20)
    assert give_on(date(2026, 4, 4)) == 0
    assert give_on(date(2026, 4, 3)) == 1


@pytest.mark.parametrize(("year", "birthday"), [(2027, date(2027, 2, 28)), (2028, date(2028, 2, 29))])
def test_29_february_is_28_february_in_other_years(rule: BirthdayRule, year: int, birthday: date) -> None:
    born(2, 29)
    assert give_on(birthday) == 1
    assert BirthdayGift.objects.get().birthday == birthday


def test_a_window_over_new_year_counts_the_year_of_the_birthday(rule: BirthdayRule) -> None:
    born(1, 3)
    assert give_on(date(2026, 12, 28)) == 1
    assert BirthdayGift.objects.get().year == 2027
    assert give_on(date(2027, 1, 3)) == 1


@pytest.mark.parametrize(("month", "day"), [(11, 20), (1, 5)])
def test_a_changed_birthday_brings_no_second_voucher_within_the_year(
    rule: BirthdayRule, month: int, day: int
) -> None:
    member = born(12, 10) if month == 1 else born(3, 20)
    given = date(2026, 12, 10) if month == 1 else date(2026, 3, 20)
    assert give_on(given) == 1
    Member.objects.filter(pk=member.pk).update(birth_month=month, birth_day=day)
    assert give_on(date(2027 if month == 1 else 2026, month, day)) == 1
    assert give_on(date(2028 if month == 1 else 2027, month, day)) == 2


def test_the_database_refuses_a_second_gift_in_a_year(rule: BirthdayRule) -> None:
    member = born(3, 20)
    give_on(date(2026, 3, 20))
    other = Voucher.objects.create(program="acme", member=member, title="x", kind="fixed", amount=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        BirthdayGift.objects.create(member=member, year=2026, birthday=date(2026, 3, 20), voucher=other)


def test_a_program_without_the_reward_gives_and_asks_nothing(
    rule: BirthdayRule, house: HouseProvider
) -> None:
    born(3, 20)
    assert EnrolmentField.BIRTHDAY in house.enrolment_fields()
    BirthdayRule.objects.update(is_active=False)
    assert give_on(date(2026, 3, 20)) == 0
    assert house.enrolment_fields() == frozenset()


def test_enrolment_keeps_the_birthday_and_an_erasure_deletes_it(house: HouseProvider) -> None:
    birthday = Birthday(month=2, day=29)
    noor = house.enrol(MemberProfile(email="noor@example.test", birthday=birthday), Consents())
    member = Member.objects.get()
    assert (member.birth_month, member.birth_day, member.birth_year) == (2, 29, None)
    house.erase_member(noor.ref, "ERASED-1")
    member.refresh_from_db()
    assert (member.birth_month, member.birth_day) == (None, None)


def test_an_erasure_deletes_the_birthday_of_each_gift(house: HouseProvider, rule: BirthdayRule) -> None:
    born(3, 20)
    assert give_on(date(2026, 3, 20)) == 1
    house.erase_member(REF, "ERASED-1")
    assert not BirthdayGift.objects.exists()


def test_the_worker_gives_the_vouchers(rule: BirthdayRule) -> None:
    today = datetime.now(UTC).date()
    born(today.month, today.day)
    house = HouseProvider(ProviderConfig(program="acme", currency="USD", country="US", time_zone="UTC"))
    house.maintain()
    assert len(house.list_vouchers(REF)) == 1


def test_the_months_of_a_window() -> None:
    found = [
        (days.year, days.month, days.first, days.last)
        for days in months_of(date(2026, 12, 30), date(2027, 2, 28))
    ]
    assert found == [(2026, 12, 30, 31), (2027, 1, 1, 31), (2027, 2, 1, 29)]


def test_birthdays_are_found_by_an_index(rule: BirthdayRule) -> None:
    born(3, 20)
    others = [
        Member(program="acme", member_id=f"M-{at}", birth_month=at % 12 + 1, birth_day=at % 28 + 1)
        for at in range(500)
    ]
    Member.objects.bulk_create(others)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # so that PostgreSQL knows that the program alone selects nothing
    with CaptureQueriesContext(connection) as queries:
        give_on(date(2026, 3, 20))
    asked = [
        query["sql"] for query in queries if '"birth_month" = 3' in query["sql"] and "SELECT" in query["sql"]
    ]
    assert "house_member_birthday" in plan_of(asked[0])
