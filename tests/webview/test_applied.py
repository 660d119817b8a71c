"""The page after a tap: the code until it expires, the way back once, undo and a new code."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.transitions import advance
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import actor_of
from providers.base import Capability
from providers.errors import OutcomeUnknown, Unavailable
from providers.sales import Finding

from .conftest import Mint, Open, squeezed
from .fakes import Vendor
from .test_redeem import form


@pytest.fixture
def address(client: Client, page: str) -> str:
    """The applied page of $10 off, as the tap's redirect names it."""
    client.get(page)
    return str(client.post(page + "redeem/", form())["Location"])


def undo_address(page: str) -> str:
    return f"{page}undo/{Redemption.objects.get().pk}/"


def test_only_the_taps_own_redirect_returns_by_itself(client: Client, address: str) -> None:
    first = client.get(address).content.decode()
    assert " data-go>" in first
    assert '<noscript><meta http-equiv="refresh" content="1;url=com.newstore.associate-one://' in first
    again = client.get(address.partition("?")[0]).content.decode()
    assert " data-go" not in again
    assert "http-equiv" not in again
    assert 'id="handoff"' in again


def test_the_code_and_its_end_are_shown(client: Client, address: str) -> None:
    html = client.get(address).content.decode()
    assert re.search(r'data-left="(89\d|900)" data-life="900"', html)
    assert "Valid until" in html
    assert "If the customer does not buy, what can be undone is given back automatically." in html
    assert 'aria-live="polite"' in html


def test_a_code_of_the_program_itself_is_shown_beside_the_one_for_the_cart(
    client: Client, address: str
) -> None:
    assert "data-own-code" not in client.get(address).content.decode()
    Redemption.objects.update(memo={"own_code": "PNG-7KQ2XA"})
    html = squeezed(client.get(address).content.decode())
    assert "For the cart: LOY0000001. The code PNG-7KQ2XA is for the program's app only" in html


def test_the_handoff_carries_all_codes_of_the_cart(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(selectedCoupons=["SUMMER"])
    client.get(page)
    client.post(page + "redeem/", form())
    second = client.post(
        page + "redeem/", form(key="second-tap-on-a-card", item="v-birthday", kind="voucher")
    )
    html = client.get(second["Location"]).content.decode()
    codes = re.findall(r"coupons\[\]=([A-Z0-9]+)", html.partition('id="handoff"')[2])
    assert codes == ["SUMMER", "LOY0000001", "LOY0000002"]


def test_a_code_that_was_given_back_is_not_sent_again(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    client.post(undo_address(page))
    # The cart still has the code; then another reward is applied.
    again = open_page(selectedCoupons=["LOY0000001", {"code": "SUMMER"}])
    client.get(again)
    response = client.post(again + "redeem/", form(key="second-tap-on-a-card"))
    html = client.get(response["Location"]).content.decode()
    codes = re.findall(r"coupons\[\]=([A-Z0-9]+)", html.partition('id="handoff"')[2])
    assert codes == ["SUMMER", "LOY0000002"]


def test_another_launch_does_not_see_it(client: Client, address: str, open_page: Open) -> None:
    other = open_page(cartId="cart-2")
    client.get(other)
    redemption = Redemption.objects.get().pk
    assert client.get(f"{other}applied/{redemption}/").status_code == 404
    assert client.post(f"{other}undo/{redemption}/").status_code == 404
    assert client.post(f"{other}renew/{redemption}/").status_code == 404
    assert Redemption.objects.get().state == State.REVEALED


def test_another_member_in_the_same_cart_does_not_see_it(client: Client, page: str, address: str) -> None:
    client.post(page + "find/", {"q": "617 555 0101"})
    assert client.get(address).status_code == 404


def test_the_applied_reward_stands_on_the_member_page_with_undo(
    client: Client, page: str, address: str
) -> None:
    html = client.get(page).content.decode()
    redemption = Redemption.objects.get().pk
    assert "In this cart" in html
    assert f'data-redemption="{redemption}"' in html
    assert f'data-undo="{redemption}"' in html


def test_undo_gives_the_points_back_and_says_so(client: Client, page: str, address: str) -> None:
    html = client.post(undo_address(page), follow=True).content.decode()
    assert "200 points are back." in html
    assert 'role="status"' in html
    assert 'data-points="820"' in html
    assert Redemption.objects.get().state == State.RELEASED


def test_undo_of_a_code_in_the_apps_cart_says_to_remove_it_there(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    again = open_page(selectedCoupons=["LOY0000001"])
    client.get(again)
    html = client.post(undo_address(again), follow=True).content.decode()
    assert "200 points are back. Its code is still in the cart: remove it there" in html


def test_undo_while_the_vendor_is_away_is_promised(
    client: Client, page: str, address: str, vendor: Vendor
) -> None:
    vendor.errors["release"] = Unavailable("timeout")
    html = client.post(undo_address(page), follow=True).content.decode()
    assert "as soon as the program answers" in html
    assert Redemption.objects.get().state == State.RELEASING


def test_what_an_order_carries_cannot_be_undone(client: Client, page: str, address: str) -> None:
    row = Redemption.objects.get()
    advance(row, State.USED, allowed=[State.REVEALED], actor=actor_of(Launch.objects.get()), order_id="o-1")
    response = client.post(undo_address(page))
    assert response.status_code == 409
    assert 'data-error="UNDO_NOT_POSSIBLE"' in response.content.decode()
    assert "Used in an order" in client.get(address).content.decode()


def test_what_the_program_cannot_take_back_offers_no_undo(
    client: Client, page: str, address: str, vendor: Vendor
) -> None:
    vendor.capabilities = vendor.capabilities - {Capability.RELEASE_POINTS}
    assert "data-undo" not in client.get(address).content.decode()
    response = client.post(undo_address(page))
    assert response.status_code == 409
    assert Redemption.objects.get().state == State.REVEALED


def test_what_is_final_says_so_and_is_not_undone(client: Client, page: str, vendor: Vendor) -> None:
    client.get(page)
    response = client.post(page + "redeem/", form("fifteen-percent"))
    row = Redemption.objects.get()
    assert row.is_final
    html = client.get(response["Location"]).content.decode()
    assert "Cannot be undone" in html
    assert "Next: return to the cart." in html
    assert "given back automatically" not in html, "nothing here can be undone"
    assert "data-undo" not in html
    assert "data-undo" not in client.get(page).content.decode()
    refused = client.post(undo_address(page))
    assert refused.status_code == 409
    assert 'data-error="UNDO_FINAL"' in refused.content.decode()
    assert "release" not in vendor.calls


def test_an_expired_code_is_renewed_on_the_member_page_too(client: Client, page: str, address: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        html = client.get(page).content.decode()
        assert "Code expired" in html
        assert f'data-renew="{Redemption.objects.get().pk}"' in html
    assert "data-renew" not in client.get(page).content.decode()


def test_an_expired_code_is_renewed_without_points(
    client: Client, page: str, address: str, vendor: Vendor, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        html = client.get(address).content.decode()
        assert 'data-state="expired"' in html
        assert 'id="handoff"' not in html
        assert "LOY0000001" not in html
        response = client.post(f"{page}renew/{Redemption.objects.get().pk}/", follow=True)
    assert "LOY0000002" in response.content.decode()
    assert vendor.members["L-00042"].balance.spendable == 620


def test_a_code_in_the_cart_is_replaced_by_its_renewal(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        again = open_page(selectedCoupons=["LOY0000001", "SUMMER"], cartTotal=119.9)
        client.get(again)
        response = client.post(f"{again}renew/{Redemption.objects.get().pk}/", follow=True)
        html = response.content.decode()
        codes = re.findall(r"coupons\[\]=([A-Z0-9]+)", html.partition('id="handoff"')[2])
        assert codes == ["SUMMER", "LOY0000002"], "both would take the discount twice for the same points"
        assert "Cart $119.90" in client.get(again).content.decode(), "its total has the discount already"


def test_a_code_that_the_app_spells_otherwise_is_handed_back_once(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    again = open_page(selectedCoupons=["loy0000001", "summer"], cartTotal=119.9)
    html = client.get(again).content.decode()
    assert "Cart $119.90" in html, "its total has the discount already"
    response = client.post(
        again + "redeem/", form("fifteen-percent", key="second-tap-on-a-card"), follow=True
    )
    codes = re.findall(r"coupons\[\]=([A-Za-z0-9]+)", response.content.decode().partition('id="handoff"')[2])
    assert codes == ["LOY0000001", "summer", "LOY0000002"]


def test_a_code_that_was_given_back_is_not_sent_again_in_any_spelling(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    client.post(undo_address(page))
    again = open_page(selectedCoupons=["loy0000001"])
    client.get(again)
    response = client.post(
        again + "redeem/", form("fifteen-percent", key="second-tap-on-a-card"), follow=True
    )
    codes = re.findall(r"coupons\[\]=([A-Za-z0-9]+)", response.content.decode().partition('id="handoff"')[2])
    assert codes == ["LOY0000002"]


def test_a_replaced_code_does_not_count_against_the_carts_limit(
    client: Client, page: str, address: str, open_page: Open
) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        others = [f"CODE-{n}" for n in range(8)]
        again = open_page(selectedCoupons=["LOY0000001", *others], cartTotal=119.9)
        client.get(again)
        client.post(f"{again}renew/{Redemption.objects.get().pk}/")
        # Eight others and the renewed one: there is room for a tenth.
        client.post(again + "redeem/", form(key="tap-for-the-tenth", item="v-birthday", kind="voucher"))
        assert Redemption.objects.count() == 2


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NewStoreUnavailable("timeout"), 503, "NEWSTORE_UNAVAILABLE"),
        (NewStoreAuthFailed("401"), 503, "NEWSTORE_AUTH"),
        (NewStoreRejected("400"), 422, "NEWSTORE_REJECTED"),
        (NewStoreRejected("410", status=410), 503, "NEWSTORE_GONE"),
        (NewStoreUnexpected("html"), 503, "NEWSTORE_UNEXPECTED"),
    ],
)
@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (form(), "The points are still reserved for it. Try again in a minute, or undo."),
        (form("fifteen-percent"), "The points are still reserved for it. Try again in a minute, or tell"),
        (form("v-birthday", kind="voucher"), "The voucher is still reserved for it."),
    ],
)
def test_a_renewal_that_fails_says_why_and_that_nothing_is_lost(
    client: Client,
    page: str,
    newstore: Mint,
    error: NewStoreError,
    status: int,
    code: str,
    fields: dict[str, str],
    kept: str,
) -> None:
    client.get(page)
    client.post(page + "redeem/", fields)
    newstore.error = error
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        response = client.post(f"{page}renew/{Redemption.objects.get().pk}/")
    said = response.content.decode().partition(f'data-error="{code}"')[2].partition("</p>")[0]
    assert response.status_code == status
    assert "NewStore" in said
    assert kept in said
    assert "No points were spent" not in said


@pytest.fixture
def checking(client: Client, page: str, vendor: Vendor) -> str:
    """An applied page whose outcome is unknown."""
    client.get(page)
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    return str(client.post(page + "redeem/", form())["Location"])


def test_while_the_outcome_is_unknown_the_page_waits(client: Client, checking: str) -> None:
    assert client.get(checking, headers={"HX-Request": "true"}).status_code == 204


def test_a_spend_that_turns_out_to_have_happened_shows_its_code(
    client: Client, checking: str, vendor: Vendor
) -> None:
    vendor.finding = Finding.HAPPENED
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        response = client.get(checking, headers={"HX-Request": "true"})
        assert response["HX-Redirect"] == f"{checking}?go=1"
        assert "LOY0000001" in client.get(response["HX-Redirect"]).content.decode()


def test_a_spend_that_did_not_happen_can_be_repeated(client: Client, checking: str, vendor: Vendor) -> None:
    vendor.finding = Finding.DID_NOT
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        html = client.get(checking, follow=True).content.decode()
    assert 'data-error="NOT_SPENT"' in html
    assert "You can apply it again" in html
    assert 'data-page="member"' in html
