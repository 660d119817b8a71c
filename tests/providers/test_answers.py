"""Reading answers: accepted texts, numbers and times, and the name of a missing field in the error."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import answers
from providers.errors import UnexpectedAnswer
from providers.names import Names

NAMES = Names({"points": "points, balance.value", "id": "id", "note": ""})


@pytest.mark.parametrize(
    ("value", "text", "number", "whole"),
    [
        (" a ", "a", None, None),
        ("", "", None, None),
        (12, "12", Decimal(12), 12),
        ("12", "12", Decimal(12), 12),
        (Decimal("7.0"), "7.0", Decimal(7), 7),
        ("7.50", "7.50", Decimal("7.5"), None),
        (True, "", None, None),
        (None, "", None, None),
        ([1], "", None, None),
        ("NaN", "NaN", None, None),
        ("1e999999", "1e999999", None, None),
    ],
)
def test_texts_and_numbers_come_as_either(
    value: Any, text: str, number: Decimal | None, whole: int | None
) -> None:
    assert (answers.text(value), answers.number(value), answers.whole(value)) == (text, number, whole)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-30", datetime(2026, 11, 30, tzinfo=UTC)),
        ("2026-11-30T10:00:00+02:00", datetime(2026, 11, 30, 8, tzinfo=UTC)),
        (" 2026-11-30 08:00:00 ", datetime(2026, 11, 30, 8, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("soon", None),
        (None, None),
    ],
)
def test_times_are_aware(value: Any, expected: datetime | None) -> None:
    assert answers.moment(value) == expected


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.decimals() | st.text(), st.lists))
def test_any_value_is_read_or_refused(value: Any) -> None:
    for read in (answers.text, answers.number, answers.whole, answers.moment, answers.rows):
        read(value)


@pytest.mark.parametrize(
    ("read", "detail"),
    [
        (lambda: answers.needed_text({"id": None}, "id", "uid"), "no id or uid"),
        (lambda: answers.object_in([], "customer"), "customer: not an object"),
        (lambda: answers.objects_in([1], "tiers"), "tiers: not a list of objects"),
        (lambda: answers.objects_in(None, "tiers"), "tiers: not a list of objects"),
    ],
)
def test_a_missing_required_field_is_named(read: Callable[[], Any], detail: str) -> None:
    with pytest.raises(UnexpectedAnswer) as caught:
        read()
    assert caught.value.detail == detail


def test_the_first_existing_value_counts() -> None:
    assert NAMES.number({"balance": {"value": 5}}, "points") == 5
    assert NAMES.number({"points": "many", "balance": {"value": 5}}, "points") == 5
    assert NAMES.find({"points": "many", "balance": {"value": 5}}, "points") == "many"
    assert NAMES.text({"balance": 3}, "points") == ""
    assert NAMES.all("points") == ("points", "balance.value")


def test_a_value_whose_name_is_empty_is_not_sent() -> None:
    assert NAMES.payload({"id": 7, "note": "x"}) == {"id": 7}
