"""The program's page in admin: stores and suggestions, webhooks, rewards to look at."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from loyaltyview.events.processing import run_one
from loyaltyview.programs.models import Program, Store
from providers.journal.models import Write, WriteState
from providers.pongo import webhooks
from providers.pongo.merchant import suggest
from providers.pongo.models import PassCode, Subscription
from providers.types import ProviderStore
from tests.providers.pongo.conftest import FIVE_OFF, MIA, SECRET, WEBHOOK_SECRET, Served
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
