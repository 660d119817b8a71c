"""The object that the app injects into the page: sent once, and trusted no more than the address."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch

from .conftest import Mint, Open, launch_params
from .fakes import Vendor

CART = "5f0c1d3e-cart-1"
ITEMS = [{"productId": "TOTE-01", "itemId": "i-1", "price": 89.9}]


def injected(theme: dict[str, Any] | None = None, **cart: Any) -> str:
    """`window.NEWSTORE` as the app injects it."""
    props = {"cartId": CART, "cartTotal": 1, "items": ITEMS, "selectedCoupons": [{"code": "SUMMER"}], **cart}
    context = {"securityToken": "0f3a9c5be1d24c7798aa6d20b4e1f7c3", "contextProps": {"cart": props}}
    return json.dumps(context | ({"theme": theme} if theme else {}))


@pytest.fixture
def short(open_page: Open, vendor: Vendor) -> str:
    """The page of a launch whose address had neither items nor currency, as NewStore documents it."""
    return open_page(items=None, currency=None)


def tell(client: Client, page: str, context: str) -> Any:
    return client.post(f"{page}host/", {"context": context})


def test_items_codes_and_colours_are_taken_from_the_app(client: Client, short: str) -> None:
    assert "js/host.js" in client.get(short).content.decode()
    answer = tell(client, short, injected({"color": {"blue500": "#2E5AD1"}}))
    launch = Launch.objects.get()
    assert answer.json() == {
        "content": reverse("content", args=[launch.pk]),
        "theme": reverse("host-theme", args=[launch.pk]),
    }
    assert launch.cart["items"] == [{"item_id": "i-1", "product_id": "TOTE-01", "price": "89.9"}]
    assert launch.cart["total"] == "129.9"
    assert launch.selected_coupons == ["SUMMER"]
    assert launch.theme == {"accent": "#2e5ad1"}
    assert "js/host.js" not in client.get(short).content.decode()


def test_the_app_knows_the_carts_currency(client: Client, short: str) -> None:
    assert "Cart $129.90" in client.get(short).content.decode()  # the program's, until the app says another
    tell(client, short, injected(currency="EUR"))
    assert "Cart €129.90" in client.get(short).content.decode()


def test_the_app_knows_the_total_that_the_address_did_not_say(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    page = open_page(cartTotal=None)
    assert 'id="no-cart"' in client.get(page).content.decode()
    tell(client, page, injected(cartTotal=99.5))
    assert "Cart $99.50" in client.get(page).content.decode()


def test_an_object_without_a_cart_belongs_to_the_launchs_cart(client: Client, short: str) -> None:
    """An app may say how it looks, or what is in the cart, without saying the cart's id once more."""
    posted = {"contextProps": {"cart": {"items": ITEMS}}, "theme": {"color": {"blue500": "#2E5AD1"}}}
    assert tell(client, short, json.dumps(posted)).status_code == 200
    launch = Launch.objects.get()
    assert len(launch.cart["items"]) == 1
    assert launch.theme == {"accent": "#2e5ad1"}


def test_new_colours_alone_do_not_reload_the_content(client: Client, page: str) -> None:
    answer = tell(client, page, injected({"color": {"blue500": "#2E5AD1"}}, selectedCoupons=[]))
    assert answer.json()["content"] == ""


def test_values_of_the_address_are_kept(client: Client, open_page: Open, vendor: Vendor) -> None:
    """The app's object cannot change who the customer is."""
    page = open_page(selectedCoupons=["WINTER"])
    client.get(page)
    before = Launch.objects.values().get()
    others = {"customerEmail": "leo@example.test", "profileId": "NS-2", "loyaltyId": "L-00043"}
    posted = injected(currency="EUR", storeId="US_DENVER_02", associateId="a-23", **others)
    stranger = json.loads(posted) | {"securityToken": "f" * 32, "externalIdentity": "another's"}
    assert tell(client, page, json.dumps(stranger)).status_code == 204
    assert Launch.objects.values().get() == before | {"is_host_awaited": False}


@pytest.mark.parametrize(
    "context",
    [
        injected(cartId="another-cart"),
        injected(items="all"),
        injected(items=[{"productId": "TOTE-01", "price": "-"}]),
        "not JSON",
        "[]",
        "",
        json.dumps({"securityToken": "x" * 300_000}),
    ],
)
def test_an_object_of_another_cart_changes_nothing(client: Client, short: str, context: str) -> None:
    assert tell(client, short, context).status_code == 204
    launch = Launch.objects.get()
    assert (launch.cart["items"], launch.selected_coupons, launch.theme) == ([], [], {})


def test_only_the_first_one_counts(client: Client, short: str) -> None:
    assert tell(client, short, injected(selectedCoupons=[])).status_code == 200
    assert tell(client, short, injected()).status_code == 204
    assert Launch.objects.get().selected_coupons == []


def test_a_posted_launch_waits_for_no_object(client: Client, program: Program, vendor: Vendor) -> None:
    posted = json.loads(injected()) | {"externalIdentity": launch_params(program)["externalIdentity"]}
    client.post("/launch/acme/", {"context": json.dumps(posted)})
    assert not Launch.objects.get().is_host_awaited


def test_the_object_needs_the_launchs_cookie_and_the_csrf_token(short: str) -> None:
    assert tell(Client(), short, injected()).status_code == 403
    assert tell(Client(enforce_csrf_checks=True), short, injected()).status_code == 403
    assert Launch.objects.get().is_host_awaited


def test_the_object_of_one_launch_does_not_change_another(client: Client, program: Program) -> None:
    first = client.get("/launch/acme/", launch_params(program, items=None))["Location"]
    other = Client()
    second = other.get("/launch/acme/", launch_params(program, items=None))["Location"]
    assert tell(client, second, injected()).status_code == 403
    assert tell(other, first, injected()).status_code == 403
    assert Launch.objects.filter(is_host_awaited=True).count() == 2


def test_an_expired_launch_stores_nothing(client: Client, short: str) -> None:
    Launch.objects.update(expires_at=timezone.now())
    assert tell(client, short, injected()).status_code == 410
    assert Launch.objects.get().is_host_awaited


def test_the_code_that_was_in_the_cart_goes_back_with_the_new_one(
    client: Client, short: str, newstore: Mint
) -> None:
    client.get(short)
    tell(client, short, injected())
    fields = {"key": "a-key-of-this-card-1", "kind": "reward", "item": "ten-off"}
    html = client.post(f"{short}redeem/", fields, follow=True).content.decode()
    assert "coupons[]=SUMMER&amp;coupons[]=LOY0000001&amp;" in html
