"""The page of what was applied reads like a receipt: cart before and after, new balance, what is earned."""

import re

from django.test import Client

from providers.errors import Unavailable

from .conftest import Open, squeezed
from .fakes import Vendor
from .test_redeem import form


def sums(html: str) -> list[str]:
    return re.findall("<dd><bdi>([^<]+)</bdi></dd>", html)


def test_the_receipt_has_the_cart_before_and_after(client: Client, page: str) -> None:
    client.get(page)
    html = squeezed(client.post(page + "redeem/", form(), follow=True).content.decode())
    assert sums(html) == ["$129.90", "\N{MINUS SIGN}$10.00", "$119.90"]
    assert f'hx-get="{page}receipt/" hx-trigger="load delay:1s"' in html


def test_of_several_codes_each_is_a_line_of_one_receipt(client: Client, page: str) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    second = client.post(
        page + "redeem/", form(key="second-tap-on-a-card", item="v-birthday", kind="voucher")
    )
    html = squeezed(client.get(second["Location"].partition("?")[0]).content.decode())
    assert sums(html) == ["$119.90", "\N{MINUS SIGN}$15.00", "$104.90"]
    assert 'hx-trigger="load"' in html


def test_a_code_that_was_in_the_cart_already_makes_no_sums(
    client: Client, page: str, open_page: Open
) -> None:
    client.get(page)
    address = client.post(page + "redeem/", form())["Location"]
    again = open_page(selectedCoupons=["LOY0000001"], cartTotal=119.9)
    client.get(again)
    html = client.get(address.replace(page, again)).content.decode()
    assert "LOY0000001" in html
    assert sums(squeezed(html)) == []


def test_the_new_balance_and_the_points_of_the_cart_come_behind_the_page(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.get(page)
    client.post(page + "redeem/", form())
    html = client.get(page + "receipt/").content.decode()
    assert 'data-balance="620"' in html
    vendor.errors["get_member"] = Unavailable("timeout")
    html = client.get(page + "receipt/").content.decode()
    assert "The new balance follows on the customer" in html
