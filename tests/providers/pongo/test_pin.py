"""The PIN of a customer in a spend: sent once, refused in words, kept nowhere."""

import json
import re

import pytest
from django.views.debug import ExceptionReporter

from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.journal.models import Write
from providers.outbound.exchange import Answer, Call
from providers.outbound.vendor_session import VendorSession
from providers.pongo.client import refusal
from providers.pongo.provider import PongoProvider
from providers.pongo.spending import about_pin
from providers.sales import Finding, SpendKind
from tests.providers.pongo.conftest import ANA, MIA, LoseAnswers, Served
from tests.providers.pongo.intents import BUY, an_intent, owned_by_ana, reason

PIN = "1234"


def test_a_pin_is_a_refusal_and_not_a_connection_error(provider: PongoProvider, vendor: Served) -> None:
    vendor.book.customers[MIA].pin = "1234"

    assert reason(provider) is RejectReason.PIN_NEEDED
    assert reason(provider, key="key-2", pin="4321") is RejectReason.PIN_WRONG
    assert vendor.book.customers[MIA].points == 820


def test_the_pin_is_sent_with_the_purchase_and_kept_nowhere(
    provider: PongoProvider, vendor: Served, caplog: pytest.LogCaptureFixture
) -> None:
    vendor.book.customers[MIA].pin = PIN
    assert provider.get_member(MIA).has_pin
    intent = an_intent(pin=PIN)
    provider.spend(intent)
    assert vendor.bodies("POST", BUY)[0]["pin"] == PIN
    (row,) = Write.objects.values()
    told = f"{row} {intent!r} {caplog.text}"
    assert not re.search(rf"\b{PIN}\b", told), "the digits may be part of a key by chance"


def test_no_error_report_of_a_purchase_shows_the_pin(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = str(4320 + 1)  # the report shows these lines

    def fail(self: VendorSession, call: Call) -> Answer:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(VendorSession, "write", fail)
    with pytest.raises(KeyError) as caught:
        provider.spend(an_intent(pin=pin))
    without_this_test = caught.tb.tb_next
    assert (
        "4321"
        not in ExceptionReporter(None, caught.type, caught.value, without_this_test).get_traceback_html()
    )


@pytest.mark.parametrize("code", ["8642", "x-8642"])
def test_a_refusal_that_repeats_the_pin_is_kept_without_it(code: str) -> None:
    told = about_pin(Rejected(RejectReason.INVALID_INPUT, f"422 {code}", text=code), an_intent(pin="8642"))
    assert (told.reason, told.detail, told.text) == (RejectReason.INVALID_INPUT, "INVALID_INPUT", "")


def test_an_owned_reward_takes_the_pin_with_its_lock(provider: PongoProvider, vendor: Served) -> None:
    vendor.rewards.locks_need_pin = True
    vendor.book.customers[ANA].pin = "1234"
    given = {"item": owned_by_ana(vendor), "kind": SpendKind.VOUCHER, "ref": ANA, "points": 0}
    assert reason(provider, key="key-1", **given) is RejectReason.PIN_NEEDED
    provider.spend(an_intent("key-2", pin="1234", **given))  # type: ignore[arg-type]
    assert vendor.book.customers[ANA].won[0].is_locked


def test_a_purchase_whose_answer_was_lost_is_found_without_the_pin(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    vendor.book.customers[MIA].pin = "1234"
    with lose_answers(BUY), pytest.raises(OutcomeUnknown):
        provider.spend(an_intent(pin="1234"))
    assert provider.find_spend(an_intent()).finding is Finding.HAPPENED


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (403, {"message": "This action is unauthorized."}, RejectReason.NOT_ALLOWED),
        (422, {"message": "Invalid.", "errors": {"pin": ["1234 is wrong."]}}, RejectReason.PIN_NEEDED),
        (403, {"message": "Forbidden", "code": "invalid_pin"}, RejectReason.PIN_NEEDED),
        (422, {"message": "No shopping here."}, RejectReason.INVALID_INPUT),
    ],
)
def test_a_refusal_that_names_the_pin_is_about_it(
    status: int, body: dict[str, object], expected: RejectReason
) -> None:
    error = refusal(
        Answer(status=status, headers={}, body=json.dumps(body).encode()), RejectReason.REWARD_NOT_FOUND
    )
    assert isinstance(error, Rejected)
    assert error.reason is expected
    assert "1234" not in error.text
