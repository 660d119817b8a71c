"""Cart totals to the cent, and the cart as REST shows it."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.sandbox.app import Sandbox
from loyaltyview.sandbox.carts import price, split
from loyaltyview.sandbox.coupons import Coupon
from loyaltyview.sandbox.serve import Running
from tests.sandbox.conftest import Api

amounts = st.decimals("0.00", "5000.00", places=2)


def coupon(kind: str, discount: Decimal) -> Coupon:
    return Coupon(
        code="CODE",
        voucher_id="v",
        name="n",
        kind=kind,
        discount=discount,
        minimums={},
        consumers=frozenset(),
        created_at=datetime.now(UTC),
    )


coupons = st.one_of(
    st.builds(coupon, st.just("fixed"), st.decimals("0.01", "300.00", places=2)),
    st.builds(coupon, st.just("percentage"), st.decimals("0.5", "100", places=1)),
)


@given(st.lists(amounts, min_size=1, max_size=8), st.decimals("0", "1", places=4))
def test_shares_add_up_and_none_exceeds_its_item(weights: list[Decimal], part: Decimal) -> None:
    amount = (sum(weights, Decimal(0)) * part).quantize(Decimal("0.01"))
    shares = split(amount, weights)
    assert sum(shares) == amount
    assert all(0 <= share <= weight for share, weight in zip(shares, weights, strict=True))


@given(st.lists(amounts, min_size=1, max_size=6), st.lists(coupons, max_size=3))
def test_totals_agree_with_their_parts(prices: list[Decimal], codes: list[Coupon]) -> None:
    totals = price(prices, codes)
    assert totals.subtotal - totals.discount == totals.total == sum(totals.nets)
    assert totals.total >= 0
    assert totals.to_pay == totals.total + totals.tax
    for index, net in enumerate(totals.nets):
        assert prices[index] - sum(code.shares[index] for code in totals.applied) == net


def test_prices_with_tax_contain_what_is_paid() -> None:
    totals = price([Decimal("106.25")], [coupon("fixed", Decimal("53.125"))], is_tax_included=True)
    assert (totals.total, totals.to_pay, totals.tax) == (Decimal("53.12"), Decimal("53.12"), Decimal("3.12"))


def test_amounts_have_the_decimals_of_their_currency() -> None:
    codes = [coupon("percentage", Decimal(15))]
    assert price([Decimal("41.625")], codes, currency="KWD").discount == Decimal("6.244")
    assert price([Decimal(4163)], codes, currency="JPY").discount == 624


def test_percentage_takes_what_the_fixed_code_left() -> None:
    totals = price(
        [Decimal("129.00"), Decimal("24.00")],
        [coupon("fixed", Decimal(53)), coupon("percentage", Decimal(10))],
    )
    assert [code.amount for code in totals.applied] == [Decimal(53), Decimal(10)]
    assert totals.total == Decimal("90.00")


def test_code_larger_than_the_cart_makes_it_free() -> None:
    totals = price([Decimal("12.50")], [coupon("fixed", Decimal(20))])
    assert (totals.total, totals.tax, totals.applied[0].amount) == (0, 0, Decimal("12.50"))


def test_rest_cart_has_its_customer_and_no_prices(running: Running, api: Api) -> None:
    app = running.sandbox.app
    app.log_in("a-17")
    cart = app.new_cart("mia", "jacket")
    body = api.call("GET", f"/checkout/carts/{cart.cart_id}").json()
    assert (body["associate_id"], body["channel_id"], body["currency"]) == ("a-17", "US_BOSTON_01", "USD")
    assert body["customer_id"] == cart.profile_id
    assert [item["product_id"] for item in body["items"]] == ["JACKET-01", "TOTE-01"]
    assert all(item["price"] == {"source": "pricebook", "source_id": "default"} for item in body["items"])


def test_rest_cart_without_customer_has_no_customer_id(running: Running, api: Api) -> None:
    running.sandbox.app.log_in("a-17")
    cart = running.sandbox.app.new_cart("none", "small")
    assert "customer_id" not in api.call("GET", f"/checkout/carts/{cart.cart_id}").json()


def test_unknown_cart_is_404_and_malformed_id_422(api: Api) -> None:
    unknown = "5f0c1d3e-0000-4000-8000-000000000000"
    assert api.call("GET", f"/checkout/carts/{unknown}").status_code == 404
    assert api.call("GET", "/checkout/carts/mine").status_code == 422


def test_code_in_one_cart_is_refused_in_another(
    sandbox: Sandbox, voucher: Callable[..., dict[str, Any]]
) -> None:
    made = sandbox.coupons.add(voucher())
    made.cart_id = "first"
    reason = made.refusal(cart_id="second", remaining=Decimal(50), currency="USD", profile_id="")
    assert reason == "This code is in another cart."
