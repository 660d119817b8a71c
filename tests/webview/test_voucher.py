"""A voucher by its code: shown as a card to apply, never used by looking."""

import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from loyaltyview.redemptions.models import Redemption, State
from providers.errors import Rejected, RejectReason, Unavailable
from providers.types import Voucher

from .conftest import squeezed
from .fakes import Vendor, off
from .test_member import card

PAPER = Voucher(voucher_id="v-paper", title="Paper voucher", code="PAPER-25", discount=off("25.00"))


@pytest.fixture
def shown(client: Client, page: str, vendor: Vendor) -> str:
    """The page after Mia was shown on it; the program knows a voucher that is on no member's list."""
    vendor.unlisted = (PAPER,)
    client.get(page)
    return page


def test_a_found_voucher_is_the_first_card_and_chosen(client: Client, shown: str, vendor: Vendor) -> None:
    response = client.post(shown + "voucher/", {"code": " paper-25 "})
    html = response.content.decode()
    assert response.status_code == 200
    assert re.findall(r'data-reward="([^"]+)"', html)[0] == "v-paper"
    found = card(html, "v-paper")
    assert 'data-state="owned"' in found
    assert "checked autofocus" in squeezed(found)
    assert "spend" not in vendor.calls
    assert not Redemption.objects.exists()


def test_a_found_voucher_that_cannot_be_undone_is_first_but_not_chosen(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.unlisted = (replace(PAPER, is_final=True),)
    html = client.post(shown + "voucher/", {"code": "PAPER-25"}).content.decode()
    assert re.findall(r'data-reward="([^"]+)"', html)[0] == "v-paper"
    assert " checked" not in html


@pytest.mark.parametrize(
    ("stored", "scanned"), [("123456789012", "0123456789012"), ("0123456789012", "123456789012")]
)
def test_a_voucher_with_a_upc_code_is_found_by_both_of_its_readings(
    client: Client, shown: str, vendor: Vendor, stored: str, scanned: str
) -> None:
    vendor.unlisted = (replace(PAPER, code=stored),)
    html = client.post(shown + "voucher/", {"code": scanned}).content.decode()
    assert f'name="code" value="{stored}"' in card(html, "v-paper")


def test_it_is_applied_from_its_card_and_with_others(client: Client, shown: str) -> None:
    found = card(client.post(shown + "voucher/", {"code": "PAPER-25"}).content.decode(), "v-paper")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found))
    fields.pop("csrfmiddlewaretoken", "")
    client.post(shown + "redeem/", fields)
    assert Redemption.objects.get().state == State.REVEALED
    client.post(f"{shown}undo/{Redemption.objects.get().pk}/")
    several = {"key": "a-key-of-the-form-1", "chosen": "voucher:v-paper", "code:voucher:v-paper": "PAPER-25"}
    client.post(shown + "several/", several)
    states = Redemption.objects.filter(item_id="v-paper").order_by("requested_at")
    assert [row.state for row in states] == [State.RELEASED, State.REVEALED]


def test_without_its_code_an_unlisted_voucher_is_unknown(client: Client, shown: str) -> None:
    fields = {"key": "a-key-of-this-card-1", "kind": "voucher", "item": "v-paper"}
    response = client.post(shown + "redeem/", fields)
    assert 'data-error="ITEM_UNKNOWN"' in response.content.decode()
    fields["code"] = "WRONG"
    response = client.post(shown + "redeem/", fields)
    assert 'data-error="REWARD_NOT_FOUND"' in response.content.decode()
    assert not Redemption.objects.exists()


def test_a_listed_voucher_is_shown_once(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.vouchers = (PAPER,)
    html = client.post(shown + "voucher/", {"code": "PAPER-25"}).content.decode()
    assert html.count('data-reward="v-paper"') == 1


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (RejectReason.REWARD_NOT_FOUND, "No voucher with this code was found"),
        (RejectReason.ALREADY_USED, "This voucher was used already."),
        (RejectReason.EXPIRED, "This voucher has expired."),
        (RejectReason.NOT_ALLOWED, "belongs to another customer"),
    ],
)
def test_a_refusal_is_said_beside_the_field(
    client: Client, shown: str, vendor: Vendor, reason: RejectReason, sentence: str
) -> None:
    vendor.errors["find_voucher"] = Rejected(reason)
    response = client.post(shown + "voucher/", {"code": "SOME-CODE"})
    html = response.content.decode()
    assert response.status_code == 422
    assert f'id="voucher-problem" role="alert" data-error="{reason}"' in html
    assert sentence in html
    assert 'value="SOME-CODE"' in html


def test_one_that_does_not_fit_the_cart_says_so(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.unlisted = (
        Voucher(voucher_id="v-big", title="Big voucher", code="BIG", discount=off("50", minimum="200")),
    )
    html = client.post(shown + "voucher/", {"code": "big"}).content.decode()
    assert 'role="alert" data-error="MINIMUM"' in html
    assert "<strong>Big voucher</strong>: $70.10 more in the cart" in html


@pytest.mark.parametrize(
    ("code", "error"),
    [("", "EMPTY_CODE"), ("x" * 65, "CODE_TOO_LONG"), ("4111 1111 1111 1111", "CARD_NUMBER")],
)
def test_a_text_that_is_no_code_is_never_looked_up(
    client: Client, shown: str, vendor: Vendor, code: str, error: str
) -> None:
    response = client.post(shown + "voucher/", {"code": code})
    html = response.content.decode()
    assert response.status_code == 422
    assert f'data-error="{error}"' in html
    assert "4111 1111" not in html, "a payment card is not sent back"
    assert "find_voucher" not in vendor.calls


def test_look_ups_are_limited(
    client: Client, shown: str, clock_stands: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOOKUPS_PER_MINUTE", 2)
    statuses = [client.post(shown + "voucher/", {"code": f"NO-{n}"}).status_code for n in range(3)]
    assert statuses == [422, 422, 429]


@pytest.mark.parametrize("where", ["redeem/", "several/"])
def test_codes_cannot_be_guessed_past_the_limit_of_look_ups(
    client: Client,
    shown: str,
    vendor: Vendor,
    clock_stands: None,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    monkeypatch.setattr(settings, "LOOKUPS_PER_MINUTE", 2)

    def guess(number: int) -> HttpResponse:
        code = f"GUESS-{number}"
        fields = {"key": f"a-key-of-this-card-{number}", "kind": "voucher", "item": "v", "code": code}
        return client.post(shown + where, fields | {"chosen": "voucher:v", "code:voucher:v": code})

    responses = [guess(number) for number in range(3)]
    assert [response.status_code for response in responses] == [422, 422, 429]
    assert 'data-error="TOO_MANY_LOOKUPS"' in responses[2].content.decode()
    assert vendor.calls.count("find_voucher") == 2


def test_above_the_limit_the_same_tap_still_gets_its_first_answer(
    client: Client, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "LOOKUPS_PER_MINUTE", 1)
    fields = {"key": "a-key-of-this-card-1", "kind": "voucher", "item": "v-paper", "code": "PAPER-25"}
    first, second = (client.post(shown + "redeem/", fields) for _tap in range(2))
    assert (second.status_code, second["Location"]) == (303, first["Location"])


def test_a_vendor_that_is_down_is_said_so(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.errors["find_voucher"] = Unavailable("timeout")
    response = client.post(shown + "voucher/", {"code": "PAPER-25"})
    assert response.status_code == 503
    assert 'data-error="PROVIDER_UNAVAILABLE"' in response.content.decode()


def test_without_a_member_no_voucher_is_looked_up(client: Client, page: str, vendor: Vendor) -> None:
    assert client.post(page + "voucher/", {"code": "PAPER-25"})["Location"] == page
    assert vendor.calls == []


def test_htmx_gets_only_the_content(client: Client, shown: str) -> None:
    response = client.post(shown + "voucher/", {"code": "PAPER-25"}, headers={"HX-Request": "true"})
    assert "<html" not in response.content.decode()
