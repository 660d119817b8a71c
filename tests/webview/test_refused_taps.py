"""Taps that are refused: why, with which status, and that nothing was spent."""

import re
from dataclasses import replace
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
)
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from providers.errors import (
    AuthFailed,
    ProviderError,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
)
from providers.types import PointsRange

from .conftest import Mint
from .fakes import MIA, POINTS_AS_MONEY, Vendor, usd
from .test_redeem import form


@pytest.mark.parametrize("points", ["0", "50", "125", "850", "2000000000"])
def test_points_that_were_not_offered_are_refused(
    client: Client, shown: str, vendor: Vendor, points: str
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    response = client.post(shown + "redeem/", form(item="points-as-money", kind="points", points=points))
    assert response.status_code == 422
    assert 'data-error="POINTS_NOT_OFFERED"' in response.content.decode()
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"item": "somebody-elses"}, "ITEM_UNKNOWN"),
        ({"item": "v-birthday"}, "ITEM_UNKNOWN"),
        ({"kind": "gift"}, "BAD_REQUEST"),
        ({"key": "short"}, "BAD_REQUEST"),
        ({"item": ""}, "BAD_REQUEST"),
        ({"points": "-5"}, "BAD_REQUEST"),
        ({"points": "12.5"}, "BAD_REQUEST"),
        ({"points": "1e3"}, "BAD_REQUEST"),
        ({"points": "99999999999"}, "BAD_REQUEST"),
    ],
)
def test_a_tampered_form_changes_nothing(
    client: Client, shown: str, changes: dict[str, str], code: str
) -> None:
    response = client.post(shown + "redeem/", form() | changes)
    assert response.status_code == 422
    assert f'data-error="{code}"' in response.content.decode()
    assert not Redemption.objects.exists()


@pytest.mark.parametrize(
    ("item", "code", "gap"),
    [
        ("fifty-off", "INSUFFICIENT_POINTS", "40 points more"),
        ("big-cart", "MINIMUM", "$12.50 more in the cart"),
        ("gold-gift", "TIER_TOO_LOW", "Gold members only, 180 points to Gold"),
    ],
)
def test_what_is_locked_cannot_be_forced(
    client: Client, shown: str, vendor: Vendor, item: str, code: str, gap: str
) -> None:
    response = client.post(shown + "redeem/", form(item=item))
    html = response.content.decode()
    assert response.status_code == 422
    assert f'data-error="{code}"' in html
    assert f"Not possible: {gap}." in html
    assert "spend" not in vendor.calls


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (NewStoreUnavailable("timeout"), "NEWSTORE_UNAVAILABLE", 503),
        (NewStoreAuthFailed("401"), "NEWSTORE_AUTH", 503),
        (NewStoreRejected("400"), "NEWSTORE_REJECTED", 422),
        (NewStoreRejected("410", status=410), "NEWSTORE_GONE", 503),
    ],
)
@pytest.mark.parametrize("where", ["redeem/", "several/"])
def test_without_a_code_nothing_is_spent_and_the_page_says_so(
    client: Client,
    shown: str,
    vendor: Vendor,
    newstore: Mint,
    where: str,
    error: NewStoreError,
    code: str,
    status: int,
) -> None:
    newstore.error = error
    response = client.post(shown + where, form(chosen="reward:ten-off"))
    html = response.content.decode()
    assert response.status_code == status
    assert f'role="alert" tabindex="-1" autofocus data-error="{code}"' in html
    assert "No points were spent" in html
    assert 'data-points="820"' in html
    assert "spend" not in vendor.calls


# What concerns the PIN is answered with the customer's page (test_pin).
OF_THE_PIN = {RejectReason.PIN_NEEDED, RejectReason.PIN_WRONG}


@pytest.mark.parametrize("reason", [reason for reason in RejectReason if reason not in OF_THE_PIN])
def test_every_refusal_of_the_vendor_has_its_sentence(
    client: Client, shown: str, vendor: Vendor, reason: RejectReason
) -> None:
    vendor.errors["spend"] = Rejected(reason, text="The vendor's own words.")
    response = client.post(shown + "redeem/", form())
    html = response.content.decode()
    assert response.status_code == 422
    assert f'data-error="{reason}"' in html
    assert "The vendor&#x27;s own words." in html
    assert "Something went wrong on our side" not in html


@pytest.mark.parametrize(
    ("error", "code"), [(Unavailable("down"), "PROVIDER_UNAVAILABLE"), (AuthFailed("401"), "PROVIDER_AUTH")]
)
def test_a_vendor_that_cannot_be_asked_is_said_so(
    client: Client, shown: str, vendor: Vendor, error: ProviderError, code: str
) -> None:
    vendor.errors["spend"] = error
    response = client.post(shown + "redeem/", form())
    assert response.status_code == 503
    assert f'data-error="{code}"' in response.content.decode()


def test_a_vendor_that_does_not_answer_the_tap_is_not_asked_again_for_the_page(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.down(RateLimited("429"))
    vendor.calls.clear()
    response = client.post(shown + "redeem/", form())
    html = response.content.decode()
    assert response.status_code == 503
    assert html.count("PROVIDER_BUSY") == 1
    assert "<strong>Nothing was spent.</strong> It takes no more requests for a moment." in html
    assert "does not answer" not in html
    assert sorted(vendor.calls) == ["get_member", "list_rewards"]


@pytest.mark.parametrize("where", ["redeem/", "several/", "voucher/"])
def test_an_expired_launch_redeems_nothing(client: Client, shown: str, vendor: Vendor, where: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        response = client.post(shown + where, form() | {"chosen": "reward:ten-off", "code": "PAPER"})
    assert response.status_code == 410
    assert 'data-error="SESSION_EXPIRED"' in response.content.decode()
    assert not Redemption.objects.exists()
    assert "spend" not in vendor.calls


@pytest.mark.parametrize("limit", ["associate_hour_limit", "member_day_limit"])
def test_above_a_limit_the_page_says_which_and_whom_to_ask(
    client: Client, shown: str, program: Program, vendor: Vendor, limit: str
) -> None:
    setattr(program, limit, 1)
    program.save()
    client.post(shown + "redeem/", form())
    response = client.post(
        shown + "redeem/", form(key="second-tap-on-a-card", item="v-birthday", kind="voucher")
    )
    html = response.content.decode()
    assert response.status_code == 429
    assert f'data-error="{limit.partition("_")[0].upper()}_LIMIT"' in html
    assert re.search(r"limit of redemptions per (hour|day) is reached.*Ask your manager", html)
    assert vendor.calls.count("spend") == 1


def test_without_a_member_there_is_nothing_to_redeem(client: Client, page: str, vendor: Vendor) -> None:
    response = client.post(page + "redeem/", form())
    assert response["Location"] == page
    assert not Redemption.objects.exists()


def test_htmx_gets_a_refusal_as_a_fragment(client: Client, shown: str, newstore: Mint) -> None:
    newstore.error = NewStoreUnavailable("timeout")
    response = client.post(shown + "redeem/", form(), headers={"HX-Request": "true"})
    assert response.status_code == 503
    assert "<html" not in response.content.decode()


def test_points_that_are_worth_nothing_are_not_spent(client: Client, shown: str, vendor: Vendor) -> None:
    span = PointsRange(minimum=1, maximum=5000, step=1, value_per_point=usd("0.005"))
    vendor.rewards = (replace(POINTS_AS_MONEY, points_range=span),)
    assert 'min="2" max="820"' in client.get(shown).content.decode()
    response = client.post(shown + "redeem/", form(item="points-as-money", kind="points", points="1"))
    assert response.status_code == 422
    assert 'data-error="POINTS_NOT_OFFERED"' in response.content.decode()
    assert vendor.members[MIA.ref].balance.spendable == 820
