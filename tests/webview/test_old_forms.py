"""A form that was shown before something changed: the customer, the cart, the codes in it."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from loyaltyview.redemptions.models import Redemption
from providers.errors import Unavailable

from .conftest import Mint, Open, squeezed
from .fakes import NOAH, Vendor
from .test_redeem import form


def fields_of(html: str, chosen: str) -> dict[str, object]:
    """Return what the browser sends when `chosen` alone is ticked in the form of several."""
    html = squeezed(html)
    main = html.partition('<form id="several"')[2].partition("</form>")[0]
    fields: dict[str, object] = {"chosen": [chosen]}
    fields |= re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', main)
    fields |= re.findall(r'<input type="hidden" form="several" name="([^"]+)" value="([^"]*)"', html)
    del fields["csrfmiddlewaretoken"]
    return fields


@pytest.mark.parametrize("address", ["several/", "redeem/"])
def test_a_form_shown_for_one_customer_spends_nothing_of_another_chosen_since(
    client: Client, page: str, vendor: Vendor, address: str
) -> None:
    vendor.members[NOAH.ref] = replace(NOAH, balance=replace(NOAH.balance, spendable=500))
    shown = fields_of(client.get(page).content.decode(), "reward:ten-off")
    client.post(page + "find/", {"q": "617 555 0101"})  # another tab chooses Noah
    response = client.post(page + address, form() | {"member": shown["member"]} | shown)
    assert response.status_code == 409
    html = response.content.decode()
    assert 'data-error="MEMBER_CHANGED"' in html
    assert 'data-reward="ten-off" data-state="available"' in html
    assert " checked" not in html, "nothing is chosen for the other customer"
    assert not Redemption.objects.exists()
    assert vendor.members[NOAH.ref].balance.spendable == 500


def test_the_cart_takes_no_less_of_one_chosen_reward_than_was_shown(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(cartTotal=17)
    shown = fields_of(client.get(page).content.decode(), "reward:ten-off")
    client.post(page + "redeem/", form(item="v-birthday", kind="voucher"))
    client.post(page + "several/", shown)
    assert not Redemption.objects.filter(item_id="ten-off").exists()


@pytest.mark.usefixtures("noon")
def test_an_undo_in_my_shift_says_that_the_code_is_still_in_the_cart(
    client: Client, page: str, vendor: Vendor, open_page: Open
) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    again = open_page(selectedCoupons=["LOY0000001"], cartTotal=119.9)
    html = client.post(f"{again}shift/undo/{Redemption.objects.get().pk}/", follow=True).content.decode()
    assert "200 points are back. Its code is still in the cart: remove it there" in html


def test_a_voucher_that_is_being_given_back_promises_no_points(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.get(page)
    client.post(page + "redeem/", form(item="v-birthday", kind="voucher"))
    vendor.errors["release"] = Unavailable("down")
    row = Redemption.objects.get()
    notice = client.post(f"{page}undo/{row.pk}/", follow=True).content.decode()
    for html in (notice, client.get(f"{page}applied/{row.pk}/").content.decode()):
        assert "The voucher returns as soon as the program answers." in html
        assert "points return" not in html


def test_a_new_code_removes_none_from_a_full_cart(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(selectedCoupons=[f"CODE-{number}" for number in range(9)])
    client.get(page)
    client.post(page + "redeem/", form())
    row = Redemption.objects.get()
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        client.post(page + "redeem/", form(item="v-birthday", kind="voucher", key="second-tap-on-a-card"))
        response = client.post(f"{page}renew/{row.pk}/")
    assert response.status_code == 409
    assert 'data-error="CART_FULL"' in response.content.decode()


def test_a_code_of_the_former_customer_does_not_pay_for_the_next_one(
    client: Client, page: str, vendor: Vendor, open_page: Open
) -> None:
    """The till had the wrong customer: Mia's code was removed from the cart, and Noah replaced Mia."""
    client.get(page)
    client.post(page + "redeem/", form())
    vendor.members[NOAH.ref] = replace(NOAH, email="noah@example.test")
    again = open_page(customerEmail="noah@example.test")
    for _look in range(2):
        assert "Cart $129.90" in client.get(again).content.decode(), "the cart has no discount"
    taken = form(item="v-birthday", kind="voucher", key="second-tap-on-a-card")
    html = client.post(again + "redeem/", taken, follow=True).content.decode()
    mias, noahs = Redemption.objects.order_by("requested_at").values_list("code", "member_ref")
    assert (mias[1], noahs[1]) == ("L-00042", "L-00043")
    handoff = html.partition('id="handoff"')[2].partition(">")[0]
    assert noahs[0] in handoff
    assert mias[0] not in handoff, "points of one member would pay for another's goods"
