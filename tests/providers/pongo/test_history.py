"""Pongo lists no movements: the history is what we did."""

from providers.pongo.provider import PongoProvider
from providers.sales import SpendKind
from tests.providers.pongo.conftest import MIA, TEN_OFF, Served
from tests.providers.pongo.intents import an_intent, an_order


def told(provider: PongoProvider) -> list[tuple[int, str]]:
    return [(line.points, line.text) for line in provider.get_history(MIA).movements]


def test_a_redemption_ends_with_its_order(provider: PongoProvider) -> None:
    spend = provider.spend(an_intent())
    assert told(provider) == [(-100, "Held for an order: $5 off")]
    order = an_order(spend)
    provider.confirm(spend, order)
    earned = provider.record_order(order).points
    assert told(provider) == [(earned, "Purchase"), (-100, "Redeemed: $5 off")]


def test_a_bought_reward_that_was_not_used_has_taken_its_points(provider: PongoProvider) -> None:
    provider.keep_with_customer(provider.spend(an_intent()))
    assert told(provider) == [(-100, "Bought and kept for later: $5 off")]


def test_an_owned_reward_that_was_given_back_took_nothing(provider: PongoProvider, vendor: Served) -> None:
    won = vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[TEN_OFF])
    provider.release(provider.spend(an_intent(item=won.hash, kind=SpendKind.VOUCHER, points=0)))
    assert told(provider) == [(0, "Redeemed and given back: $10 off")]
