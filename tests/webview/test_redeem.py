"""One tap: from the card to the code, and every way in which it is refused."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.recovery import carry_on
from loyaltyview.webview import duplicate_taps, tap_request
from loyaltyview.webview.member_data import MemberData
from loyaltyview.webview.models import Launch
from loyaltyview.webview.views import launch
from providers.errors import (
    OutcomeUnknown,
    Unavailable,
)
from providers.sales import Finding
from providers.types import Lock, LockReason

from .conftest import TOKEN, Mint, Open, launch_params
from .fakes import MIA, POINTS_AS_MONEY, Vendor

KEY = "a-key-of-this-card-1"


def form(item: str = "ten-off", kind: str = "reward", key: str = KEY, **more: str) -> dict[str, str]:
    return {"key": key, "kind": kind, "item": item, **more}


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


def test_a_tap_needs_few_statements(client: Client, shown: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        client.post(shown + "redeem/", form())
    made = [
        each["sql"] for each in asked.captured_queries
        if not each["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))
    ]  # fmt: skip
    # The launch, the form, the cart; the row; the code; the spend. Without a change and its rows in one
    # statement there are two more of the code and one more of the spend. One reads the clock.
    assert len(made) <= (7 if connection.vendor == "postgresql" else 12), made


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


def test_a_repeated_tap_asks_the_vendor_nothing(client: Client, shown: str, vendor: Vendor) -> None:
    first = client.post(shown + "redeem/", form())
    vendor.calls.clear()
    vendor.down(Unavailable("down"))
    second = client.post(shown + "redeem/", form())
    assert (second.status_code, second["Location"]) == (303, first["Location"])
    assert vendor.calls == []


def test_a_tap_judged_after_its_twin_has_spent_gets_the_twins_answer(
    client: Client, shown: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_for_redeeming = tap_request.read_for_redeeming
    first = []

    def read_after_the_twin(*args: Any) -> MemberData:
        monkeypatch.setattr(tap_request, "read_for_redeeming", read_for_redeeming)
        monkeypatch.setattr(duplicate_taps, "_taps", {})  # the twin runs in another process
        first.append(client.post(shown + "redeem/", form()))
        lock = Lock(reason=LockReason.POINTS, points_gap=200)
        vendor.rewards = tuple(replace(reward, lock=lock) for reward in vendor.rewards)
        return read_for_redeeming(*args)

    monkeypatch.setattr(tap_request, "read_for_redeeming", read_after_the_twin)
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
    assert (row.points, row.saving) == (150, Decimal("7.50"))
    assert str(newstore.requests[0].amount) == "7.50"


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
    running = timezone.now() + timedelta(seconds=60)
    Redemption.objects.update(state=State.REQUESTED, lease_until=running, due_at=running)
    response = client.post(shown + "redeem/", form(key="another-key-of-a-till"))
    html = response.content.decode()
    assert response.status_code == 409
    assert 'data-error="ANOTHER_TILL"' in html
    assert "Another till is redeeming for this customer" in html


def test_while_the_program_is_asked_about_an_earlier_tap_no_other_till_is_blamed(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.errors["spend"] = OutcomeUnknown("timeout")
    client.post(shown + "redeem/", form())
    html = client.post(shown + "redeem/", form(key="another-key-of-a-till")).content.decode()
    assert 'data-error="ANOTHER_TILL"' in html
    assert "$10 off is still being checked with the program. Nothing more was spent." in html
    assert "Another till" not in html


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
    Redemption.objects.update(state=State.REQUESTED, lease_until=running, due_at=running)
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


def test_what_is_applied_already_leaves_less_of_the_cart(client: Client, shown: str) -> None:
    client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    html = client.get(shown).content.decode()
    assert "Cart $114.90" in html
    assert "left to pay" in html
    client.post(shown + "redeem/", form(item="fifteen-percent", key="second-tap-on-a-card"))
    assert Redemption.objects.get(item_id="fifteen-percent").saving == Decimal("17.24")


def test_a_code_that_was_in_the_cart_at_launch_is_in_its_total_already(
    client: Client, shown: str, open_page: Open
) -> None:
    client.post(shown + "redeem/", form(item="v-birthday", kind="voucher"))
    again = open_page(selectedCoupons=["LOY0000001"], cartTotal=114.9)
    assert "Cart $114.90" in client.get(again).content.decode()


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
