"""Pages of trouble ask again by themselves, and give way to the page that was wanted."""

import re

import pytest
from django.test import Client, RequestFactory

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.healing import healing
from loyaltyview.webview.responses import refuse
from providers.errors import AuthFailed, Unavailable

from .fakes import Vendor

HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize(
    ("asked", "pause_s"), [("", 5), ("0", 5), ("2", 20), ("99", 60), ("x", 5), ("-1", 5)]
)
def test_each_pause_is_longer_than_the_one_before(rf: RequestFactory, asked: str, pause_s: int) -> None:
    assert healing(rf.get("/", {"asked": asked, "undone": "x"})).pause_s == pause_s


def test_the_page_without_the_vendor_asks_again_until_the_vendor_answers(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.down(Unavailable("timeout"))
    html = client.get(page).content.decode()
    assert 'data-pause="5"' in html
    assert "data-customer>m•••@example.test<" in html
    assert f'<meta http-equiv="refresh" content="5;url={page}?asked=1">' in html
    address = re.search(r'hx-get="([^"]+content/[^"]+)"', html)
    assert address
    again = client.get(address[1], headers=HTMX)
    assert again.status_code == 200
    assert "HX-Retarget" not in again
    assert 'data-pause="10"' in again.content.decode()
    assert "<main" not in again.content.decode()
    vendor.errors.clear()
    there = client.get(address[1], headers=HTMX)
    assert there["HX-Retarget"] == "#content"
    assert 'data-points="820"' in there.content.decode()


def test_what_only_an_administrator_can_mend_is_not_asked_again(
    client: Client, page: str, vendor: Vendor
) -> None:
    vendor.down(AuthFailed("401"))
    html = client.get(page).content.decode()
    assert "data-pause" not in html
    assert "The sale goes on" in html


def test_a_busy_servers_page_of_a_launch_goes_on_by_itself(rf: RequestFactory) -> None:
    html = refuse(rf.get("/l/one/"), Refusal.BUSY, again="/l/one/").content.decode()
    assert 'data-heal="/l/one/"' in html
    html = refuse(rf.get("/launch/acme/"), Refusal.BUSY, again="/launch/acme/").content.decode()
    assert "data-heal" not in html
