"""The birthday reward: a voucher for each member around their birthday, once a year.

Days count in the program's time zone. Who was born on 29 February has their birthday on 28 February in other
years (docs/decisions/0049-birthdays-and-referrals.md).
"""

import time
from calendar import isleap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from providers.dates import last_moment, zone_of
from providers.house.campaigns import Zone, is_open, voucher_fields
from providers.house.models import BirthdayGift, BirthdayRule, Member, Voucher

CHUNK = 500
# A birthday that is changed, from December to January for example, brings no second gift soon.
LEAST_DAYS_BETWEEN = 330


@dataclass(frozen=True, slots=True)
class Days:
    """The birthdays from day `first` to day `last` of one month."""

    year: int
    month: int
    first: int
    last: int


def rule_of(program: str) -> BirthdayRule | None:
    """Return the program's birthday reward, None where it has none now."""
    rules = BirthdayRule.objects.filter(program=program, is_active=True, campaign__is_active=True)
    return rules.select_related("campaign").first()


def give_gifts(program: str, zone: Zone, now: datetime, seconds: float) -> bool:
    """Give the vouchers of all birthdays around today, for about `seconds`; returns whether all are given.
    May be repeated: each member gets one a year."""
    rule = rule_of(program)
    if rule is None or not is_open(rule.campaign, now):
        return True
    ends = time.monotonic() + seconds
    today = now.astimezone(zone_of(now.date(), zone.time_zone, zone.country)).date()
    first, last = today - timedelta(days=rule.days_after), today + timedelta(days=rule.days_before)
    for days in months_of(first, last):
        while _give_chunk(rule, days, zone, now):
            if time.monotonic() >= ends:
                return False
    return True


def months_of(first: date, last: date) -> Iterator[Days]:
    """Yield the days from `first` to `last` month by month, so that an index finds the members."""
    while first <= last:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        end = min(last, next_month - timedelta(days=1))
        is_last_of_february = end.month == 2 and end.day == 28 and not isleap(end.year)
        yield Days(first.year, first.month, first.day, 29 if is_last_of_february else end.day)
        first = next_month


def birthday_in(year: int, month: int, day: int) -> date:
    """Return the birthday in this year; 28 February for 29 February in a year without it."""
    return date(year, month, 28 if (month, day) == (2, 29) and not isleap(year) else day)


def _give_chunk(rule: BirthdayRule, days: Days, zone: Zone, now: datetime) -> bool:
    """Give the next gifts of these days; returns whether more may be to come."""
    with transaction.atomic():
        members = list(_without_gift(rule.program, days).select_for_update(of=("self",))[:CHUNK])
        fields = voucher_fields(rule.campaign)
        gifts = []
        for member in members:
            birthday = birthday_in(days.year, days.month, member.birth_day or 1)
            expires = last_moment(birthday + timedelta(days=rule.days_after), zone.time_zone, zone.country)
            voucher = Voucher(
                **fields, member=member, voucher_id=f"birthday-{member.pk}-{days.year}", expires_at=expires
            )
            gifts.append(BirthdayGift(member=member, year=days.year, birthday=birthday, voucher=voucher))
        Voucher.objects.bulk_create([gift.voucher for gift in gifts])
        BirthdayGift.objects.bulk_create(gifts)
    return len(members) == CHUNK


def _without_gift(program: str, days: Days) -> QuerySet[Member]:
    earliest = birthday_in(days.year, days.month, days.first)
    had = BirthdayGift.objects.filter(
        Q(year=days.year) | Q(birthday__gt=earliest - timedelta(days=LEAST_DAYS_BETWEEN)),
        member=OuterRef("pk"),
    )
    born = Member.objects.filter(
        program=program, birth_month=days.month, birth_day__gte=days.first, birth_day__lte=days.last
    )
    return born.exclude(Exists(had)).order_by("pk")
