"""Redemptions on the admin's front page: each count agrees with the list that it leads to."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from loyaltyview.ops.charts import Chart
from loyaltyview.programs.models import Program, Trouble
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.overview import redemptions_part
from tests.plans import analyze, plan_of

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)
# The place of each chart.
BY_DAY, ENDINGS = 0, 1

Redeemed = Callable[..., Redemption]


@pytest.fixture
def redeemed(program: Program) -> Redeemed:
    """Write one redemption of $10 as it stands, `age` ago."""

    def write(state: State = State.SETTLED, age: timedelta = timedelta(0), **changes: Any) -> Redemption:
        number = Redemption.objects.count()
        fields: dict[str, Any] = {
            "program": program,
            "state": state,
            "key": f"k-{number}",
            "fingerprint": "f",
            "launch_id": "launch-1",
            "cart": {},
            "cart_id": "cart-1",
            "member_ref": f"member-{number}",
            "kind": "reward",
            "item_id": "ten-off",
            "title": "$10 off",
            "points": 200,
            "discount": {},
            "saving": Decimal("10.00"),
            "currency": "USD",
            "code": f"LOY{number}",
            "order_id": f"order-{number}",
            "requested_at": timezone.now() - age,
        }
        return Redemption.objects.create(**(fields | changes))

    return write


def charts_of(user: Any) -> list[Chart]:
    return list(redemptions_part(user).charts)


def rows_of(chart: Chart) -> list[tuple[str, str]]:
    return [(row.label, row.text) for row in chart.rows]


@pytest.fixture
def morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_a_stuck_redemption_needs_a_person_and_leads_to_its_two_buttons(
    admin_client: Client, redeemed: Redeemed
) -> None:
    redeemed(State.STUCK, timedelta(days=40))
    redeemed(State.SETTLED)

    page = admin_client.get(reverse("admin:index")).content.decode()

    found = re.search(r'<a href="([^"]+)">1 redemption: did the program take the points\?</a>', page)
    assert found
    assert "for 1\xa0month, 1\xa0week" in page
    listed = admin_client.get(unescape(found[1])).context["cl"]
    assert [row.state for row in listed.queryset] == [State.STUCK]


def test_todays_numbers_count_redemptions_that_stand(
    admin_user: Any, redeemed: Redeemed, morning: Any
) -> None:
    redeemed(State.REVEALED)
    redeemed(State.USED, saving=Decimal("1234.50"))
    redeemed(State.SETTLED, currency="JPY", saving=Decimal(500))
    redeemed(State.RELEASED)
    redeemed(State.REFUSED, refusal="OUT_OF_STOCK")
    redeemed(State.SETTLED, timedelta(hours=11))  # yesterday

    numbers = {number.label: number.value for number in redemptions_part(admin_user).numbers}

    assert numbers == {
        "Redeemed today": "3",
        "Saved for customers today": "1,244.50\xa0USD, 500\xa0JPY",
        "Refused today": "1",
    }


def test_savings_have_a_plot_for_each_currency(admin_user: Any, redeemed: Redeemed, morning: Any) -> None:
    redeemed()
    redeemed(age=timedelta(days=1), currency="EUR", saving=Decimal("7.25"))
    redeemed(age=timedelta(days=14))  # before the fortnight

    chart = charts_of(admin_user)[BY_DAY]

    assert chart.columns == ["Redemptions", "Saved, USD", "Saved, EUR"]
    assert chart.lines[:2] == [
        ("March 4", ["1", "10.00\xa0USD", "0.00\xa0EUR"]),
        ("March 3", ["1", "0.00\xa0USD", "7.25\xa0EUR"]),
    ]
    assert len(chart.lines) == 14
    assert sum(int(cells[0]) for _day, cells in chart.lines) == 2


def test_a_day_is_that_of_the_programs(
    admin_user: Any, program: Program, redeemed: Redeemed, morning: Any
) -> None:
    Program.objects.update(time_zone="America/New_York")
    redeemed(age=timedelta(hours=6))  # 04:00 UTC is 23:00 of yesterday there

    chart = charts_of(admin_user)[BY_DAY]

    assert "(America/New_York)." in chart.about
    assert [day for day, cells in chart.lines if cells[0] == "1"] == ["March 3"]


def test_programs_in_several_time_zones_are_counted_in_utc(
    admin_user: Any, program: Program, redeemed: Redeemed
) -> None:
    Program.objects.update(time_zone="America/New_York")
    program.pk, program.slug, program.time_zone = None, "acme-eu", "Europe/Paris"
    program.save()

    assert charts_of(admin_user)[BY_DAY].about.count("(UTC).") == 1


def test_a_share_is_rounded_not_cut(admin_user: Any, redeemed: Redeemed) -> None:
    for _ in range(6):
        redeemed(State.SPENT)
    redeemed(State.REFUSED, refusal="OUT_OF_STOCK")
    assert rows_of(charts_of(admin_user)[ENDINGS])[1] == ("Refused: Out of stock", "1 (14.3 %)")


def test_success_comes_first_then_reasons_by_their_number(admin_user: Any, redeemed: Redeemed) -> None:
    for state in (State.SPENT, State.SETTLED):
        redeemed(state)
    for reason in ("OUT_OF_STOCK", "OUT_OF_STOCK", "A_NEW_REASON"):
        redeemed(State.REFUSED, refusal=reason)

    assert rows_of(charts_of(admin_user)[ENDINGS]) == [
        ("Redeemed", "2 (40.0 %)"),
        ("Refused: Out of stock", "2 (40.0 %)"),
        ("Refused: A_NEW_REASON", "1 (20.0 %)"),
    ]


def test_each_reason_leads_to_a_list_of_as_many(
    admin_client: Client, admin_user: Any, redeemed: Redeemed
) -> None:
    for state in (State.SPENT, State.SETTLED, State.RELEASED, State.STUCK):
        redeemed(state)
    redeemed(State.REFUSED, refusal="OUT_OF_STOCK")
    redeemed(State.REFUSED, timedelta(days=20), refusal="OUT_OF_STOCK")

    for row in charts_of(admin_user)[ENDINGS].rows:
        assert admin_client.get(row.url).context["cl"].queryset.count() == row.value, row.label


def test_earlier_days_are_counted_once_an_hour_and_today_each_time(
    admin_user: Any, redeemed: Redeemed, morning: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    def by_day() -> list[str]:
        return [cells[0] for _day, cells in charts_of(admin_user)[BY_DAY].lines[:3]]

    redeemed(age=timedelta(days=2))
    assert by_day() == ["0", "0", "1"]
    redeemed()
    redeemed(age=timedelta(days=1))

    with django_assert_num_queries(4):
        assert by_day() == ["1", "0", "1"]
    assert rows_of(charts_of(admin_user)[ENDINGS]) == [("Redeemed", "2 (100.0 %)")]
    morning.shift(timedelta(minutes=61))
    assert by_day() == ["1", "1", "1"]
    morning.shift(timedelta(days=1))
    assert by_day() == ["0", "1", "1"]


def test_the_part_asks_four_questions_of_indexes(
    admin_user: Any, program: Program, redeemed: Redeemed, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for day in range(20):
        redeemed(age=timedelta(days=day))
    now = timezone.now()
    Trouble.objects.bulk_create(
        Trouble(
            program=program, kind="page", code=f"CODE-{number % 10}", slot=now - timedelta(hours=number),
            count=1, first_at=now, last_at=now,
        )
        for number in range(2000)
    )  # fmt: skip
    # Of an empty table PostgreSQL takes any index that holds the time.
    analyze("redemptions_redemption", "programs_trouble")

    with django_assert_num_queries(4) as asked:
        redemptions_part(admin_user)

    plans = "\n".join(plan_of(each["sql"]) for each in asked.captured_queries[1:])
    for index in ("redemption_requested", "redemption_stuck", "trouble_slot"):
        assert index in plans
