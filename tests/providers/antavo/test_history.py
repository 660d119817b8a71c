"""The points history: each redemption is one line, with how it ended."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from loyaltyview.sandbox.vendors.antavo.state import Event
from providers.antavo import history
from providers.antavo.provider import AntavoProvider
from providers.sales import Spend
from tests.providers.antavo.build import intent, order, points_intent
from tests.providers.antavo.conftest import MIA, Served

BEGAN = [(820, "Point add")]


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Give each event of a test a time of its own."""
    with time_machine.travel(datetime.now(UTC).replace(hour=12), tick=True) as clock:
        yield clock


Ordered = Callable[..., None]


@pytest.fixture
def ordered(provider: AntavoProvider, clock: time_machine.Traveller) -> Ordered:
    """Return a function that lets an order carry the spends, later."""

    def order_with(*spends: Spend) -> None:
        clock.shift(timedelta(seconds=2))  # a checkout's time is in whole seconds
        sale = order(spends=spends)
        for spend in spends:
            provider.confirm(spend, sale)
        provider.record_order(sale)
        clock.shift(timedelta(seconds=2))

    return order_with


def told(provider: AntavoProvider) -> list[tuple[int, str]]:
    return [(movement.points, movement.text) for movement in provider.get_history(MIA).movements]


def test_history_is_in_the_workspaces_words(provider: AntavoProvider) -> None:
    assert told(provider) == BEGAN


def test_reserved_points_are_held_until_their_order(provider: AntavoProvider) -> None:
    provider.spend(points_intent(200))
    assert told(provider) == [(-200, "Held for an order: Reserve points"), *BEGAN]


def test_points_that_an_order_burned_are_one_line(
    provider: AntavoProvider, vendor: Served, ordered: Ordered
) -> None:
    ordered(provider.spend(points_intent(200)))
    assert told(provider) == [(100, "Purchase"), (-200, "Redeemed: Point spend"), *BEGAN]
    assert [event.action for event in vendor.mia.events[1:]] == [
        "reserve_points", "release_points", "checkout", "point_spend",
    ]  # fmt: skip


def test_two_redemptions_of_one_order_are_two_lines(provider: AntavoProvider, ordered: Ordered) -> None:
    ordered(provider.spend(points_intent(200)), provider.spend(points_intent(100)))
    assert told(provider) == [
        (100, "Purchase"),
        (-100, "Redeemed: Point spend"),
        (-200, "Redeemed: Point spend"),
        *BEGAN,
    ]


def test_a_reservation_that_was_given_back_changes_nothing(provider: AntavoProvider) -> None:
    provider.release(provider.spend(points_intent(200)))
    assert told(provider) == [(0, "Redeemed and given back: Reserve points"), *BEGAN]


def test_burned_points_that_came_back_are_still_one_line(provider: AntavoProvider, ordered: Ordered) -> None:
    first, second = provider.spend(points_intent(200)), provider.spend(points_intent(100))
    ordered(first, second)
    provider.release(first)
    assert told(provider) == [
        (100, "Purchase"), (-100, "Redeemed: Point spend"), (0, "Redeemed and given back: Point spend"),
        *BEGAN,
    ]  # fmt: skip


def test_a_cancelled_order_gives_its_redemption_back(provider: AntavoProvider, ordered: Ordered) -> None:
    spend = provider.spend(points_intent(200))
    ordered(spend)
    provider.cancel_order(order(spends=(spend,)))
    provider.release(spend)
    assert told(provider) == [
        (-100, "Return"),
        (100, "Purchase"),
        (0, "Redeemed and given back: Point spend"),
        *BEGAN,
    ]


def test_a_claim_and_its_revocation_are_one_line(provider: AntavoProvider) -> None:
    first, _second = provider.spend(intent()), provider.spend(intent())
    assert told(provider) == [(-100, "Redeemed: Reward"), (-100, "Redeemed: Reward"), *BEGAN]
    provider.release(first)
    assert told(provider) == [(-100, "Redeemed: Reward"), (0, "Redeemed and given back: Reward"), *BEGAN]


def test_redemptions_that_others_made_are_told_by_their_transaction(
    provider: AntavoProvider, vendor: Served
) -> None:
    at = datetime.now(UTC)
    for number, (action, points, transaction) in enumerate(
        [
            ("reserve_points", -50, "shop-1"), ("point_spend", -30, "shop-2"),
            ("release_points", 50, "shop-1"),
            ("point_unspend", 30, "shop-2"), ("point_spend", -10, ""), ("reward_revoke", 5, ""),
        ]
    ):  # fmt: skip
        properties = {"transaction_id": transaction} if transaction else {}
        vendor.mia.events.append(
            Event(action=action, points=points, at=at + timedelta(seconds=number), properties=properties)
        )
    assert told(provider) == [
        (5, "Reward revoke"), (-10, "Redeemed: Point spend"), (0, "Redeemed and given back: Point spend"),
        (0, "Redeemed and given back: Reserve points"), *BEGAN,
    ]  # fmt: skip


def test_a_revocation_is_of_the_claim_of_its_points(provider: AntavoProvider, vendor: Served) -> None:
    """Another channel revokes one of several claims of a reward whose points the customer chooses."""
    at = datetime.now(UTC)
    for number, (action, points) in enumerate([("reward", -100), ("reward", -200), ("reward_revoke", 100)]):
        vendor.mia.events.append(
            Event(action=action, points=points, at=at + timedelta(seconds=number), properties={"reward": "r"})
        )
    assert told(provider) == [(-200, "Redeemed: Reward"), (0, "Redeemed and given back: Reward"), *BEGAN]


def test_a_revocation_of_other_points_leaves_the_difference(provider: AntavoProvider, vendor: Served) -> None:
    at = datetime.now(UTC)
    for number, (action, points) in enumerate([("reward", -100), ("reward_revoke", 80)]):
        vendor.mia.events.append(
            Event(action=action, points=points, at=at + timedelta(seconds=number), properties={"reward": "r"})
        )
    assert told(provider) == [(-20, "Redeemed and partly given back: Reward"), *BEGAN]


def test_events_are_read_page_by_page_until_the_lines_are_enough(
    provider: AntavoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "PAGE", 2)
    began = datetime.now(UTC) - timedelta(days=9)
    vendor.mia.events[:] = [
        Event(action="point_add", points=number, at=began + timedelta(hours=number)) for number in range(1, 8)
    ]
    vendor.mia.score = 28
    whole = provider.get_history(MIA)
    assert [line.points for line in whole.movements] == [7, 6, 5, 4, 3, 2, 1]
    assert (whole.has_older, whole.points_after) == (False, 28)
    cut = provider.get_history(MIA, began + timedelta(hours=6), 1)
    assert ([line.points for line in cut.movements], cut.has_older, cut.points_after) == ([6], True, None)
