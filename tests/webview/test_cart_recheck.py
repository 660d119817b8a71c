"""The cart at the moment of the tap: reduced, emptied, changed, or not read in time."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.test import Client

from loyaltyview.newstore.answers import HostCart, HostCartItem
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview import cart_recheck, host_check
from loyaltyview.webview.models import Launch

from .conftest import Mint, Open
from .fakes import MIA, POINTS_AS_MONEY, Vendor
from .test_redeem import form

Units = dict[str, int]
BOTH = {"TOTE-01": 1, "CAP-02": 1}


@dataclass
class Till:
    """NewStore's cart, as it is now: units by product, None for an answer that lists none."""

    units: Units | None = field(default_factory=lambda: dict(BOTH))
    error: NewStoreError | None = None
    may_answer: threading.Event = field(default_factory=threading.Event)
    asked: int = 0

    def get_cart(self, cart_id: str) -> HostCart:
        self.asked += 1
        assert self.may_answer.wait(60)
        if self.error:
            raise self.error
        items = self.units and tuple(
            HostCartItem(item_id="", product_id=product, quantity=Decimal(quantity))
            for product, quantity in self.units.items()
        )
        return HostCart(
            cart_id=cart_id,
            store_id="US_BOSTON_01",
            associate_id="",
            customer_id="",
            currency="USD",
            channel_type="STORE",
            state="active",
            items=() if self.units == {} else items or None,
        )


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    till = Till()
    till.may_answer.set()
    for module in (host_check, cart_recheck):
        monkeypatch.setattr(module, "DEADLINE_S", 30)
    monkeypatch.setattr(NewStoreClient, "get_cart", lambda self, cart_id: till.get_cart(cart_id))
    yield till
    till.may_answer.set()


@pytest.fixture
def shown(till: Till, vendor: Vendor, newstore: Mint, open_page: Open, client: Client) -> str:
    """Mia's cart of $129.90, a tote for $89.90 and a cap for $40, is on the page."""
    page = open_page()
    client.get(page)
    return page


def spent(vendor: Vendor) -> int:
    return MIA.balance.spendable - vendor.members[MIA.ref].balance.spendable


def test_a_percentage_of_less_is_refused_and_the_page_shows_the_smaller_cart(
    client: Client, shown: str, till: Till, vendor: Vendor
) -> None:
    till.units = {"CAP-02": 1}
    response = client.post(shown + "redeem/", form("fifteen-percent", cost="300", saving="19.49"))
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-error="CART_REDUCED"' in html
    assert "Cart $40.00" in html
    assert "\N{MINUS SIGN}$6.00" in html, "15 % of what is left"
    assert (spent(vendor), Redemption.objects.count()) == (0, 0)
    # What is shown now can be applied.
    assert client.post(shown + "redeem/", form("fifteen-percent", saving="6.00")).status_code == 303
    assert Redemption.objects.get().saving == Decimal("6.00")


def test_what_the_smaller_cart_still_carries_is_applied(
    client: Client, shown: str, till: Till, vendor: Vendor
) -> None:
    till.units = {"CAP-02": 1}
    assert client.post(shown + "redeem/", form("ten-off")).status_code == 303
    assert Redemption.objects.get().cart["total"]["amount"] == "40.00"


@pytest.mark.parametrize("kind", ["reward", "points"])
@pytest.mark.parametrize("at_launch", [BOTH, None], ids=["known at launch", "not said at launch"])
def test_nothing_is_spent_on_an_empty_cart(
    client: Client,
    till: Till,
    vendor: Vendor,
    newstore: Mint,
    open_page: Open,
    kind: str,
    at_launch: Units | None,
) -> None:
    vendor.rewards += (POINTS_AS_MONEY,)
    till.units = at_launch
    page = open_page()
    client.get(page)
    till.units = {}
    item = {"reward": "ten-off", "points": "points-as-money"}[kind]
    response = client.post(page + "redeem/", form(item, kind=kind, points="100"))
    assert response.status_code == 409
    assert 'data-error="CART_REDUCED"' in response.content.decode()
    assert "Cart $0.00" in response.content.decode()
    assert spent(vendor) == 0


def test_several_taps_read_the_cart_once_and_none_is_applied_when_it_was_reduced(
    client: Client, shown: str, till: Till, vendor: Vendor
) -> None:
    till.units = {"CAP-02": 1}
    asked = till.asked
    chosen = {"key": "a-key-of-the-form-1", "chosen": ["reward:fifteen-percent", "reward:ten-off"]}
    response = client.post(shown + "several/", chosen)
    html = response.content.decode()
    assert (response.status_code, html.count('data-error="CART_REDUCED"')) == (409, 1)
    assert till.asked == asked + 1
    assert spent(vendor) == 0
    assert client.post(shown + "several/", chosen).status_code == 303
    assert sum(Redemption.objects.values_list("saving", flat=True)) == Decimal("16.00")


def test_the_second_of_several_is_compared_with_what_the_page_showed_too(
    client: Client, shown: str, till: Till, vendor: Vendor
) -> None:
    till.units = {"CAP-02": 1}
    chosen = {"key": "a-key-of-the-form-1", "chosen": ["reward:ten-off", "reward:fifteen-percent"]}
    html = client.post(shown + "several/", chosen, follow=True).content.decode()
    assert 'data-error="CART_REDUCED"' in html
    assert [row.item_id for row in Redemption.objects.all()] == ["ten-off"]


@pytest.mark.parametrize(
    "now", [{"TOTE-01": 1, "SOCK-03": 1}, {"SOCK-03": 1}], ids=["one exchanged", "all exchanged"]
)
def test_a_cart_without_a_known_total_must_be_opened_again(
    client: Client, shown: str, till: Till, vendor: Vendor, now: Units
) -> None:
    till.units = now
    response = client.post(shown + "redeem/", form())
    assert response.status_code == 409
    assert 'data-error="CART_CHANGED"' in response.content.decode()
    assert spent(vendor) == 0


def test_a_cart_that_is_gone_takes_no_reward(client: Client, shown: str, till: Till, vendor: Vendor) -> None:
    till.error = NewStoreRejected("404", status=404)
    response = client.post(shown + "redeem/", form())
    assert response.status_code == 409
    assert 'data-error="CART_UNKNOWN"' in response.content.decode()
    assert spent(vendor) == 0


@pytest.mark.parametrize(
    ("at_launch", "now"),
    [
        (BOTH, BOTH),
        (BOTH, {**BOTH, "SOCK-03": 2}),
        (BOTH, None),
        ({"A": 1, "B": 1}, {"A": 1, "B": 1}),  # NewStore's names are not the app's
        (None, {"A": 1, "B": 1}),
        ({}, {}),
    ],
)
def test_a_cart_without_a_known_reduction_takes_the_reward(
    client: Client,
    till: Till,
    vendor: Vendor,
    newstore: Mint,
    open_page: Open,
    at_launch: Units | None,
    now: Units | None,
) -> None:
    till.units = at_launch
    page = open_page()
    client.get(page)
    till.units = now
    assert client.post(page + "redeem/", form(saving="10.00")).status_code == 303
    assert Launch.objects.get().cart["total"] == "129.9"


def test_the_tap_does_not_wait_for_a_slow_newstore(
    client: Client, shown: str, till: Till, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cart_recheck, "DEADLINE_S", 0.01)
    till.may_answer.clear()
    till.units = {}
    assert client.post(shown + "redeem/", form()).status_code == 303


@pytest.mark.parametrize("error", [NewStoreUnavailable("500"), NewStoreRejected("422", status=422)])
def test_an_error_of_newstore_does_not_stop_the_tap(
    client: Client, shown: str, till: Till, error: NewStoreError
) -> None:
    till.error = error
    assert client.post(shown + "redeem/", form()).status_code == 303


def test_a_program_that_checks_no_carts_asks_nothing_at_the_tap(
    client: Client, program: Program, till: Till, vendor: Vendor, newstore: Mint, open_page: Open
) -> None:
    Program.objects.update(newstore_check_carts=False)
    page = open_page()
    client.get(page)
    assert client.post(page + "redeem/", form()).status_code == 303
    assert till.asked == 0


def test_the_same_tap_again_does_not_ask_for_the_cart(
    client: Client, shown: str, till: Till, vendor: Vendor
) -> None:
    first = client.post(shown + "redeem/", form())
    asked = till.asked
    till.units = {}
    assert client.post(shown + "redeem/", form())["Location"] == first["Location"]
    assert till.asked == asked
