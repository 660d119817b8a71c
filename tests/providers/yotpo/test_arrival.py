"""What proves that an order whose answer was lost has arrived, and what proves nothing."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Unavailable
from providers.journal.models import Write, WriteKind
from providers.sales import Order
from providers.types import Consents, MemberProfile
from providers.yotpo.provider import YotpoProvider
from tests.providers.transcripts import losing
from tests.providers.yotpo.build import (
    LEO,
    make_intent,
    make_order,
    make_return,
    points_of,
    ref,
)
from tests.providers.yotpo.conftest import Build


def lose(provider: YotpoProvider, yotpo: Yotpo, order: Order, *, arrives: bool = False) -> None:
    """Send the order; its request is lost, or only its answer."""
    trouble = losing(yotpo, loses_requests=not arrives, withholds_answers=arrives)
    with trouble, pytest.raises(OutcomeUnknown):
        provider.record_order(order)


def later(minutes: int = 20) -> time_machine.travel:
    return time_machine.travel(timezone.now() + timedelta(minutes=minutes), tick=False)


def test_another_order_of_the_same_amount_is_not_taken_for_the_one_that_was_lost(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    lose(provider, yotpo, make_order(mia))
    with later(minutes=12):
        provider.record_order(make_order(mia, order_id="order-2"))  # at the next till
        with pytest.raises(Unavailable):  # order-2 may not show yet
            provider.record_order(make_order(mia))
    with later(minutes=30):
        provider.record_order(make_order(mia))

    assert sorted(yotpo.books.orders) == ["order-1", "order-2"]


def test_an_order_that_arrived_beside_another_one_is_recognised_by_the_sum(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    before = yotpo.books.customers[0].total_purchases
    lose(provider, yotpo, make_order(mia), arrives=True)
    provider.record_order(make_order(mia, base="33.00", order_id="order-2"))
    with later():
        provider.record_order(make_order(mia))

    assert yotpo.books.orders["order-1"].flags == []
    assert yotpo.books.customers[0].total_purchases == before + 2


def test_an_order_just_before_that_yotpo_processed_late_is_not_taken_for_it_either(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.orders.is_delayed = True
    provider.record_order(make_order(mia, order_id="order-0"))
    lose(provider, yotpo, make_order(mia))
    yotpo.orders.apply()

    with later(), pytest.raises(Unavailable):
        provider.record_order(make_order(mia))


def test_totals_that_an_even_exchange_left_as_they_were_prove_nothing(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_order(make_order(mia))
    yotpo.orders.repeats = "counted"
    customer = yotpo.books.customers[0]
    new = make_order(mia, order_id="order-2")
    lose(provider, yotpo, new, arrives=True)
    provider.record_return(make_return(mia, "80.00"))
    customer.total_spend_cents -= 8000  # an account whose refunds lower what was spent

    with later(), pytest.raises(Unavailable):
        provider.record_order(new)
    assert yotpo.books.orders["order-2"].flags == []


def test_two_orders_that_were_lost_together_are_both_sent_again(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    orders = make_order(mia), make_order(mia, order_id="order-2")
    for order in orders:
        lose(provider, yotpo, order)
    with later():
        provider.record_order(orders[0])
        with pytest.raises(Unavailable):  # the first one may not show yet
            provider.record_order(orders[1])
    with later(minutes=40):
        provider.record_order(orders[1])

    assert sorted(yotpo.books.orders) == ["order-1", "order-2"]


def test_an_order_of_another_customer_says_nothing_and_does_not_matter(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    lose(provider, yotpo, make_order(mia), arrives=True)
    provider.record_order(make_order(ref(provider, LEO), order_id="order-2"))

    provider.record_order(make_order(mia))
    assert Write.objects.get(kind=WriteKind.SALE, key="order-1").state == "done"


def test_an_order_without_an_amount_is_recognised_by_its_code_alone(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend, base="0")
    provider.confirm(spend, order)
    with losing(yotpo, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.close_order(order)
    yotpo.books.customers[0].points_earned += 50  # a birthday

    with pytest.raises(Unavailable):
        provider.close_order(order)


def test_a_code_whose_points_an_earlier_order_took_proves_nothing(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    customer = yotpo.books.customers[0]
    yotpo.books.redemption_of(spend.provider_ref).state = "used"  # type: ignore[union-attr]
    yotpo.books.add_points(customer, -100, "$5 Off", earned=False, status=spend.provider_ref)
    lose(provider, yotpo, order)
    with later():
        provider.record_order(order)

    assert "order-1" in yotpo.books.orders


def test_a_code_that_an_open_order_carried_does_not_prove_that_the_paid_one_arrived(
    build: Build, yotpo: Yotpo, mia: str
) -> None:
    yotpo.orders.repeats = "updated"
    yotpo.orders.is_delayed = True
    provider = build(order_sending="open_and_paid")
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    lose(provider, yotpo, order)
    yotpo.orders.apply()
    with later():
        provider.record_order(order)
        yotpo.orders.apply()
        assert points_of(provider, mia) == (820 - 100 + 100, 0)


@pytest.mark.parametrize("arrives", [True, False])
def test_an_order_that_a_former_version_sent_is_recognised_by_its_held_code(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, arrives: bool
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    lose(provider, yotpo, order, arrives=arrives)
    sale = Write.objects.filter(kind=WriteKind.SALE)
    sale.update(shown_before=None)  # it read nothing before

    with later(), nullcontext() if arrives else pytest.raises(Unavailable):
        provider.record_order(order)
    assert [row.state for row in sale] == ["done" if arrives else "sent"]
    assert [sent.flags for sent in yotpo.books.orders.values()] == ([[]] if arrives else [])


@pytest.mark.parametrize("platform", ["generic", "shopify"])
def test_the_order_of_a_new_customer_waits_until_yotpo_finds_them(
    build: Build, yotpo: Yotpo, platform: str
) -> None:
    provider = build(platform=platform)
    yotpo.hidden_reads = 7
    profile = MemberProfile(first_name="Zoe", last_name="Park", email="zoe@example.test", phone="")
    zoe = provider.enrol(profile, Consents())

    with pytest.raises(Unavailable):
        provider.record_order(make_order(zoe.ref))
    yotpo.books.customer("email", "zoe@example.test").hidden_reads = 0  # type: ignore[union-attr]
    provider.record_order(make_order(zoe.ref))
    assert yotpo.books.orders["order-1"].total_cents == 8000


def test_a_return_that_came_before_its_order_does_not_hide_whether_the_order_arrived(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_return(make_return(mia, "30.00"))  # Yotpo takes nothing back for an unknown order
    lose(provider, yotpo, make_order(mia))
    with later():
        provider.record_order(make_order(mia))

    assert yotpo.books.orders["order-1"].total_cents == 5000
