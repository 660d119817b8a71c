"""My shift: this associate's redemptions in this store today, and no other's."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program, Store
from loyaltyview.redemptions import shift
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.transitions import advance
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import actor_of
from loyaltyview.webview.views.shift import start_of_day
from providers.errors import Unavailable

from .conftest import Mint, Open, words
from .fakes import Vendor
from .test_redeem import form

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def two_carts(client: Client, open_page: Open, vendor: Vendor, newstore: Mint) -> str:
    """Kim applied $10 off in one cart and the voucher in another; the address of the second launch."""
    for number, (item, kind) in enumerate((("ten-off", "reward"), ("v-birthday", "voucher"))):
        page = open_page(cartId=f"cart-{number}")
        client.get(page)
        client.post(page + "redeem/", form(item, kind, key=f"a-key-of-this-card-{number}"))
    return page


def test_every_cart_of_today_is_listed_with_its_state(client: Client, two_carts: str) -> None:
    html = client.get(two_carts + "shift/").content.decode()
    assert 'data-page="shift"' in html
    assert html.count('data-status="live"') == 2
    assert "$10 off" in html
    assert "Birthday voucher" in html
    assert 'data-saved="25.00"' in html
    assert re.findall(r'data-code="(LOY\d+)"', html) == ["LOY0000002", "LOY0000001"]
    assert "Mia" not in words(html)
    assert html.count("<bdi data-customer>m•••@example.test</bdi>") == 2


def test_more_than_the_list_shows_counts_as_saved(
    client: Client, two_carts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "MOST_SHOWN", 1)
    html = client.get(two_carts + "shift/").content.decode()
    assert html.count('data-status="live"') == 1
    assert 'data-saved="25.00"' in html


def test_a_redemption_of_an_earlier_cart_is_undone_here(
    client: Client, two_carts: str, vendor: Vendor
) -> None:
    row = Redemption.objects.get(item_id="ten-off")
    html = client.post(f"{two_carts}shift/undo/{row.pk}/", follow=True).content.decode()
    assert "200 points are back." in html
    assert 'data-status="returned"' in html
    assert 'data-saved="15.00"' in html
    assert vendor.members["L-00042"].balance.spendable == 820
    line = row.transitions.last()
    assert line is not None
    assert line.actor == "a-17"


@pytest.mark.parametrize("change", [{"associate_id": "a-23"}, {"store_id": "US_NYC_01"}], ids=str)
def test_redemptions_of_other_associates_or_stores_are_neither_shown_nor_undone(
    client: Client, two_carts: str, change: dict[str, str]
) -> None:
    Redemption.objects.update(**change)
    row = Redemption.objects.get(item_id="ten-off")
    assert "data-redemption" not in client.get(two_carts + "shift/").content.decode()
    assert client.post(f"{two_carts}shift/undo/{row.pk}/").status_code == 404
    row.refresh_from_db()
    assert row.state == State.REVEALED


def test_what_an_order_carries_or_is_final_is_not_undone(client: Client, two_carts: str) -> None:
    ordered, final = Redemption.objects.order_by("item_id")
    advance(
        ordered, State.USED, allowed=[State.REVEALED], actor=actor_of(Launch.objects.all()[0]), order_id="o-1"
    )
    Redemption.objects.filter(pk=final.pk).update(is_final=True)
    html = client.get(two_carts + "shift/").content.decode()
    assert "Used in an order" in html
    assert "data-undo" not in html
    for row, code in ((ordered, "UNDO_NOT_POSSIBLE"), (final, "UNDO_FINAL")):
        response = client.post(f"{two_carts}shift/undo/{row.pk}/")
        assert response.status_code == 409
        assert f'data-error="{code}"' in response.content.decode()


def test_undo_while_the_vendor_is_away_is_promised(client: Client, two_carts: str, vendor: Vendor) -> None:
    vendor.errors["release"] = Unavailable("timeout")
    row = Redemption.objects.get(item_id="ten-off")
    html = client.post(f"{two_carts}shift/undo/{row.pk}/", follow=True).content.decode()
    assert "as soon as the program answers" in html
    assert "Being given back" in html


def test_a_refused_redemption_saves_nothing(client: Client, page: str, newstore: Mint) -> None:
    client.get(page)
    newstore.error = NewStoreUnavailable("down")
    client.post(page + "redeem/", form())
    html = client.get(page + "shift/").content.decode()
    assert "Refused, nothing was spent" in html
    assert 'data-saved="0"' in html


def test_an_empty_day_explains_the_list(client: Client, page: str) -> None:
    assert "Nothing redeemed yet today" in client.get(page + "shift/").content.decode()


def test_today_begins_at_midnight_where_the_device_is() -> None:
    with time_machine.travel(datetime(2026, 3, 5, 2, 30, tzinfo=UTC), tick=False):
        assert start_of_day("America/New_York") == datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
        assert start_of_day("Asia/Tokyo") == datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
        for nonsense in ("", "Mars/Olympus", "../etc/passwd", "x" * 500):
            assert start_of_day(nonsense) == datetime(2026, 3, 5, 0, 0, tzinfo=UTC)


def test_the_stores_midnight_counts_for_every_device(
    client: Client, two_carts: str, program: Program
) -> None:
    with time_machine.travel(datetime(2026, 3, 5, 2, 30, tzinfo=UTC), tick=False):
        # Nine in the evening of the 4th in Boston; 11:30 of the 5th in Tokyo.
        Redemption.objects.update(requested_at=datetime(2026, 3, 4, 14, 0, tzinfo=UTC))
        Launch.objects.update(expires_at=timezone.now() + timedelta(minutes=5))
        address = f"{two_carts}shift/?zone=Asia/Tokyo"
        nothing = "Nothing redeemed yet today"
        assert nothing in client.get(address).content.decode()
        program.time_zone = "America/New_York"
        program.save()
        assert nothing not in client.get(address).content.decode()
        store = Store.objects.get()
        store.time_zone = "Asia/Tokyo"
        store.save()
        assert nothing in client.get(address).content.decode()


def test_yesterdays_are_not_listed(client: Client, two_carts: str) -> None:
    Redemption.objects.update(requested_at=timezone.now() - timedelta(hours=25))
    assert "Nothing redeemed yet today" in client.get(two_carts + "shift/").content.decode()


def test_without_a_login_there_is_no_shift(client: Client, page: str) -> None:
    Launch.objects.update(associate_id="")
    for response in (client.get(page + "shift/"), client.post(f"{page}shift/undo/{uuid4()}/")):
        assert response.status_code == 403
        assert 'data-error="SHIFT_UNVERIFIED"' in response.content.decode()
    assert not re.search(r'href="[^"]*shift/', client.get(page).content.decode())


def test_the_header_leads_there(client: Client, page: str) -> None:
    assert f'href="{page}shift/"' in client.get(page).content.decode()
