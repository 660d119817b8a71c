"""Reading the three shapes of a launch (docs/contracts/newstore.md 1)."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from loyaltyview.newstore.context import HostTheme, LaunchContext, LaunchItem
from loyaltyview.newstore.errors import LaunchError
from loyaltyview.newstore.launch import KEYS, keys_of, read_posted, read_query
from loyaltyview.programs.models import Program
from loyaltyview.programs.rules import LAUNCH_KEYS

TOKEN = "0f3a9c5be1d24c7798aa6d20b4e1f7c3"
CART: dict[str, Any] = {
    "customerEmail": "mia@example.test",
    "cartId": "5f0c1d3e-1111",
    "cartTotal": 184.5,
    "currency": "USD",
}


def query(cart: Any = CART, **changes: Any) -> dict[str, str]:
    blob = cart if isinstance(cart, str) else json.dumps(cart)
    params = {"token": TOKEN, "externalIdentity": "ours", "store": "US_BOSTON_01", "cart": blob, **changes}
    return {name: value for name, value in params.items() if value is not None}


def injected(**cart: Any) -> str:
    """The text of window.NEWSTORE as NewStore's own template shows it."""
    return json.dumps(
        {
            "securityToken": TOKEN,
            "contextProps": {"cart": {**CART, **cart}},
            "theme": {"borderRadius": "8px"},
            "dimensions": {"hasNotch": True},
        }
    )


def code_of(read: Any, *args: Any) -> str:
    with pytest.raises(LaunchError) as caught:
        read(*args)
    return caught.value.code


def test_documented_query_string_is_read() -> None:
    params = QueryDict(
        "token=0f3a9c5be1d24c7798aa6d20b4e1f7c3&externalIdentity=eyJhc3Nv&store=US_BOSTON_01"
        "&cart=%7B%22customerEmail%22%3A%22mia%40example.test%22%2C%22cartId%22%3A%225f0c%22"
        "%2C%22cartTotal%22%3A184.5%2C%22currency%22%3A%22USD%22%7D"
    )
    assert read_query(params) == LaunchContext(
        token=TOKEN,
        external_identity="eyJhc3Nv",
        cart_id="5f0c",
        customer_email="mia@example.test",
        store_id="US_BOSTON_01",
        currency="USD",
        cart_total=Decimal("184.5"),
    )


def as_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "blob",
    [
        as_base64(json.dumps({**CART, "x": "?>?>"}).encode()),
        as_base64(json.dumps({**CART, "x": "?>?>"}).encode()).replace("+", " "),
        base64.urlsafe_b64encode(json.dumps({**CART, "x": "?>?>"}).encode()).decode().rstrip("="),
        json.dumps(CART).replace("{", "%7B").replace('"', "%22"),
    ],
    ids=["standard", "plus as space", "urlsafe", "encoded twice"],
)
def test_cart_blob_is_read_in_every_likely_encoding(blob: str) -> None:
    assert read_query(query(blob)).cart_total == Decimal("184.5")


def test_money_is_exact() -> None:
    context = read_query(
        query('{"cartId": "c", "cartTotal": 0.1, "items": [{"productId": "p", "price": 19.99}]}')
    )
    assert context.cart_total == Decimal("0.1")
    assert context.items == (LaunchItem(item_id="", product_id="p", price=Decimal("19.99")),)


def test_float_noise_of_the_app_is_rounded_away() -> None:
    blob = '{"cartId": "c", "cartTotal": 184.49999999999997}'
    assert read_query(query(blob)).cart_total == Decimal("184.5")


def test_injected_object_is_read_with_items_and_coupons() -> None:
    context = read_posted(
        injected(
            items=[{"productId": "100045", "itemId": "i-1", "price": 100}, {"productId": "7", "price": None}],
            selectedCoupons=["LOY-1", {"code": "LOY-2"}, {"couponCode": "LOY-3"}, "LOY-1"],
        )
    )
    assert context.token == TOKEN
    assert context.items == (LaunchItem(item_id="i-1", product_id="100045", price=Decimal(100)),)
    assert context.selected_coupons == ("LOY-1", "LOY-2", "LOY-3")


def test_cart_without_customer_is_read() -> None:
    assert read_posted(injected(customerEmail=None)).customer_email == ""


def test_fragment_wins_and_the_query_string_fills_in() -> None:
    fragment = {
        "contextProps": {
            "formData": {
                "profileId": "NS-1",
                "associateId": "a-17",
                "storeId": "FR_PARIS",
                "loyalty_id": "L-42",
            }
        },
        "externalIdentity": "from-fragment",
    }
    context = read_posted(json.dumps(fragment), query())
    assert context.external_identity == "from-fragment"
    assert (context.profile_id, context.associate_id, context.store_id) == ("NS-1", "a-17", "FR_PARIS")
    assert context.loyalty_id == "L-42"
    assert (context.token, context.cart_id, context.cart_total) == (TOKEN, "5f0c1d3e-1111", Decimal("184.5"))


def test_accents_and_a_fragment_still_in_base64_are_read() -> None:
    fragment = json.dumps({**CART, "token": TOKEN, "customerEmail": "zoé@example.test"}, ensure_ascii=False)
    assert read_posted(as_base64(fragment.encode())).customer_email == "zoé@example.test"


def test_extended_attribute_is_never_read_as_token_or_identity() -> None:
    form_data = {"token": "evil", "securityToken": "evil", "externalIdentity": "evil", "cartId": "c"}
    context = read_posted(json.dumps({"contextProps": {"formData": form_data}}), query())
    assert (context.token, context.external_identity) == (TOKEN, "ours")


def test_token_of_the_query_wins_over_one_inside_its_cart() -> None:
    assert read_query(query({**CART, "securityToken": "inner"})).token == TOKEN


@pytest.mark.parametrize(
    ("store", "expected"),
    [("S1", "S1"), ('{"id": "S2", "name": "x"}', "S2"), ("{broken", ""), ("x" * 101, ""), (None, "")],
)
def test_store_is_an_id_or_json_and_never_refuses_the_launch(store: str | None, expected: str) -> None:
    assert read_query(query(store=store)).store_id == expected


def test_names_can_be_changed_by_a_setting() -> None:
    keys = {**KEYS, "cart_total": ("restant",)}
    assert read_query(query({"cartId": "c", "restant": "12.30"}), keys).cart_total == Decimal("12.30")


PROFILE_FRAGMENT = {
    "contextProps": {"formData": {"profileId": "NS-1", "associateId": "a-17", "storeId": "US_BOSTON_01"}},
    "externalIdentity": "ours",
}


@pytest.mark.parametrize("cart_id", [None, "", "5f0c1d3e-1111"])
def test_launch_from_a_customers_profile_needs_neither_token_nor_cart(cart_id: str | None) -> None:
    form = {**PROFILE_FRAGMENT["contextProps"]["formData"], "cartId": cart_id}  # type: ignore[index]
    context = read_posted(json.dumps({**PROFILE_FRAGMENT, "contextProps": {"formData": form}}))
    assert (context.profile_id, context.associate_id) == ("NS-1", "a-17")
    assert (context.cart_id, context.cart_total, context.has_cart) == (cart_id or "", None, False)


def test_launch_from_the_extended_attributes_of_a_customer_who_is_being_created_is_read() -> None:
    form = {"associateId": "a-17", "storeId": "US_BOSTON_01", "cartId": "", "shoe size": "42"}
    context = read_posted(json.dumps({"contextProps": {"formData": form}, "externalIdentity": "ours"}))
    assert (context.profile_id, context.store_id, context.has_cart) == ("", "US_BOSTON_01", False)


@pytest.mark.parametrize("total", [None, ""])
def test_cart_without_a_total_cannot_be_redeemed_in(total: Any) -> None:
    context = read_query(query({**CART, "cartTotal": total}))
    assert (context.cart_id, context.cart_total, context.has_cart) == ("5f0c1d3e-1111", None, False)


def test_programs_own_names_replace_the_usual_ones() -> None:
    own = {"cart_total": "restant", "store_id": ["boutique", "store"], "token": "jeton"}
    keys = keys_of(Program(newstore_launch_keys=own))
    cart = {"cartId": "c", "restant": 12.3, "cartTotal": 99, "boutique": "FR_1"}
    context = read_query({"jeton": "t", "cart": json.dumps(cart)}, keys)
    assert (context.cart_total, context.store_id, context.token) == (Decimal("12.3"), "FR_1", "t")


def test_names_that_a_program_may_change_are_those_that_are_read() -> None:
    assert set(KEYS) == LAUNCH_KEYS


def test_theme_and_insets_of_the_injected_object_are_read() -> None:
    posted = json.loads(injected())
    posted["theme"] = {"color": {"blue500": "#2E5AD1", "green500": "#0A0", "white": "#FFFFFF"}}
    posted["dimensions"] = {"safeAreaInsetTop": 48, "safeAreaInsetBottom": 33.6, "hasNotch": True}
    assert read_posted(json.dumps(posted)).theme == HostTheme(
        accent="#2e5ad1", good="#00aa00", inset_top=48, inset_bottom=34
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"theme": "dark", "dimensions": [48]},
        {"theme": {"color": ["#2E5AD1"]}, "dimensions": {"safeAreaInsetTop": "48"}},
        {"theme": {"color": {"blue500": "red;}body{display:none"}}, "dimensions": {"safeAreaInsetTop": -1}},
        {"theme": {"color": {"blue500": "#2E5AD1ff"}}, "dimensions": {"safeAreaInsetTop": 4000}},
        {"theme": {"color": {"blue500": "#2E5AD1\n"}}, "dimensions": {"safeAreaInsetTop": True}},
    ],
)
def test_unusable_theme_is_left_out(broken: dict[str, Any]) -> None:
    assert read_posted(json.dumps({**json.loads(injected()), **broken})).theme == HostTheme()


@pytest.mark.parametrize("total", [-(10**11), "--1", "NaN", True, "12,50", 10**11, "1e3", [], "9" * 5000])
def test_total_that_is_not_an_amount_is_refused(total: Any) -> None:
    assert code_of(read_query, query({**CART, "cartTotal": total})) == "TOTAL_MALFORMED"


@pytest.mark.parametrize("total", [-20, "-20.00", "-0", 0])
def test_cart_below_zero_has_nothing_left_to_pay(total: Any) -> None:
    assert str(read_query(query({**CART, "cartTotal": total})).cart_total) == "0"


def test_returned_unit_cannot_be_a_free_product() -> None:
    items = [
        {"productId": "p", "price": 24},
        {"productId": "p", "price": -24.0},
        {"productId": "q", "price": "-1"},
    ]
    assert [item.price for item in read_query(query({**CART, "items": items})).items] == [Decimal(24)]


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({"customerEmail": "\u2068mia@example.test\u2069\u00a0"}, "customer_email", "mia@example.test"),
        ({"customerEmail": "mia\x00@example.test"}, "customer_email", "mia@example.test"),
        ({"customerEmail": "\ud800"}, "customer_email", ""),
        ({"customerEmail": "x" * 255}, "customer_email", ""),
        ({"customerEmail": ["mia"]}, "customer_email", ""),
        ({"profileId": 17}, "profile_id", "17"),
        ({"associateId": "a\u00a0\u200b"}, "associate_id", "a"),
        ({"loyaltyId": {"id": 1}}, "loyalty_id", ""),
    ],
)
def test_unusual_optional_text_is_cleaned_or_left_out(
    given: dict[str, Any], field: str, expected: str
) -> None:
    assert getattr(read_query(query({**CART, **given})), field) == expected


@pytest.mark.parametrize("total", ["NaN", "Infinity", "1e999999999999999999999", "1" + "0" * 5000])
def test_total_that_is_not_json_or_not_an_amount_is_refused(total: str) -> None:
    code = code_of(read_query, query('{"cartId": "c", "cartTotal": ' + total + "}"))
    assert code in ("CART_MALFORMED", "TOTAL_MALFORMED")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (query(token=None), "TOKEN_MISSING"),
        (query(token="a&b=c"), "TOKEN_MALFORMED"),
        (query(token="a" * 129), "TOKEN_MALFORMED"),
        (query(cart=""), "CART_MISSING"),
        ({"token": TOKEN}, "CART_MISSING"),
        (query({"cartTotal": 1}), "CART_MISSING"),
        (query("not a cart"), "CART_MALFORMED"),
        (query("[1]"), "CART_MALFORMED"),
        (query("[" * 100_000), "CART_MALFORMED"),
        (query('"' + "x" * 300_000 + '"'), "CART_MALFORMED"),
        (query({**CART, "cartId": ".."}), "CART_MALFORMED"),
        (query({**CART, "cartId": "a/b"}), "CART_MALFORMED"),
        (query({**CART, "cartId": {"id": "c"}}), "CART_MALFORMED"),
        (query({**CART, "currency": "EURO"}), "CURRENCY_MALFORMED"),
        (query({**CART, "items": "all"}), "CART_MALFORMED"),
        (query({**CART, "items": [{"productId": "p", "price": 1}] * 501}), "CART_MALFORMED"),
        (query({**CART, "items": ["p"]}), "CART_MALFORMED"),
        (query({**CART, "items": [{"productId": "p", "price": "-"}]}), "CART_MALFORMED"),
        (query({**CART, "selectedCoupons": [1]}), "CART_MALFORMED"),
        (query({**CART, "selectedCoupons": ["x" * 65]}), "CART_MALFORMED"),
        (query({**CART, "selectedCoupons": ["x"] * 51}), "CART_MALFORMED"),
    ],
)
def test_malformed_query_is_refused_with_a_code(params: dict[str, str], code: str) -> None:
    assert code_of(read_query, params) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "CONTEXT_MALFORMED"), ("[]", "CONTEXT_MALFORMED"), ("{}", "TOKEN_MISSING"),
     ('{"securityToken": "t"}', "CART_MISSING"), ('{"securityToken": ["t"]}', "TOKEN_MALFORMED")],
)  # fmt: skip
def test_malformed_post_is_refused_with_a_code(text: str, code: str) -> None:
    assert code_of(read_posted, text) == code


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["c", "1.5", TOKEN]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [name for names in KEYS.values() for name in names] + ["contextProps", "formData", "cart"]
            ),
            inner,
            max_size=8,
        )
    ),
    max_leaves=20,
)


def is_context_or_launch_error(read: Any, *args: Any) -> bool:
    try:
        context = read(*args)
    except LaunchError as error:
        return error.code.isupper()
    return isinstance(context, LaunchContext) and (context.has_cart or context.cart_total is None)


@given(
    text=st.text(),
    cart=json_values,
    params=st.dictionaries(st.sampled_from(["token", "store", "cart"]), st.text()),
)
def test_any_input_gives_a_context_or_a_launch_error(text: str, cart: Any, params: dict[str, str]) -> None:
    for blob in (
        text,
        json.dumps(cart),
        json.dumps({"token": "t", "cartId": "c", "cartTotal": 1, "items": cart}),
    ):
        assert is_context_or_launch_error(read_query, {"token": TOKEN, "cart": blob})
        assert is_context_or_launch_error(read_posted, blob, params)
