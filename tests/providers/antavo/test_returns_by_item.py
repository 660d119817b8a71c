"""Returns item by item (`returns = "items"`): one refund_item for each product, each once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from providers.antavo.provider import AntavoProvider
from providers.antavo.refusals import Refused
from providers.errors import OutcomeUnknown, SettingsError
from providers.journal.models import Write, WriteState
from providers.sales import Order, OrderLine, Return
from tests.providers.antavo.build import goods, order
from tests.providers.antavo.conftest import MIA, Connect, LoseAnswers, Served


def line(product: str, quantity: int, net: str) -> OrderLine:
    return OrderLine(item_id=f"i-{product}", product_id=product, quantity=quantity, net=Decimal(net))


SHIRTS, SOCKS = line("SHIRT-01", 2, "60"), line("SOCKS-01", 1, "20")


def sold() -> Order:
    return replace(order(), lines=(SHIRTS, SOCKS))


def brought(*lines: OrderLine, net: str = "", is_complete: bool = False) -> Return:
    amount = net or str(sum(line.net for line in lines))
    return replace(goods(amount), lines=lines, is_complete=is_complete)


@pytest.fixture
def provider(connect: Connect) -> AntavoProvider:
    provider = connect(returns="items")
    provider.record_order(sold())
    return provider


def test_each_product_is_refunded_by_an_event(provider: AntavoProvider, vendor: Served) -> None:
    ret = brought(line("SHIRT-01", 1, "15"), SOCKS, line("SHIRT-01", 1, "15"))
    for _ in range(2):
        assert provider.record_return(ret).points == -62
    assert vendor.events("refund_item") == [
        {"transaction_id": "order-1", "product_id": "SHIRT-01", "quantity": 2, "subtotal": 30},
        {"transaction_id": "order-1", "product_id": "SOCKS-01", "quantity": 1, "subtotal": 20},
    ]
    assert provider.get_member(MIA).balance.spendable == 920 - 62
    assert provider.cancel_order(sold()).points == -38


def test_a_lost_answer_refunds_no_item_twice(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers("SOCKS-01"), pytest.raises(OutcomeUnknown):
        provider.record_return(brought(line("SHIRT-01", 1, "30"), SOCKS))
    assert provider.record_return(brought(line("SHIRT-01", 1, "30"), SOCKS)).points == -62
    assert [data["product_id"] for data in vendor.events("refund_item")] == ["SHIRT-01", "SOCKS-01"]


def test_a_refused_item_is_tried_again_and_the_others_are_not(
    provider: AntavoProvider, vendor: Served
) -> None:
    items = vendor.mia.transactions["order-1"].items
    items[1]["quantity"] = 0
    with pytest.raises(Refused):
        provider.record_return(brought(line("SHIRT-01", 1, "30"), SOCKS))
    assert Write.objects.get(key="return-1").state == WriteState.PLANNED
    items[1]["quantity"] = 1
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert provider.record_return(brought(line("SHIRT-01", 1, "30"), SOCKS)).points == -62
    assert len(vendor.events("refund_item")) == 3


@pytest.mark.parametrize(
    "ret",
    [brought(SHIRTS, SOCKS, is_complete=True), brought(SHIRTS, net="59.50"), goods("20.00")],
    ids=["the rest of the order", "a cut amount", "no lines"],
)
def test_what_is_no_sum_of_goods_is_refunded_by_its_amount(
    provider: AntavoProvider, vendor: Served, ret: Return
) -> None:
    provider.record_return(ret)
    assert (len(vendor.events("partial_refund")), vendor.events("refund_item")) == (1, [])


def test_a_pending_order_is_made_smaller(vendor: Served, connect: Connect) -> None:
    vendor.workspace.accept_mode = "manual"
    provider = connect(returns="items")
    provider.record_order(sold())
    assert provider.record_return(brought(SOCKS)).points is None
    assert vendor.events("checkout_update") == [{"transaction_id": "order-1", "total": 60}]


def test_daily_files_take_amounts_only(connect: Connect) -> None:
    with pytest.raises(SettingsError, match="returns"):
        connect(returns="items", orders="feed")
