"""Orders sent once or in two statuses, refunds under their own ids, never more than the order."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.sales import PointsChange
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import ANA, TEN_OFF, make_intent, make_order, make_return, points_of, ref
from tests.providers.yotpo.conftest import Build

LATER = PointsChange(points=None)


@pytest.fixture
def sends_open(build: Build, yotpo: Yotpo) -> YotpoProvider:
    """The adapter of an account whose second order of one id updates the first."""
    yotpo.orders.repeats = "updated"
    return build(order_sending="open_and_paid")


def test_an_order_is_sent_once_when_it_is_completed(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)

    assert yotpo.books.orders == {}
    assert points_of(provider, mia) == (720, 0)
    for _ in range(2):
        provider.record_order(order)

    sent = yotpo.books.orders["order-1"]
    assert (sent.body["status"], sent.body["coupon_code"], sent.flags) == ("paid", spend.provider_ref, [])
    assert points_of(provider, mia) == (720 + 100, 0)


def test_an_order_whose_answer_was_lost_earns_where_repeats_are_dropped(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.record_order(order)
    yotpo.faults.withholds_answers = False
    provider.record_order(order)

    assert points_of(provider, mia) == (720 + 100, 0)


def test_an_order_that_earns_nothing_takes_the_held_points(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend, base="0")
    provider.confirm(spend, order)
    for _ in range(2):
        provider.close_order(order)

    sent = yotpo.books.orders["order-1"]
    assert (sent.body["status"], sent.earned, sent.flags) == ("open", None, [])
    assert points_of(provider, mia) == (720, 0)
    assert [each.state for each in yotpo.books.redemptions.values()] == ["used"]


def test_an_order_that_earns_nothing_and_holds_nothing_is_not_sent(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    order = make_order(mia, spend, base="0")
    provider.confirm(spend, order)
    provider.close_order(order)

    assert yotpo.books.orders == {}


def test_a_code_that_comes_after_its_order_was_sent_is_refused(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    provider.record_order(make_order(mia))

    with pytest.raises(Rejected):
        provider.confirm(spend, make_order(mia, spend))


def test_a_cancelled_order_forgets_a_hold_that_never_took_points(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    for _ in range(2):
        provider.release(spend)

    assert points_of(provider, mia) == (820, 0)
    assert yotpo.books.customers[0].points_balance == 820


def test_an_open_order_takes_the_points_and_does_not_earn(
    sends_open: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider = sends_open
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))

    order = yotpo.books.orders["order-1"]
    assert (order.body["status"], order.earned) == ("open", None)
    assert points_of(provider, mia) == (720, 0)
    assert [each.state for each in yotpo.books.redemptions.values()] == ["used"]


def test_a_late_code_does_not_make_an_open_order_of_one_that_has_earned(
    sends_open: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = sends_open.spend(make_intent(mia))
    sends_open.record_order(make_order(mia))
    sends_open.confirm(spend, make_order(mia))

    sent = yotpo.books.orders["order-1"].body
    assert (sent["status"], sent["coupon_code"]) == ("paid", spend.provider_ref)


def test_an_order_that_may_still_arrive_is_not_cancelled_before_it(
    sends_open: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider, order = sends_open, make_order(mia)
    yotpo.faults.delays_requests = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.record_order(order)
    yotpo.faults.delays_requests = False
    with pytest.raises(Unavailable):
        provider.cancel_order(order)
    yotpo.act_late()
    with time_machine.travel(timezone.now() + timedelta(minutes=4), tick=False):
        provider.cancel_order(order)

    assert points_of(provider, mia) == (820, 0)


def test_a_completed_order_earns_by_tier_and_names_all_its_codes(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spends = (provider.spend(make_intent(mia)), provider.spend(make_intent(mia, TEN_OFF, 200)))
    order = make_order(mia, *spends, base="80.00")
    for spend in spends:
        provider.confirm(spend, order)
    assert provider.record_order(order) == LATER
    assert provider.record_order(order) == LATER

    assert points_of(provider, mia) == (820 - 300 + 100, 0)
    body = yotpo.books.orders["order-1"].body
    assert body["coupon_code"] == ",".join(spend.provider_ref for spend in spends)


def test_an_order_says_who_sold_what_and_where(build: Build, yotpo: Yotpo, mia: str) -> None:
    place = {"address": "1 Main St", "city": "Boston", "state": "MA"}
    build(stores={"boston-1": place}).record_order(make_order(mia))

    assert yotpo.books.orders["order-1"].body == {
        "order_id": "order-1",
        "customer_email": "mia@example.test",
        "customer_id": "SHOP-4411",
        "total_amount_cents": 8000,
        "currency_code": "USD",
        "created_at": "2026-11-24T12:00:00.000Z",
        "channel_type": "offline",
        "ip_address": "0.0.0.0",
        "user_agent": "LoyaltyView",
        "ignore_ip_ua": True,
        "status": "paid",
        "clerk_employee_id": "a-17",
        "store_address": "1 Main St",
        "store_city": "Boston",
        "store_state": "MA",
        "items": [
            {"id": "SHIRT-01", "name": "SHIRT-01", "quantity": 2, "price_cents": 3500},
            {"id": "SOCKS-01", "name": "SOCKS-01", "quantity": 1, "price_cents": 1000},
        ],
    }


def test_an_order_has_the_form_of_yotpos_sample_where_the_program_says_so(
    build: Build, yotpo: Yotpo, mia: str
) -> None:
    yotpo.orders.total_type = str
    names = {"created_at_form": "%Y-%m-%d %H:%M:%S", "total_form": "text"}
    with pytest.raises(Rejected):
        build().record_order(make_order(mia, order_id="order-0"))
    build(names=names).record_order(make_order(mia))

    sent = yotpo.books.orders["order-1"].body
    assert (sent["created_at"], sent["total_amount_cents"]) == ("2026-11-24 12:00:00", 8000)
    # Whom we report is a member already: the customer's opt-in is nothing that an order has to say.
    assert "customer" not in sent
    assert points_of(build(), mia) == (920, 0)


def test_a_member_without_an_id_earns_by_email(provider: YotpoProvider, yotpo: Yotpo) -> None:
    ana = ref(provider, ANA)
    provider.record_order(make_order(ana))

    assert "customer_id" not in yotpo.books.orders["order-1"].body
    assert points_of(provider, ana) == (3150 + 120, 0)


def test_cents_are_never_lost(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    amounts = {"0.29": 29, "1.005": 101, "4.35": 435, "1024.10": 102410}
    for number, (base, cents) in enumerate(amounts.items()):
        provider.record_order(make_order(mia, base=base, order_id=f"order-{number}"))
        assert yotpo.books.orders[f"order-{number}"].total_cents == cents


def test_an_order_sent_again_after_a_lost_answer_earns_once(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.record_order(make_order(mia))
    yotpo.faults.withholds_answers = False
    provider.record_order(make_order(mia))

    assert points_of(provider, mia) == (920, 0)


def test_a_customer_who_is_gone_is_named(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    del yotpo.books.customers[0]

    with pytest.raises(Rejected) as caught:
        provider.record_order(make_order(mia))
    assert caught.value.reason is RejectReason.MEMBER_NOT_FOUND


def test_refunds_have_their_own_ids_and_never_exceed_the_order(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_order(make_order(mia))
    for return_id, net in (("r-1", "20.00"), ("r-1", "20.00"), ("r-2", "40.00"), ("r-3", "40.00")):
        assert provider.record_return(make_return(mia, net, return_id)) == LATER
    assert provider.record_return(make_return(mia, "1.00", "r-4")) == PointsChange(points=0)

    assert yotpo.books.orders["order-1"].refunds == {"r-1": 2000, "r-2": 4000, "r-3": 2000}
    assert points_of(provider, mia) == (820, 0)


def test_a_complete_refund_takes_all_cents_that_rounding_left(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    order = make_order(mia)
    provider.record_order(order)
    provider.record_return(make_return(mia, "26.664", "r-1"))
    last = make_return(mia, "53.33", "r-2", lines=order.lines[:2])
    provider.record_return(replace(last, is_complete=True))

    assert yotpo.books.orders["order-1"].refunds == {"r-1": 2666, "r-2": 5334}
    assert yotpo.orders.last_refund["items"] == [{"id": "SHIRT-01", "quantity": 2}]
    assert points_of(provider, mia) == (820, 0)


def test_a_refund_whose_answer_was_lost_is_sent_again_under_its_id(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_order(make_order(mia))
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.record_return(make_return(mia, "40.00"))
    yotpo.faults.withholds_answers = False
    provider.record_return(make_return(mia, "40.00"))

    assert yotpo.books.orders["order-1"].refunds == {"return-1": 4000}
    assert points_of(provider, mia) == (870, 0)


def test_an_online_order_is_refunded_under_the_id_of_the_web_shop(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_order(make_order(mia, order_id="WEB-88"))  # as the web shop would
    provider.record_return(make_return(mia, "80.00", reported_as="WEB-88"))

    assert yotpo.books.orders["WEB-88"].refunds == {"return-1": 8000}
    assert points_of(provider, mia) == (820, 0)


def test_a_cancelled_order_loses_what_its_returns_left(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.record_order(make_order(mia))
    provider.record_return(make_return(mia, "30.00"))
    for _ in range(2):
        provider.cancel_order(make_order(mia))

    assert yotpo.books.orders["order-1"].refunds == {"return-1": 3000, "cancelled-order-1": 5000}
    assert points_of(provider, mia) == (820, 0)


def test_a_refund_in_items_names_products(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    order = make_order(mia)
    provider.record_order(order)
    lines = order.lines[:2]
    provider.record_return(make_return(mia, "70.00", lines=lines))

    assert yotpo.books.failed_jobs == []
    assert yotpo.orders.last_refund["items"] == [{"id": "SHIRT-01", "quantity": 2}]
