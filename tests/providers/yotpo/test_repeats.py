"""What a second order of one id does at Yotpo is not documented, and the adapter does not rely on it. Whether
the account drops it, updates the first or counts it again, every write has the effect of its transcript."""

import itertools
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.orders import Repeats
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Unavailable
from providers.journal.models import Write, WriteKind
from providers.sales import Order, PointsChange, Spend
from providers.yotpo.provider import YotpoProvider
from tests.providers.transcripts import Till, losing, read_transcripts
from tests.providers.yotpo.build import MIA, make_intent, make_order, make_return, points_of
from tests.providers.yotpo.conftest import Build

TRANSCRIPTS = read_transcripts(Path(__file__).parent / "transcripts" / "holds.txt")
SCRIPTS = (
    "-: order order smaller later order",
    "-: order/unanswered order late order later order smaller",
    "-: order/lost order late order later order smaller",
    "-: order/delayed order late order later order smaller",
    "-: order/delayed cancel late cancel later cancel order",
    "-: order/unanswered return late return later return order return",
    "-: order/delayed return late return later return order return",
    "-: return order return later return order",
    "-: cancel order cancel later cancel order",
    "reward: spend confirm close/unanswered close late close later close release",
    "reward: spend confirm close/delayed close late close later close release",
)


WITH_AN_OPEN_ORDER = (
    "reward: spend confirm order cancel release release later cancel release",
    "reward: spend confirm order order release cancel later order cancel",
    "reward: spend confirm/delayed confirm late confirm later confirm find release",
    "reward: spend confirm full full release later full",
    "reward: spend confirm close/delayed close late close later close release",
)


def play(provider: YotpoProvider, yotpo: Yotpo, mia: str, script: str) -> list[str]:
    """Return the lines of the script's transcript."""
    kind, _, words = script.partition(": ")
    intent = make_intent(mia) if kind == "reward" else None

    def order(order_id: str = "order-1", base: str = "80.00", spends: tuple[Spend, ...] = ()) -> Order:
        return make_order(mia, *spends, base=base, order_id=order_id)

    with ExitStack() as stack:
        till = Till(provider, yotpo, intent, order, map(str, itertools.count()), stack)
        return [till.run(word) for word in words.split()]


def balance_in(line: str) -> str:
    return line[58:].rpartition(",")[0]


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("repeats", ["updated", "counted"])
def test_each_write_does_what_its_transcript_says_whatever_a_repeat_does(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, repeats: Repeats, script: str
) -> None:
    yotpo.orders.repeats = repeats

    assert play(provider, yotpo, mia, script) == TRANSCRIPTS[script]
    assert not any("repeat" in flag for each in yotpo.books.orders.values() for flag in each.flags)


@pytest.mark.parametrize("script", WITH_AN_OPEN_ORDER)
@pytest.mark.parametrize("repeats", ["updated", "counted"])
def test_where_open_orders_are_sent_too_every_story_ends_with_the_same_balance(
    build: Build, yotpo: Yotpo, mia: str, repeats: Repeats, script: str
) -> None:
    yotpo.orders.repeats = repeats
    lines = play(build(order_sending="open_and_paid"), yotpo, mia, script)

    assert balance_in(lines[-1]) == balance_in(TRANSCRIPTS[script][-1])


def test_where_open_orders_are_sent_the_second_one_must_update_the_first(
    build: Build, yotpo: Yotpo, mia: str
) -> None:
    """What `order_sending` says in its help: an account that drops repeats lets no such order earn."""
    provider = build(order_sending="open_and_paid")
    balances: dict[str, int] = {}
    for number, repeats in enumerate(("dropped", "updated", "counted")):
        yotpo.orders.repeats = repeats  # type: ignore[assignment]
        before = yotpo.books.customers[0].points_balance
        spend = provider.spend(make_intent(mia))
        order = make_order(mia, spend, base="100.00", order_id=f"order-{number}")
        provider.confirm(spend, order)
        provider.record_order(order)
        balances[repeats] = yotpo.books.customers[0].points_balance - before

    assert balances == {"dropped": -100, "updated": 25, "counted": 25}
    (help_,) = (spec.help for spec in YotpoProvider.setting_specs if spec.name == "order_sending")
    assert "only where Yotpo has confirmed that the second one updates the first" in help_


def test_an_order_whose_fate_the_record_does_not_show_is_left_to_a_person(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    order = make_order(mia)
    with losing(yotpo, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.record_order(order)
    yotpo.books.customers[0].total_spend_cents += 2500  # the member buys in the web shop meanwhile

    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        for _ in range(2):
            with pytest.raises(Unavailable):
                provider.record_order(order)
    assert yotpo.books.orders == {}


def test_an_order_that_was_under_way_at_the_upgrade_is_never_guessed(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    with losing(yotpo, withholds_answers=True), pytest.raises(OutcomeUnknown):
        provider.record_order(make_order(mia))
    Write.objects.filter(kind=WriteKind.SALE).update(shown_before=None)

    with pytest.raises(Unavailable):
        provider.record_order(make_order(mia))


def test_a_record_without_totals_leaves_only_the_code_to_recognise_an_order(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.yotpo.arrival.whole_of", lambda *_: None)
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    with losing(yotpo, withholds_answers=True), pytest.raises(OutcomeUnknown):
        provider.record_order(order)

    assert provider.record_order(order) == PointsChange(points=None)
    assert points_of(provider, mia) == (820 - 100 + 100, 0)


def test_a_return_that_comes_before_its_order_was_sent_reduces_the_order(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_return(make_return(mia, "30.00"))
    provider.record_order(make_order(mia))
    provider.record_return(make_return(mia, "40.00", "return-2"))

    sent = yotpo.books.orders["order-1"]
    assert (sent.total_cents, sent.refunds) == (5000, {"return-2": 4000})
    assert "items" not in sent.body
    assert yotpo.books.customer("email", MIA).points_balance == 820 + 13  # type: ignore[union-attr]


def test_of_an_order_that_came_back_before_it_was_sent_nothing_is_sent(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.cancel_order(make_order(mia))

    assert provider.record_order(make_order(mia)) == PointsChange(points=0)
    assert yotpo.books.orders == {}
    assert Write.objects.get(kind=WriteKind.CANCEL).amount == Decimal(80)


@pytest.mark.parametrize("platform", ["generic", "shopify"])
def test_an_order_that_earns_nothing_has_no_amount_since_not_every_platform_looks_at_the_status(
    build: Build, yotpo: Yotpo, mia: str, platform: str
) -> None:
    yotpo.orders.status_regex = ".*"
    provider = build(platform=platform)
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)  # of another currency, or of a channel that reports by itself
    provider.confirm(spend, order)
    provider.close_order(order)

    assert yotpo.books.orders["order-1"].total_cents == 0
    assert points_of(provider, mia) == (720, 0)
