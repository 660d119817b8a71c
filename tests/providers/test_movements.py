"""The sentences of a points history, and the pages of a list that a vendor gives as a whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.movements import Ending, Movement, MovementKind, newest_first

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def movement(points: int = 0, hour: int = 0, **fields: Any) -> Movement:
    return Movement(at=NOON + timedelta(hours=hour), points=points, **fields)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"kind": "redemption", "title": "Tote"}, "Redeemed: Tote"),
        ({"kind": "redemption", "title": "Tote", "ending": "held"}, "Held for an order: Tote"),
        ({"kind": "redemption", "ending": "back"}, "Redeemed and given back: Reward"),
        ({"kind": "purchase", "number": "1001"}, "Purchase 1001"),
        ({"kind": "purchase", "ending": "back"}, "Purchase, taken back"),
        ({"kind": "return", "number": "1001"}, "Return of purchase 1001"),
        ({"kind": "cancellation"}, "Purchase cancelled"),
        ({"kind": "expiry"}, "Points expired"),
        ({"title": "Signed up"}, "Signed up"),
        ({}, "Points"),
        ({"title": "Signed up", "pending": 50}, "50 points are pending: Signed up"),
    ],
)
def test_a_movement_is_a_sentence(fields: dict[str, Any], text: str) -> None:
    kind, ending = MovementKind(fields.get("kind", "other")), Ending(fields.get("ending", "done"))
    assert movement(**{**fields, "kind": kind, "ending": ending}).text == text


def test_a_list_is_shown_from_a_time_downwards_with_the_balance_after_its_first_line() -> None:
    lines = [movement(10), movement(200, 1), movement(-50, 2), movement(5, 3)]
    page = newest_first(lines, NOON + timedelta(hours=2), 2, spendable=165)
    assert [line.points for line in page.movements] == [-50, 200]
    assert (page.has_older, page.points_after) == (True, 160)


@pytest.mark.parametrize("spendable", [100, None])
def test_a_list_that_does_not_add_up_has_no_balance(spendable: int | None) -> None:
    assert newest_first([movement(120)], None, 50, spendable).points_after is None
