"""A reward that the program cancelled by itself: the open page says so, and so does a cart with its code."""

import pytest
from django.test import Client
from django.utils import timezone

from loyaltyview.redemptions.cancellation import cancel_spend
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import IssuedCode, Redemption
from loyaltyview.redemptions.release import undo
from providers.base import Capability

from .conftest import Open
from .fakes import Vendor
from .test_redeem import form

HTMX = {"HX-Request": "true"}


@pytest.fixture
def row(client: Client, page: str) -> Redemption:
    """$10 off, applied in Mia's cart."""
    client.get(page)
    client.post(page + "redeem/", form())
    return Redemption.objects.select_related("program").get()


def cancel(row: Redemption) -> None:
    cancelled = cancel_spend(row.program, provider_ref=row.provider_ref)
    assert cancelled
    assert [each.pk for each in cancelled] == [row.pk]


@pytest.mark.parametrize("path", ["", "applied/{row.pk}/"])
def test_a_page_with_a_live_code_asks_whether_it_was_cancelled(
    client: Client, page: str, row: Redemption, path: str
) -> None:
    html = client.get(page + path.format(row=row)).content.decode()
    assert f'hx-get="{page}watch/?live={row.pk}" hx-trigger="every 5s"' in html


def test_a_program_that_never_cancels_is_not_asked(
    client: Client, page: str, row: Redemption, vendor: Vendor
) -> None:
    vendor.capabilities = vendor.capabilities - {Capability.CANCELS_SPENDS}
    assert "/watch/" not in client.get(page).content.decode()


def test_the_open_page_learns_of_the_cancellation_and_says_what_to_do(
    client: Client, page: str, row: Redemption
) -> None:
    watch = f"{page}watch/?live={row.pk}"
    assert client.get(watch, headers=HTMX).status_code == 204
    cancel(row)

    answer = client.get(watch, headers=HTMX)
    html = client.get(answer["HX-Redirect"]).content.decode()

    assert f'data-error="CANCELLED_BY_PROGRAM" data-cancelled="{row.pk}"' in html
    assert "The program cancelled $10 off, and its code must not be used any more." in html
    assert row.code not in html


def test_a_page_without_a_live_code_stops_asking(client: Client, page: str, row: Redemption) -> None:
    undo(row.pk, Actor(name="a-17"))
    assert client.get(f"{page}watch/?live={row.pk}", headers=HTMX).status_code == 286


def test_a_cart_that_still_has_the_cancelled_code_gets_a_warning(
    client: Client, open_page: Open, row: Redemption
) -> None:
    cancel(row)
    html = client.get(open_page(selectedCoupons=[row.code])).content.decode()
    sentence = f"The program cancelled $10 off, and its code {row.code} is no longer valid."
    assert f"{sentence} Remove it from the cart, then choose again." in html
    assert "CANCELLED_BY_PROGRAM" not in client.get(open_page()).content.decode()


def test_an_undo_by_the_associate_is_no_cancellation(
    client: Client, open_page: Open, row: Redemption
) -> None:
    undo(row.pk, Actor(name="a-17"))
    html = client.get(open_page(selectedCoupons=[row.code])).content.decode()
    assert "CANCELLED_BY_PROGRAM" not in html


def test_a_cancellation_after_the_sale_says_that_the_sale_stands(
    client: Client, page: str, row: Redemption
) -> None:
    Redemption.objects.update(state="used", order_id="order-1")
    cancel(row)
    html = client.get(f"{page}?cancelled={row.pk}").content.decode()
    assert "after an order had used it" in html


@pytest.mark.parametrize("fields", [{"cartId": "cart-9"}, {"customerEmail": "leo@example.test"}])
def test_another_cart_that_has_the_cancelled_code_gets_the_warning_too(
    client: Client, open_page: Open, row: Redemption, fields: dict[str, str]
) -> None:
    cancel(row)
    html = client.get(open_page(selectedCoupons=[row.code], **fields), follow=True).content.decode()
    assert f'data-cancelled="{row.pk}"' in html
    assert row.code in html
    # What another customer had redeemed is not said.
    assert ("The program cancelled $10 off" in html) == ("customerEmail" not in fields)


def test_a_cart_without_a_member_is_told_where_the_customer_is_looked_for(
    client: Client, open_page: Open, row: Redemption
) -> None:
    cancel(row)
    page = open_page(selectedCoupons=[row.code], customerEmail="")
    html = client.get(page, follow=True).content.decode()
    assert 'data-page-name="find"' in html
    assert f"the reward of the code {row.code}, which is no longer valid" in html


def test_after_a_tap_the_page_stays_until_the_cancelled_code_was_read(
    client: Client, open_page: Open, row: Redemption
) -> None:
    cancel(row)
    page = open_page(selectedCoupons=[row.code])
    client.get(page)
    answer = client.post(page + "redeem/", form(key="k" * 32), follow=True)
    html = answer.content.decode()
    assert answer.redirect_chain[-1][0].endswith("?go=1")
    assert 'data-state="live"' in html
    assert f"its code {row.code} is no longer valid" in html
    assert "data-go" not in html


def test_the_order_that_a_cart_became_has_no_code_to_remove(
    client: Client, open_page: Open, row: Redemption
) -> None:
    Redemption.objects.update(state="used", order_id="order-1")
    cancel(row)
    html = client.get(open_page(selectedCoupons=[row.code])).content.decode()
    assert "CANCELLED_BY_PROGRAM" not in html


def test_each_code_of_a_renewed_reward_that_is_in_the_cart_is_named(
    client: Client, open_page: Open, row: Redemption
) -> None:
    newer = IssuedCode.objects.create(
        program=row.program, redemption=row, code="LOY9000000", issued_at=timezone.now()
    )
    cancel(row)
    html = client.get(open_page(selectedCoupons=[newer.code, row.code])).content.decode()
    assert [html.count(f"its code {code} is no longer valid") for code in (row.code, newer.code)] == [1, 1]
