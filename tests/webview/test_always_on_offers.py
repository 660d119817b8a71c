"""An offer that is always on: one tap makes its code, and it can be taken off at every vendor."""

from dataclasses import replace

import pytest
from django.test import Client

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.release import can_release
from providers.base import Capability
from providers.sales import SpendKind
from providers.types import Voucher

from .conftest import Open
from .fakes import FakeProvider, Vendor, off
from .test_member import card
from .test_redeem import form

OFFER = Voucher(voucher_id="three-off", title="$3 off", discount=off("3.00", minimum="30.00"), is_offer=True)


@pytest.fixture
def final(vendor: Vendor) -> Vendor:
    """A vendor that can give back nothing, with one offer."""
    vendor.capabilities -= {Capability.RELEASE_VOUCHER, Capability.RELEASE_POINTS}
    vendor.vouchers = (OFFER,)
    return vendor


def test_an_offer_is_applied_by_one_tap_and_taken_off_again(client: Client, page: str, final: Vendor) -> None:
    shown = card(client.get(page).content.decode(), "three-off")
    assert "Offer, no points needed" in shown
    assert "Can be undone on the next page" in shown
    assert client.post(page + "redeem/", form("three-off", "offer")).status_code == 303
    row = Redemption.objects.get()
    assert (row.kind, row.state, row.is_final) == ("offer", State.REVEALED, False)
    assert 'data-reason="IN_CART"' in card(client.get(page).content.decode(), "three-off")
    undone = client.post(f"{page}undo/{row.pk}/", follow=True).content.decode()
    assert "The offer is taken off. It can be applied again." in undone
    row.refresh_from_db()
    assert row.state == State.RELEASED
    assert final.released == set(final.spends)


def test_an_offer_whose_cart_is_too_small_says_what_is_missing(
    client: Client, open_page: Open, final: Vendor
) -> None:
    final.vouchers = (replace(OFFER, discount=off("3.00", minimum="142.40")),)
    assert "$12.50 more in the cart" in card(client.get(open_page()).content.decode(), "three-off")


def test_a_vendor_that_takes_nothing_back_takes_back_offers(final: Vendor) -> None:
    kinds = [kind for kind in SpendKind if can_release(FakeProvider(final), kind)]
    assert kinds == [SpendKind.OFFER]
