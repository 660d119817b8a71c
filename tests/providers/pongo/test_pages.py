"""The program's page in admin: stores and suggestions, webhooks, rewards to look at."""

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from requests import PreparedRequest

from loyaltyview.events.models import Order
from loyaltyview.events.processing import run_one
from loyaltyview.programs.models import Program, Store
from loyaltyview.webview.models import Launch
from providers.journal.models import Write, WriteState
from providers.pongo import webhooks
from providers.pongo.merchant import suggest
from providers.pongo.models import PassCode, Subscription
from providers.pongo.rewards import all_rewards
from providers.types import ProviderStore
from tests.providers.pongo.conftest import FIVE_OFF, MIA, SECRET, TOTE, WEBHOOK_SECRET, Connect, Served
from tests.providers.pongo.intents import an_intent

HOME = "/admin/pongo/program/acme/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(program: Program, vendor: Served) -> Program:
    program.provider_kind = "pongo"
    program.provider_settings = {
        "base_url": vendor.url,
        "access_token": SECRET,
        "requests_per_minute": 6000,
    }
    program.provider_webhook_secret = WEBHOOK_SECRET
    program.save()
    return program


def page(client: Client) -> str:
    return client.get(HOME).content.decode()


def test_the_program_has_a_link_to_its_page(admin_client: Client, acme: Program) -> None:
    change = admin_client.get(f"/admin/programs/program/{acme.pk}/change/").content.decode()

    assert f'href="{HOME}"' in change


def test_pongos_stores_are_shown_and_unmapped_stores_are_reported(
    admin_client: Client, acme: Program
) -> None:
    Store.objects.create(program=acme, store_id="US_CAMBRIDGE_01", name="Cambridge")

    shown = page(admin_client)

    assert "Acme Cambridge (cambridge-1)" in shown
    assert "Not mapped: Cambridge." in shown
    assert 'name="store:US_CAMBRIDGE_01" value="cambridge-1"' in shown
    assert "suggested by its name" in shown


def test_suggestions_are_accepted_by_saving(admin_client: Client, acme: Program) -> None:
    store = Store.objects.create(program=acme, store_id="US_CAMBRIDGE_01", name="Cambridge")

    admin_client.post(
        f"{HOME}stores/",
        {"store:US_CAMBRIDGE_01": "cambridge-1", "store:US_BOSTON_01": "boston-1", "store:X": "y"},
    )

    store.refresh_from_db()
    assert store.provider_store == "cambridge-1"
    assert "Not mapped" not in page(admin_client)


def test_similar_names_are_suggested_and_none_twice() -> None:
    theirs = tuple(
        ProviderStore(store_id=slug, name=name)
        for slug, name in [("acme-lyon-2", "Acme Lyon 2"), ("acme-lyon-7", "Acme Lyon 7"), ("nice", "Niçe")]
    )
    ours = {"A": "Lyon 7", "B": "Lyon 2", "C": "NICE", "D": "Marseille"}

    assert suggest(ours, theirs) == {"A": "acme-lyon-7", "B": "acme-lyon-2", "C": "nice"}


def test_the_page_is_served_when_pongo_is_unavailable(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    vendor.faults.is_down = True

    shown = page(admin_client)

    assert "cannot be reached" in shown
    assert 'name="store:US_BOSTON_01" value="boston-1"' in shown


def test_subscribing_and_ending_it(
    admin_client: Client, acme: Program, vendor: Served, settings: object
) -> None:
    settings.ALLOWED_HOSTS = ["loyalty.test"]  # type: ignore[attr-defined]

    def press(what: str) -> None:
        admin_client.post(f"{HOME}webhooks/", {"do": what}, secure=True, headers={"host": "loyalty.test"})

    press("subscribe")
    urls = {subscription.url for subscription in vendor.webhooks.subscriptions.values()}
    assert urls == {f"https://loyalty.test/events/acme/provider/{WEBHOOK_SECRET}/"}

    press("unsubscribe")
    assert vendor.webhooks.subscriptions == {}
    assert not Subscription.objects.exists()


def test_an_address_that_pongo_refuses_is_reported(admin_client: Client, acme: Program) -> None:
    told = admin_client.post(f"{HOME}webhooks/", {"do": "subscribe"}, follow=True).content.decode()

    assert "Pongo refused: 422 url." in told


def test_without_a_webhook_secret_there_is_no_address(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    acme.provider_webhook_secret = ""
    acme.save()

    told = admin_client.post(f"{HOME}webhooks/", {"do": "subscribe"}, follow=True).content.decode()

    assert "webhook secret" in told
    assert vendor.count("POST", "/v1/webhooks") == 0


def test_a_subscribed_delivery_updates_the_index_of_passes(
    client: Client, acme: Program, vendor: Served
) -> None:
    body = json.dumps({"event": "customer.updated", "data": {"id": MIA}}).encode()
    moment = str(int(time.time()))
    signature = webhooks.sign(body, moment, webhooks.signing_secret(WEBHOOK_SECRET))

    answered = client.post(
        f"/events/acme/provider/{WEBHOOK_SECRET}/",
        body,
        content_type="application/json",
        headers={"Pongo-Signature": f"t={moment},v1={signature}"},
    )
    while run_one():
        pass

    assert answered.status_code == 200
    assert PassCode.objects.get().customer_id == MIA


# --- Rewards to look at -----------------------------------------------------------------------------


IN_CART, IN_ORDER = {"order_id": ""}, {"order_id": "order-1"}
USED = {"order_id": "order-1", "waits_for_order": False}


def abandoned(acme: Program, columns: dict[str, Any], hours: int) -> Write:
    acme.provider().spend(an_intent())
    row = Write.objects.get()
    Write.objects.update(**columns, noted_at=timezone.now() - timedelta(hours=hours))
    return row


@pytest.mark.parametrize(
    ("columns", "hours", "is_shown"),
    [
        (IN_CART, 2, True),
        (IN_CART, 0, False),
        (IN_ORDER, 25, True),
        (IN_ORDER, 2, False),
        (USED, 48, False),
    ],
)
def test_rewards_that_wait_too_long_are_shown(
    admin_client: Client, acme: Program, columns: dict[str, Any], hours: int, is_shown: bool
) -> None:
    row = abandoned(acme, columns, hours)

    assert (f'data-spending="{row.pk}"' in page(admin_client)) == is_shown


def test_a_bought_reward_left_with_the_customer_can_be_used(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    row = abandoned(acme, IN_CART, 2)

    admin_client.post(f"{HOME}rewards/{row.pk}/", {"do": "leave"})

    (won,) = vendor.book.customers[MIA].won
    assert [voucher.voucher_id for voucher in acme.provider().list_vouchers(MIA)] == [won.hash]
    row.refresh_from_db()
    assert row.state == WriteState.UNDONE


def test_a_reward_of_an_order_that_was_not_sent_can_be_used_by_hand(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    row = abandoned(acme, IN_ORDER, 25)

    admin_client.post(f"{HOME}rewards/{row.pk}/", {"do": "use"})

    assert vendor.book.customers[MIA].won[0].used_at
    assert vendor.count("PATCH", f"/v1/rewards/{FIVE_OFF}") == 1


def test_a_reward_in_a_live_cart_cannot_be_settled(admin_client: Client, acme: Program) -> None:
    row = abandoned(acme, IN_CART, 0)

    assert admin_client.post(f"{HOME}rewards/{row.pk}/", {"do": "leave"}).status_code == 404


@pytest.mark.parametrize("model", ["pongo/account", "pongo/subscription", "journal/write"])
def test_rows_can_be_looked_at_and_not_edited(admin_client: Client, acme: Program, model: str) -> None:
    abandoned(acme, IN_CART, 2)

    assert admin_client.get(f"/admin/{model}/").status_code == 200
    assert admin_client.get(f"/admin/{model}/add/").status_code == 403


# --- Which products each reward is for ---------------------------------------------------------------

PRODUCTS = f"{HOME}products/"


def row_of(shown: str, reward: str) -> str:
    """Return the row of one reward on the page of products, on one line."""
    row = shown.partition(f'data-reward="{reward}"')[2].partition("</tr>")[0]
    return " ".join(row.split())


def sell(acme: Program, *product_ids: str) -> None:
    lines = [
        {"item_id": product, "product_id": product, "quantity": 1, "net": "9"} for product in product_ids
    ]
    Order.objects.create(program=acme, order_id="order-1", lines=lines)


def test_a_reward_whose_product_was_sold_needs_nothing(admin_client: Client, acme: Program) -> None:
    sell(acme, "TOTE-01", "CAP-02")
    shown = admin_client.get(PRODUCTS).content.decode()
    tote = row_of(shown, TOTE)
    assert 'data-works="yes"' in tote
    assert "TOTE-01: sold or in a cart here" in tote
    assert "OTHERPOS-77: not seen here" in tote
    assert "needs none" in row_of(shown, FIVE_OFF)
    assert "Compared with 2 products" in shown
    assert f'href="{PRODUCTS}"' in page(admin_client)


@pytest.mark.parametrize(
    ("entered", "sold", "settings", "advice"),
    [
        ("tote-01", "TOTE-01", {}, "Enter TOTE-01 at Pongo"),
        ("T0TE-01", "TOTE-01", {}, "Enter TOTE-01 at Pongo"),
        ("OTHERPOS-77", "CAP-02", {}, "None of these SKUs was in an order"),
        ("", "TOTE-01", {}, "No SKU is entered"),
        ("TOTE-01", "TOTE-01", {"skus": "CAP-02"}, "leave it out: add it there"),
        ("TOTE-01", "", {}, "No order or cart is known yet"),
    ],
)
def test_a_reward_that_does_not_work_says_what_to_enter(
    admin_client: Client,
    acme: Program,
    vendor: Served,
    entered: str,
    sold: str,
    settings: dict[str, str],
    advice: str,
) -> None:
    vendor.book.rewards[TOTE] = replace(vendor.book.rewards[TOTE], external_id=entered or None)
    acme.provider_settings |= settings
    acme.save()
    sell(acme, *filter(None, [sold]))
    tote = row_of(admin_client.get(PRODUCTS).content.decode(), TOTE)
    assert 'data-works="no"' in tote
    assert advice in tote


def test_a_product_in_a_cart_is_known_and_one_of_another_program_is_not(
    admin_client: Client, acme: Program
) -> None:
    other = Program.objects.create(slug="other", name="Other")
    sell(other, "TOTE-01")
    assert 'data-works="no"' in row_of(admin_client.get(PRODUCTS).content.decode(), TOTE)
    cart = {
        "currency": "USD",
        "total": "9",
        "items": [{"item_id": "i", "product_id": "TOTE-01", "price": "9"}],
    }
    Launch.objects.create(program=acme, secret_hash="x", expires_at=timezone.now(), cart=cart)
    assert 'data-works="yes"' in row_of(admin_client.get(PRODUCTS).content.decode(), TOTE)


def test_the_page_of_products_is_served_when_pongo_is_unavailable(
    admin_client: Client, acme: Program, vendor: Served
) -> None:
    vendor.faults.is_down = True
    response = admin_client.get(PRODUCTS)
    assert response.status_code == 200
    assert "cannot be reached" in response.content.decode()


def test_the_page_of_products_is_for_administrators_of_programs(client: Client, acme: Program) -> None:
    assert client.get(PRODUCTS).status_code == 302
    staff = get_user_model().objects.create_user("kim", password="x", is_staff=True)
    client.force_login(staff)
    assert client.get(PRODUCTS).status_code == 403


def test_all_pages_of_the_catalogue_are_read(connect: Connect) -> None:
    def answer(request: PreparedRequest) -> tuple[int, dict[str, str], str]:
        number = int((request.params or {}).get("page", 1))  # type: ignore[attr-defined]
        body = {"data": [{"id": f"rew_{number}"}], "meta": {"last_page": 3}}
        return 200, {}, json.dumps(body)

    with responses.RequestsMock() as vendor:
        vendor.add_callback("GET", re.compile(".*/v1/rewards"), answer)
        found = [item["id"] for item in all_rewards(connect().client)]
    assert found == ["rew_1", "rew_2", "rew_3"]
