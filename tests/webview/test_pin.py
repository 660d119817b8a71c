"""The customer types their PIN: asked for when the program wants it, tried three times, kept nowhere."""

import re
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from django.core.exceptions import ImproperlyConfigured
from django.http import QueryDict
from django.test import Client
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State, Transition
from loyaltyview.redemptions.recovery import carry_on
from loyaltyview.webview import pins, vendor_turns
from loyaltyview.webview.erasure import purge_pin_attempts
from loyaltyview.webview.models import Launch, PinAttempts
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.views import redeem as redeem_view
from providers.base import Capability
from providers.errors import OutcomeUnknown, Unavailable
from providers.sales import Finding
from tests.races.at_once import at_once

from .conftest import Mint, Open
from .fakes import MIA, Vendor

RIGHT, WRONG = "4711", "9999"
KEY = "a-key-of-this-card-1"


@pytest.fixture(autouse=True)
def mia_has_a_pin(vendor: Vendor) -> None:
    vendor.pins[MIA.ref] = RIGHT


def form(key: str = KEY, **more: str) -> dict[str, str]:
    return {"key": key, "kind": "reward", "item": "ten-off", "cost": "200", "saving": "10.00", **more}


def fields_of(html: str) -> dict[str, str]:
    """Return what the PIN's page holds of the tap."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))


def type_pin(client: Client, page: str, pin: str, html: str = "") -> str:
    """Post the PIN with the form on `html`, or with a new tap's; return the answer."""
    fields = fields_of(html or client.post(page + "redeem/", form()).content.decode())
    response = client.post(page + "redeem/", {**fields, "pin": pin})
    return response.content.decode() or response["Location"]


def test_a_tap_that_needs_a_pin_asks_the_customer(client: Client, shown: str, newstore: Mint) -> None:
    response = client.post(shown + "redeem/", form())
    html = response.content.decode()
    assert response.status_code == 200
    assert 'data-page="pin"' in html
    assert "hand the device to the customer" in html
    field = re.search(r"<input\s+id=\"pin-field\"[^>]*>", html)
    assert field
    for attribute in ('type="password"', 'inputmode="numeric"', 'autocomplete="off"'):
        assert attribute in field[0]
    for hidden in ("My shift", "shift/", "Boston", "Mia", "Stone", "820"):
        assert hidden not in html, f"the customer's page shows {hidden}"
    assert fields_of(html)["key"] != KEY


def test_htmx_replaces_the_whole_page_by_the_curtain(client: Client, shown: str) -> None:
    response = client.post(shown + "redeem/", form(), headers={"HX-Request": "true"})
    assert (response["HX-Retarget"], 'data-page-name="pin"' in response.content.decode()) == ("body", True)


def test_a_member_of_whom_the_program_says_it_is_asked_before_a_code_is_made(
    client: Client, shown: str, vendor: Vendor, newstore: Mint
) -> None:
    vendor.members[MIA.ref] = replace(MIA, has_pin=True)
    html = client.post(shown + "redeem/", form()).content.decode()
    assert 'data-page="pin"' in html
    assert newstore.requests == []
    assert "/applied/" in type_pin(client, shown, RIGHT, html)


def test_the_right_pin_spends_and_is_kept_nowhere(
    client: Client, shown: str, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    assert "/applied/" in type_pin(client, shown, RIGHT)
    row = Redemption.objects.get(state=State.REVEALED)
    kept = [*Redemption.objects.values(), *Transition.objects.values(), *Launch.objects.values()]
    kept += [*PinAttempts.objects.values()]
    assert RIGHT not in re.sub(r"[0-9a-f-]{32,}|\d+\.\d+|datetime\([^)]*\)", "", f"{kept}")
    assert f'"{RIGHT}"' not in caplog.text
    assert row.points == 200


def test_a_wrong_pin_says_how_many_attempts_are_left(client: Client, shown: str, vendor: Vendor) -> None:
    html = type_pin(client, shown, WRONG)
    assert 'data-error="PIN_WRONG"' in html
    assert "2 attempts are left" in html
    assert WRONG not in html
    html = type_pin(client, shown, WRONG, html)
    assert "1 attempt is left" in html
    assert "/applied/" in type_pin(client, shown, RIGHT, html)
    assert vendor.members[MIA.ref].balance.spendable == 620


def test_after_three_wrong_ones_no_pin_is_taken_in_any_launch(
    client: Client, shown: str, open_page: Open, vendor: Vendor
) -> None:
    html = ""
    for _attempt in range(3):
        html = type_pin(client, shown, WRONG, html)
    assert 'data-error="PIN_CLOSED"' in html
    assert 'data-page="member"' in html
    other = open_page(cartId="another-cart")
    client.get(other)
    response = client.post(other + "redeem/", form(key="a-key-of-this-card-2", pin=RIGHT))
    assert (response.status_code, 'data-error="PIN_CLOSED"' in response.content.decode()) == (429, True)
    assert vendor.members[MIA.ref].balance.spendable == 820


def test_attempts_are_open_again_after_an_hour(the_launch: Launch, shown: str) -> None:
    launch = Launch.objects.get(pk=the_launch.pk)
    for number in range(3):
        pins.begin(launch, f"key-{number}")
    with pytest.raises(Problem):
        pins.begin(launch, "key-3")
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        pins.begin(launch, "key-4")
        assert pins.left_for(launch) == 2


def test_the_same_form_twice_is_one_attempt(client: Client, shown: str) -> None:
    fields = fields_of(client.post(shown + "redeem/", form()).content.decode())
    for _time in range(4):
        html = client.post(shown + "redeem/", {**fields, "pin": WRONG}).content.decode()
        assert "2 attempts are left" in html
    assert Redemption.objects.filter(refusal="PIN_WRONG").count() == 1


def many(key: str, pin: str, *items: str) -> dict[str, object]:
    return {"key": key, "pin": pin, "chosen": [f"reward:{item}" for item in items]}


def test_one_form_tries_one_pin_however_its_items_are_changed(
    client: Client, shown: str, vendor: Vendor
) -> None:
    for item in ("ten-off", "fifteen-percent"):
        client.post(shown + "several/", many(KEY, WRONG, item))
    assert Redemption.objects.filter(refusal="PIN_WRONG").count() == 2
    assert PinAttempts.objects.get().count == 2


def test_a_form_that_was_judged_gives_no_attempt_back(client: Client, shown: str) -> None:
    client.post(shown + "redeem/", form(pin=WRONG))
    client.post(shown + "redeem/", {**form(pin=WRONG), "item": "fifteen-percent"})
    client.post(shown + "several/", many("a-key-of-several-1", WRONG, "ten-off"))
    client.post(shown + "several/", many("a-key-of-several-1", WRONG, "no-such-reward"))
    assert PinAttempts.objects.get().count == 2


def test_a_repeated_form_is_answered_after_the_last_attempt(
    client: Client, shown: str, the_launch: Launch, vendor: Vendor
) -> None:
    assert "/applied/" in client.post(shown + "redeem/", form(pin=RIGHT))["Location"]
    for number in range(3):
        pins.begin(Launch.objects.get(), f"key-{number}")
    assert "/applied/" in client.post(shown + "redeem/", form(pin=RIGHT))["Location"]


def test_a_spend_without_a_pin_does_not_begin_the_count_again(
    client: Client, shown: str, vendor: Vendor
) -> None:
    type_pin(client, shown, WRONG)
    type_pin(client, shown, WRONG, "")
    del vendor.pins[MIA.ref]
    assert "/applied/" in type_pin(client, shown, "1111", client_form())
    assert PinAttempts.objects.get().count == 2


def client_form() -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in form(key="a-key-of-this-card-9").items()
    )


@pytest.mark.parametrize("error", [Unavailable("down"), OutcomeUnknown("no answer")])
def test_only_an_answer_that_may_have_judged_the_pin_counts(
    client: Client, shown: str, vendor: Vendor, error: Exception
) -> None:
    html = client.post(shown + "redeem/", form()).content.decode()
    vendor.errors["spend"] = error  # type: ignore[assignment]
    type_pin(client, shown, RIGHT, html)
    assert PinAttempts.objects.get().count == (1 if isinstance(error, OutcomeUnknown) else 0)


def test_a_lost_answer_is_found_without_the_pin(client: Client, shown: str, vendor: Vendor) -> None:
    html = client.post(shown + "redeem/", form()).content.decode()
    vendor.errors["spend"] = OutcomeUnknown("no answer")
    type_pin(client, shown, RIGHT, html)
    vendor.finding = Finding.HAPPENED
    row = Redemption.objects.get(state=State.UNCERTAIN)
    assert carry_on(row.pk, redeem_view.actor_of(Launch.objects.get())).state == State.REVEALED


@pytest.mark.parametrize("typed", ["", "12", "12345", "abcd", "12.4"])
def test_what_is_no_pin_is_sent_to_nobody(client: Client, shown: str, vendor: Vendor, typed: str) -> None:
    html = client.post(shown + "redeem/", form()).content.decode()
    vendor.calls.clear()
    answer = type_pin(client, shown, typed, html)
    assert 'data-error="PIN_UNREADABLE"' in answer
    assert vendor.calls == []
    assert not PinAttempts.objects.exists()


@pytest.mark.parametrize("typed", [" 47 11 ", "\u0664\u0667\u0661\u0661"])
def test_a_pin_may_be_typed_with_blanks_and_in_other_digits(typed: str) -> None:
    posted = QueryDict(mutable=True)
    posted["pin"] = typed
    assert pins.read_pin(posted) == RIGHT


def test_several_at_once_take_one_pin(client: Client, shown: str, vendor: Vendor) -> None:
    posted = {
        "key": KEY,
        "chosen": ["reward:ten-off", "reward:fifteen-percent"],
        "title:reward:ten-off": "$10 off",
    }
    html = client.post(shown + "several/", posted).content.decode()
    assert 'data-page="pin"' in html
    assert Redemption.objects.count() == 1
    new_key = fields_of(html)["key"]
    html = client.post(shown + "several/", {**posted, "key": new_key, "pin": WRONG}).content.decode()
    assert "2 attempts are left" in html
    new_key = fields_of(html)["key"]
    response = client.post(shown + "several/", {**posted, "key": new_key, "pin": RIGHT})
    assert response.status_code == 303
    assert vendor.members[MIA.ref].balance.spendable == 320


def test_a_program_without_pins_gets_none(client: Client, shown: str, vendor: Vendor) -> None:
    vendor.capabilities -= {Capability.PIN}
    html = client.post(shown + "redeem/", form(pin=RIGHT)).content.decode()
    assert 'data-page="member"' in html
    assert not PinAttempts.objects.exists()


def test_a_busy_program_lets_the_customer_type_again_and_no_page_holds_the_pin(
    client: Client, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redeem_view, "wait_of", lambda *_given: 9.0)
    html = client.post(shown + "redeem/", form(pin=RIGHT)).content.decode()
    assert 'data-page="pin"' in html
    assert fields_of(html)["key"] == KEY
    assert RIGHT not in html
    assert "pin" in vendor_turns.NOT_REPEATED
    waiting = client.post(shown + "redeem/", form()).content.decode()
    assert 'data-page="waiting"' in waiting


def test_an_error_report_hides_the_pin(client: Client, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {}

    def fail(launch: Launch, tap: object, **_kwargs: object) -> None:
        seen["tap"] = repr(tap)
        raise ImproperlyConfigured

    monkeypatch.setattr(redeem_view, "redeem_tap", fail)
    client.raise_request_exception = False
    response = client.post(shown + "redeem/", form(pin=RIGHT))
    assert RIGHT not in response.content.decode()
    assert RIGHT not in seen["tap"]
    request = response.wsgi_request
    assert request.sensitive_post_parameters == ("pin",)
    assert RIGHT not in str(SafeExceptionReporterFilter().get_post_parameters(request))


def test_attempts_are_deleted_after_their_time(the_launch: Launch, shown: str) -> None:
    pins.begin(Launch.objects.get(), "key-1")
    assert purge_pin_attempts(timezone.now() - timedelta(days=1)) == 0
    assert purge_pin_attempts(timezone.now() + timedelta(days=1)) == 1


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_tills_at_once_have_three_attempts_together(program: Program) -> None:
    launch = Launch(program=program, member_ref="L-00042")

    def tries(number: int) -> bool:
        try:
            pins.begin(launch, f"key-{number}")
        except Problem:
            return False
        return True

    answers = at_once([partial(tries, number) for number in range(8)])
    assert answers.count(True) == 3
