"""A tap at a busy vendor: it says how long it takes, is sent again and done once; or it is refused."""

import re

import pytest
from django.test import Client

from loyaltyview.redemptions.models import Redemption, State
from providers.outbound.budget import LONGEST_WAIT_S, Budget, OwnLimit
from providers.outbound.budget_state import Limit, Use
from providers.outbound.budget_store import ProcessStore

from .conftest import Mint, squeezed
from .fakes import FakeProvider, Vendor
from .test_redeem import KEY, form

HTMX = {"HX-Request": "true"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def budget(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Budget:
    """The vendor allows five calls in ten seconds; the fake's own calls are not counted."""
    budget = Budget(
        name="fake:acme",
        limit=Limit(calls=5, window_s=10.0),
        clock=clock,
        sleep=clock.sleep,
        kept_in=ProcessStore(clock),
    )
    monkeypatch.setattr(FakeProvider, "budget", budget)
    monkeypatch.setattr(FakeProvider, "calls_of_tap", 2)
    return budget


def use_up(budget: Budget, windows: int = 1) -> None:
    """Let other tills use as many windows of calls."""
    for number in range(windows):
        budget.book(f"another-{number}", 5)
    for _ in range(5):
        budget._apply(lambda state, now: state.call("another-0", Use.TAP, now))


def test_a_tap_whose_turn_is_now_is_done(client: Client, shown: str, budget: Budget) -> None:
    response = client.post(shown + "redeem/", form())
    assert response.status_code == 303
    assert Redemption.objects.get().state == State.REVEALED


def test_a_waiting_tap_says_how_long_it_takes(
    client: Client, shown: str, budget: Budget, vendor: Vendor, newstore: Mint
) -> None:
    use_up(budget)
    vendor.calls.clear()
    response = client.post(shown + "redeem/", form())
    html = response.content.decode()
    assert response.status_code == 202
    assert response["Retry-After"] == "11"
    assert 'data-page="waiting"' in html
    assert "Your turn is in about 11 seconds." in html
    assert (vendor.calls, newstore.requests, Redemption.objects.count()) == ([], [], 0)


def test_the_waiting_page_sends_the_same_form_again(
    client: Client, shown: str, budget: Budget, clock: Clock
) -> None:
    use_up(budget)
    html = squeezed(client.post(shown + "redeem/", form(), headers=HTMX).content.decode())
    assert "<html" not in html
    assert 'hx-trigger="load delay:11s, submit"' in html
    action = re.search(r'<form method="post" action="([^"]+)"', html)
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', html))
    fields.pop("csrfmiddlewaretoken", None)
    assert action
    assert fields == form()
    clock.now += 11
    response = client.post(action.group(1), fields, headers=HTMX)
    assert "/applied/" in response["HX-Redirect"]
    assert Redemption.objects.get().key == KEY


def test_equal_taps_share_one_place(client: Client, shown: str, budget: Budget, clock: Clock) -> None:
    use_up(budget)
    waits = {client.post(shown + "redeem/", form())["Retry-After"] for _ in range(8)}
    assert waits == {"11"}
    clock.now += 11
    answers = {client.post(shown + "redeem/", form())["Location"] for _ in range(8)}
    assert len(answers) == 1
    assert Redemption.objects.count() == 1


def test_a_finished_tap_does_not_wait_again(client: Client, shown: str, budget: Budget) -> None:
    first = client.post(shown + "redeem/", form())
    use_up(budget)
    assert client.post(shown + "redeem/", form())["Location"] == first["Location"]


def test_a_tap_that_would_wait_too_long_is_refused_with_the_time(
    client: Client, shown: str, budget: Budget, newstore: Mint
) -> None:
    use_up(budget, windows=4)
    response = client.post(shown + "redeem/", form())
    html = response.content.decode()
    assert response.status_code == 503
    assert 'data-error="PROVIDER_BUSY"' in html
    seconds = re.search(r"the next turn is in about (\d+) seconds", html)
    assert seconds
    assert int(seconds.group(1)) > LONGEST_WAIT_S
    assert newstore.requests == []


def test_several_taps_wait_for_one_turn(client: Client, shown: str, budget: Budget, clock: Clock) -> None:
    use_up(budget)
    several = {"key": KEY, "chosen": ["voucher:v-birthday", "reward:ten-off"]}
    response = client.post(shown + "several/", several)
    assert response.status_code == 202
    assert response.content.decode().count('name="chosen"') == 2
    clock.now += 11
    response = client.post(shown + "several/", several)
    assert response.status_code == 303
    assert Redemption.objects.count() == 2
    again = client.post(shown + "several/", several)
    assert again.status_code == 303
    assert Redemption.objects.count() == 2


def test_a_refused_tap_gives_its_place_back(client: Client, shown: str, budget: Budget) -> None:
    client.post(shown + "redeem/", form(item="unknown"))
    assert budget.book("another", 5).wait_s == 0


def test_a_spend_that_found_no_turn_says_that_the_program_is_busy(
    client: Client, shown: str, vendor: Vendor
) -> None:
    vendor.errors["spend"] = OwnLimit("our own limit", retry_after_s=3)
    html = client.post(shown + "redeem/", form()).content.decode()
    assert 'data-error="PROVIDER_BUSY"' in html
    assert Redemption.objects.get().refusal == "PROVIDER_BUSY"
    assert "The loyalty program is busy. Nothing was spent." in html
