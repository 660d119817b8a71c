"""What is read from payloads, what is refused, and what an order earns on."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.events.envelope import read_envelope
from loyaltyview.events.errors import PayloadError
from loyaltyview.events.readers import read_cancelled, read_codes, read_completed, read_order, read_return
from loyaltyview.programs.earn_base import EarnOn

from .deliveries import envelope, item, order, returned


def opened(**changes: Any) -> bytes:
    return envelope("order.opened", order(**changes))


def base(**changes: Any) -> Decimal:
    return sum((line.net for line in read_order(opened(**changes)).lines), Decimal(0))


def test_an_opened_order_is_read_with_exact_amounts() -> None:
    read = read_order(opened(items=[item(price=0.1, order_discounts=0), item("b", 0.2, order_discounts=0)]))
    assert (read.external_id, read.store_id, read.currency) == ("ACM000123", "US_BOSTON_01", "USD")
    assert read.placed_at.isoformat() == "2026-03-04T15:19:58+00:00"
    assert sum(line.net for line in read.lines) == Decimal("0.3")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "90"),
        ({"price_method": "tax_included"}, "90"),
        ({"price_method": "tax_included", "items": [item(tax=None)]}, "90"),
        ({"items": [item(quantity=3)]}, "290"),
        ({"items": [item(quantity=2.0, item_discounts=5.5)]}, "184.5"),
        ({"items": [item(), item("fee", 7.0, item_type="shipping")]}, "90"),
        ({"items": [item(item_discounts=None, order_discounts=None)]}, "100"),
        ({"items": []}, "0"),
    ],
)
def test_orders_earn_on_products_at_the_shops_prices_after_discounts(
    changes: dict[str, Any], expected: str
) -> None:
    assert base(**changes) == Decimal(expected)


@pytest.mark.parametrize(
    ("earn_on", "price_method", "expected", "with_tax"),
    [
        (EarnOn.PRICE, "tax_excluded", "90", False),
        (EarnOn.PRICE, "tax_included", "90", True),
        (EarnOn.WITH_TAX, "tax_excluded", "95.63", True),
        (EarnOn.WITH_TAX, "tax_included", "90", True),
        (EarnOn.WITHOUT_TAX, "tax_excluded", "90", False),
        (EarnOn.WITHOUT_TAX, "tax_included", "84.37", False),
    ],
)
def test_the_program_decides_whether_tax_earns(
    earn_on: str, price_method: str, expected: str, with_tax: bool
) -> None:
    read = read_order(opened(price_method=price_method), earn_on)
    assert [line.net for line in read.lines] == [Decimal(expected)]
    assert read.earns_with_tax is with_tax


def test_codes_are_the_union_of_both_places_without_nulls() -> None:
    discounts = [{"coupon_code": "A"}, {"coupon_code": None}, {}, {"coupon_code": ""}, None]
    items = [item(discounts=[{"coupon_code": "B"}, {"coupon_code": "A"}]), item("i2", discounts=None)]
    assert read_codes(opened(discounts=discounts, items=items)).codes == ("A", "B")
    assert read_codes(opened(discounts=None, items=None)).codes == ()


def test_what_may_be_null_is_empty() -> None:
    read = read_order(
        opened(associate_id=None, customer_email=None, customer_id=None, demand_location_id=None)
    )
    assert (read.associate_id, read.customer_email, read.profile_id) == ("", "", "")


def test_a_web_order_has_no_store_in_its_channel() -> None:
    assert read_order(opened(channel_type="web", channel="shop", demand_location_id=None)).store_id == ""


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": None}, "id"),
        ({"currency": "EURO"}, "currency"),
        ({"placed_at": "yesterday", "created_at": None}, "placed_at"),
        ({"items": None}, "items"),
        ({"items": ["item"]}, "items"),
        ({"items": [item(pricebook_price=None)]}, "pricebook_price"),
        ({"items": [item(pricebook_price="100")]}, "pricebook_price"),
        ({"items": [item(pricebook_price=True)]}, "pricebook_price"),
        ({"items": [item(pricebook_price=10**12)]}, "pricebook_price"),
        ({"id": ["a"]}, "id"),
        ({"items": [item(id={"a": 1})]}, "id"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        read_order(opened(**changes))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("earn_on", "price_method"),
    [(EarnOn.WITHOUT_TAX, "tax_included"), (EarnOn.WITH_TAX, "tax_excluded")],
)
def test_a_tax_that_the_base_needs_is_never_guessed(earn_on: str, price_method: str) -> None:
    with pytest.raises(PayloadError) as caught:
        read_order(opened(price_method=price_method, items=[item(tax=None)]), earn_on)
    assert caught.value.field == "tax"


def test_a_return_counts_what_was_refunded_without_tax() -> None:
    read = read_return(envelope("return.processed", returned(45.0)))
    assert (read.return_id, read.net, read.store_id) == ("return-1", Decimal(45), "US_BOSTON_01")


def test_an_amount_of_many_digits_is_read_after_an_address_was_taken_out() -> None:
    digits = b"33.333333333333333333"
    body = envelope("return.processed", returned(billing_address={"city": "Boston"}))
    body = body.replace(b'"refund_excl_tax": 45.0', b'"refund_excl_tax": ' + digits)
    assert digits in body
    stored = read_envelope(body, "acme-staging").stored
    assert b"Boston" not in stored
    assert str(read_return(stored).net) == "33.3333"


def test_a_return_without_net_amounts_subtracts_the_tax() -> None:
    goods = {"id": "i", "product_id": "p", "quantity": 2, "refund_amount": 48.0, "refund_tax": 3.0}
    assert read_return(envelope("return.processed", returned(items=[goods]))).net == Decimal(45)


def test_a_return_without_items_counts_its_total() -> None:
    body = envelope("return.processed", returned(20.5, items=[]))
    assert read_return(body).net == Decimal("20.5")
    assert read_return(body, with_tax=True).net == Decimal("23.5")


def test_a_return_of_an_order_that_earned_with_tax_counts_what_was_refunded() -> None:
    goods = {"id": "i", "product_id": "p", "quantity": 2, "refund_excl_tax": 45.0, "refund_tax": 3.0}
    for items in (returned(45.0)["items"], [goods]):
        body = envelope("return.processed", returned(items=items))
        assert read_return(body, with_tax=True).net == Decimal(48)


def test_a_blind_return_names_no_order() -> None:
    assert read_return(envelope("return.processed", returned(order_id=None))).order_id == ""


@given(
    payload=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(order())), inner),
    )
)
def test_any_payload_is_read_or_refused(payload: Any) -> None:
    for read in (read_codes, read_order, read_completed, read_cancelled, read_return):
        with suppress(PayloadError):
            read(envelope("order.opened", payload))
