"""One tap: from the card to the code, and every way in which it is refused."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
)
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.recovery import carry_on
from loyaltyview.redemptions.requests import Actor
from loyaltyview.webview.models import Launch
from loyaltyview.webview.reading import Reading
from loyaltyview.webview.views import launch, redeem
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
)
from providers.types import Finding, Lock, LockReason, PointsRange

from .conftest import TOKEN, Mint, Open, launch_params
from .fakes import MIA, POINTS_AS_MONEY, Vendor, usd

KEY = "a-key-of-this-card-1"


def form(item: str = "ten-off", kind: str = "reward", key: str = KEY, **more: str) -> dict[str, str]:
    return {"key": key, "kind": kind, "item": item, **more}


@pytest.fixture
def shown(client: Client, page: str) -> str:
    """The page after Mia was shown on it."""
    client.get(page)
    return page


def test_a_tap_spends_and_shows_the_code_with_the_way_back(
    client: Client, shown: str, vendor: Vendor
) -> None:
    response = client.post(shown + "redeem/", form())
    assert response.status_code == 303
    html = client.get(response["Location"]).content.decode()
    assert 'data-page="applied"' in html
    assert "\N{MINUS SIGN}$10.00" in html
    assert "LOY0000001" in html
    href = re.search(r'id="handoff" href="([^"]+)"', html)
    assert href
    assert href.group(1).replace("&amp;", "&") == (
        "com.newstore.associate-one://cart.more.loyaltyProgram/applyCoupons"
        f"?coupons[]=LOY0000001&cartId=5f0c1d3e-cart-1&token={TOKEN}"
    )
    assert vendor.members["L-00042"].balance.spendable == 620
    row = Redemption.objects.get()
    assert (row.associate_id, row.store_id, row.device_id) == ("a-17", "US_BOSTON_01", "ipad-1")


def test_htmx_is_sent_by_a_real_navigation(client: Client, shown: str) -> None:
    response = client.post(shown + "redeem/", form(), headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "/applied/" in response["HX-Redirect"]
    assert response["HX-Redirect"].endswith("?go=1")


def test_the_same_tap_twice_is_one_redemption(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.members[MIA.ref] = replace(MIA, balance=replace(MIA.balance, spendable=200))
    first = client.post(shown + "redeem/", form())
    second = client.post(shown + "redeem/", form())
    assert first["Location"] == second["Location"]
    assert Redemption.objects.count() == 1


def test_a_tap_judged_after_its_twin_has_spent_gets_the_twins_answer(
    client: Client, shown: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_for_redeeming = redeem.read_for_redeeming
    first = []

    def read_after_the_twin(*args: Any) -> Reading:
        monkeypatch.setattr(redeem, "read_for_redeeming", read_for_redeeming)
        first.append(client.post(shown + "redeem/", form()))
        lock = Lock(reason=LockReason.POINTS, points_gap=200)
        vendor.rewards = tuple(replace(reward, lock=lock) for reward in vendor.rewards)
        return read_for_redeeming(*args)

    monkeypatch.setattr(redeem, "read_for_redeeming", read_after_the_twin)
    second = client.post(shown + "redeem/", form())
    assert (second.status_code, second.headers.get("Location")) == (303, first[0]["Location"])
    assert Redemption.objects.get().state == State.REVEALED


def test_a_key_used_for_something_else_is_refused(client: Client, shown: str) -> None:
    client.post(shown + "redeem/", form())
    response = client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    assert response.status_code == 409
    assert 'data-error="KEY_REUSED"' in response.content.decode()
    assert Redemption.objects.count() == 1


def test_a_voucher_is_redeemed_without_points(client: Client, shown: str, vendor: Vendor) -> None:
    client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    assert Redemption.objects.get().state == State.REVEALED
    assert vendor.members["L-00042"].balance.spendable == 820


def test_points_as_money_take_the_chosen_points(
    client: Client, shown: str, vendor: Vendor, newstore: Mint
) -> None:
    vendor.rewards = (POINTS_AS_MONEY,)
    client.post(shown + "redeem/", form(item="points-as-money", kind="points", points="150"))
    row = Redemption.objects.get()
    assert (row.points, str(row.saving)) == (150, "7.50")
    assert str(newstore.requests[0].amount) == "7.50"


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


@pytest.mark.parametrize("reason", list(RejectReason))
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


def test_an_unknown_outcome_is_checked_and_never_shows_the_code(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    response = client.post(shown + "redeem/", form())
    assert "?go" not in response["Location"]
    html = client.get(response["Location"]).content.decode()
    assert 'data-page="applied" data-state="uncertain"' in html
    assert "Checking with the program" in html
    assert "LOY0000001" not in html
    assert 'id="handoff"' not in html
    assert 'hx-trigger="every 2s"' in html


def test_a_second_till_is_told_to_wait(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    client.post(shown + "redeem/", form())
    response = client.post(shown + "redeem/", form(key="another-key-of-a-till"))
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-error="ANOTHER_TILL"' in html
    assert "Another till is redeeming for this customer" in html


def test_the_same_form_tries_again_when_the_other_till_is_done(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    client.post(shown + "redeem/", form())
    html = client.post(shown + "redeem/", form(key="another-key-of-a-till")).content.decode()
    again = html.partition('data-error="ANOTHER_TILL"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', again))
    fields.pop("csrfmiddlewaretoken", "")
    assert fields == form(key="another-key-of-a-till")
    vendor.errors.clear()
    vendor.finding = Finding.DID_NOT
    carry_on(Redemption.objects.get().pk, Actor(name="worker"))
    response = client.post(shown + "redeem/", fields)
    assert "LOY0000002" in client.get(response["Location"]).content.decode()


def test_a_tap_whose_twin_still_runs_is_shown_as_checking_and_keeps_asking(
    client: Client, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(shown + "redeem/", form())
    running = timezone.now() + timedelta(seconds=60)
    Redemption.objects.update(state=State.MINTED, lease_until=running, due_at=running)
    monkeypatch.setattr(settings, "PAGE_DEADLINE_S", 0.01)
    response = client.post(shown + "redeem/", form())
    assert "?go" not in response["Location"]
    html = client.get(response["Location"]).content.decode()
    assert "Checking with the program" in html
    assert "LOY0000001" not in html
    htmx = {"HX-Request": "true"}
    assert client.get(response["Location"], headers=htmx).status_code == 204
    Redemption.objects.update(state=State.SPENT, lease_until=None)
    assert client.get(response["Location"], headers=htmx)["HX-Redirect"] == response["Location"] + "?go=1"
    assert Redemption.objects.count() == 1


@pytest.mark.parametrize("where", ["redeem/", "several/"])
@pytest.mark.parametrize("is_away", [False, True])
def test_an_old_form_after_its_undo_is_refused_and_can_be_chosen_anew(
    client: Client, shown: str, vendor: Vendor, where: str, is_away: bool
) -> None:
    fields = form(chosen="reward:ten-off")
    client.post(shown + where, fields)
    if is_away:
        vendor.errors["release"] = Unavailable("timeout")
    client.post(f"{shown}undo/{Redemption.objects.get().pk}/")
    response = client.post(shown + where, fields)
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-page="member"' in html
    assert 'role="alert" tabindex="-1" autofocus data-error="GIVEN_BACK"' in html
    assert "choose it here and apply it" in html
    assert "are back" not in html
    assert Redemption.objects.get().state == (State.RELEASING if is_away else State.RELEASED)
    assert vendor.members["L-00042"].balance.spendable == (620 if is_away else 820)
    fresh = re.findall(r'name="key" value="([^"]+)"', html)
    assert fresh
    assert KEY not in fresh


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


def test_what_is_applied_already_leaves_less_of_the_cart(client: Client, shown: str) -> None:
    client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    html = client.get(shown).content.decode()
    assert "Cart $114.90" in html
    assert "left to pay" in html
    client.post(shown + "redeem/", form(item="fifteen-percent", key="second-tap-on-a-card"))
    assert str(Redemption.objects.get(item_id="fifteen-percent").saving) == "17.24"


def test_a_code_that_was_in_the_cart_at_launch_is_in_its_total_already(
    client: Client, shown: str, open_page: Open
) -> None:
    client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    again = open_page(selectedCoupons=["LOY0000001"], cartTotal=114.9)
    assert "Cart $114.90" in client.get(again).content.decode()


def test_without_a_member_there_is_nothing_to_redeem(client: Client, page: str, vendor: Vendor) -> None:
    response = client.post(page + "redeem/", form())
    assert response["Location"] == page
    assert not Redemption.objects.exists()


def test_htmx_gets_a_refusal_as_a_fragment(client: Client, shown: str, newstore: Mint) -> None:
    newstore.error = NewStoreUnavailable("timeout")
    response = client.post(shown + "redeem/", form(), headers={"HX-Request": "true"})
    assert response.status_code == 503
    assert "<html" not in response.content.decode()


def test_the_coupon_is_bound_to_the_carts_customer(
    client: Client, open_page: Open, vendor: Vendor, newstore: Mint
) -> None:
    page = open_page(profileId="profile-1")
    client.get(page)
    client.post(page + "redeem/", form())
    assert newstore.requests[0].profile_id == "profile-1"
    assert Launch.objects.get().profile_id == "profile-1"


def test_a_page_of_the_cart_as_it_was_spends_nothing_on_the_cart_as_it_is(
    client: Client, shown: str, program: Program, vendor: Vendor
) -> None:
    # Goods were taken out of the cart, and the page was opened anew from it.
    anew = Client().get("/launch/acme/", launch_params(program, cartTotal=4))
    assert anew.status_code == 302
    response = client.post(shown + "redeem/", form(saving="10.00", cost="200"))
    assert vendor.members[MIA.ref].balance.spendable == 820, "for $4 of $10"
    assert response.status_code == 409
    assert 'data-error="OPENED_ANEW"' in response.content.decode()


def test_points_that_are_worth_nothing_are_not_spent(client: Client, shown: str, vendor: Vendor) -> None:
    span = PointsRange(minimum=1, maximum=5000, step=1, value_per_point=usd("0.005"))
    vendor.rewards = (replace(POINTS_AS_MONEY, points_range=span),)
    assert 'min="2" max="820"' in client.get(shown).content.decode()
    response = client.post(shown + "redeem/", form(item="points-as-money", kind="points", points="1"))
    assert response.status_code == 422
    assert 'data-error="POINTS_NOT_OFFERED"' in response.content.decode()
    assert vendor.members[MIA.ref].balance.spendable == 820


def test_the_page_that_was_asked_for_last_counts_however_long_the_first_took(
    client: Client, program: Program, vendor: Vendor, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NewStore was slow, so the associate went back and opened the page once more."""
    admit, opened = launch.admit, []

    def admit_slowly(*args: Any) -> Any:
        monkeypatch.setattr(launch, "admit", admit)
        opened.append(client.get("/launch/acme/", launch_params(program))["Location"])
        return admit(*args)

    monkeypatch.setattr(launch, "admit", admit_slowly)
    Client().get("/launch/acme/", launch_params(program))
    client.get(opened[0])
    assert client.post(opened[0] + "redeem/", form()).status_code == 303
