"""Launches that could not be served, and refusals, are counted for the administrator."""

import pytest
from django.test import Client
from django.urls import reverse

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program, Trouble
from providers.errors import ProviderError, Unavailable, UnexpectedAnswer

from .conftest import Mint, Open, launch_params
from .fakes import Vendor
from .test_redeem import form


def counted() -> dict[tuple[str, str], int]:
    """Return what was counted, without what the NewStore of these tests, which never answers, adds."""
    rows = Trouble.objects.exclude(kind="newstore").values_list("kind", "code", "count")
    return {(kind, code): count for kind, code, count in rows}


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable("timeout"), "PROVIDER_UNAVAILABLE"), (UnexpectedAnswer("html"), "PROVIDER_UNEXPECTED")],
)
def test_launches_that_the_vendor_keeps_from_being_served(
    client: Client, open_page: Open, vendor: Vendor, error: ProviderError, code: str
) -> None:
    vendor.down(error)
    for number in range(6):
        assert client.get(open_page(cartId=f"cart-{number}")).status_code == 503
    assert counted() == {("page", code): 6}


def test_a_vendor_that_is_away_while_the_customer_is_looked_for(
    client: Client, open_page: Open, vendor: Vendor
) -> None:
    vendor.down(Unavailable("timeout"))
    page = open_page(customerEmail="")
    client.post(page + "find/", {"q": "617 555 0100"})
    assert counted() == {("page", "PROVIDER_UNAVAILABLE"): 1}


def test_refused_launches(client: Client, program: Program, vendor: Vendor) -> None:
    params = launch_params(program)
    client.get("/launch/acme/", params | {"externalIdentity": ""})
    client.get("/launch/acme/", params | {"token": ""})
    assert {kind for kind, _code in counted()} == {"launch"}
    assert sum(counted().values()) == 2


def test_refused_taps_are_among_todays_refusals(
    client: Client, admin_client: Client, shown: str, vendor: Vendor
) -> None:
    client.post(shown + "redeem/", form("fifty-off"))
    client.post(shown + "redeem/", form("no-such-reward", key="another-key-of-it-1"))
    assert counted() == {("tap", "INSUFFICIENT_POINTS"): 1, ("tap", "ITEM_UNKNOWN"): 1}
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert "<dt>Refused today</dt><dd>2</dd>" in page


def test_a_newstore_that_makes_no_code(client: Client, shown: str, newstore: Mint) -> None:
    Trouble.objects.all().delete()
    newstore.error = NewStoreUnavailable("timeout")
    client.post(shown + "redeem/", form())
    # The cart could not be read either.
    assert Trouble.objects.get().count == 2
    assert Trouble.objects.get().code == "NEWSTORE_UNAVAILABLE"


def test_successful_taps_are_not_counted_as_trouble(client: Client, shown: str) -> None:
    client.post(shown + "redeem/", form())
    client.get(shown)
    assert counted() == {}
