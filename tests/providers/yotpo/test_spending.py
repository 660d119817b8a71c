"""Redeeming: held or at once, once for each key, refused in every shape, found again after a lost answer."""

from datetime import timedelta
from typing import Any

import pytest
import responses
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from loyaltyview.sandbox.vendors.yotpo.state import HistoryItem
from providers.errors import (
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.journal.models import Write
from providers.journal.spending import Made
from providers.sales import Finding, SpendIntent, SpendKind
from providers.yotpo.provider import YotpoProvider
from providers.yotpo.spending import Redemption
from tests.providers.yotpo.build import (
    FIFTEEN_PERCENT,
    FIVE_OFF,
    POINTS,
    TEN_OFF,
    make_intent,
    points_of,
)
from tests.providers.yotpo.conftest import Build


def test_a_generic_reward_is_held_and_yotpo_still_counts_the_points(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))

    assert spend.is_held
    assert spend.provider_ref.startswith("LOY-")
    assert yotpo.books.customers[0].points_balance == 820
    assert points_of(provider, mia) == (720, 100)


@pytest.mark.parametrize(("option", "points"), [(TEN_OFF, 200), (FIFTEEN_PERCENT, 400)])
def test_other_rewards_take_their_points_at_once(
    provider: YotpoProvider, mia: str, option: str, points: int
) -> None:
    spend = provider.spend(make_intent(mia, option, points))

    assert not spend.is_held
    assert points_of(provider, mia) == (820 - points, 0)


def test_while_one_reward_is_held_the_next_is_taken_at_once(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    # A second delayed redemption would cancel the first, whose code is in the cart.
    first = provider.spend(make_intent(mia))
    second = provider.spend(make_intent(mia))

    assert (first.is_held, second.is_held) == (True, False)
    assert points_of(provider, mia) == (620, 100)
    assert [each.state for each in yotpo.books.redemptions.values()] == ["pending_deduction", "deducted"]


def test_points_as_money_name_their_number(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    provider.spend(make_intent(mia, POINTS, 240, kind=SpendKind.POINTS))

    (redemption,) = yotpo.books.redemptions.values()
    assert redemption.points == 240


def test_the_same_key_redeems_once(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    intent = make_intent(mia)

    assert provider.spend(intent) == provider.spend(intent)
    assert len(yotpo.books.redemptions) == 1


def test_a_reward_that_is_gone_is_named(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    provider.list_rewards(mia, make_intent(mia).cart)
    del yotpo.books.options[int(FIVE_OFF)]

    for option in (FIVE_OFF, "1"):
        with pytest.raises(Rejected) as caught:
            provider.spend(make_intent(mia, option))
        assert caught.value.reason is RejectReason.REWARD_NOT_FOUND


def test_no_codes_left_is_out_of_stock(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    yotpo.books.options[int(TEN_OFF)].codes.clear()

    with pytest.raises(Rejected) as caught:
        provider.spend(make_intent(mia, TEN_OFF, 200))
    assert caught.value.reason is RejectReason.OUT_OF_STOCK


def test_a_voucher_cannot_be_spent(provider: YotpoProvider, mia: str) -> None:
    with pytest.raises(Rejected):
        provider.spend(make_intent(mia, kind=SpendKind.VOUCHER))


REFUSALS = [
    ({"amount": ["is greater than the balance"]}, 422, RejectReason.INSUFFICIENT_POINTS),
    ({"amount": ["is greater than the balance"]}, 200, RejectReason.INSUFFICIENT_POINTS),
    ({"errors": {"amount": ["too much"]}}, 400, RejectReason.INSUFFICIENT_POINTS),
    ({"errors": ["Customer has insufficient points"]}, 422, RejectReason.INSUFFICIENT_POINTS),
    ({"error": "Not enough points"}, 400, RejectReason.INSUFFICIENT_POINTS),
    ({"error": {"message": "Not enough points"}}, 422, RejectReason.INSUFFICIENT_POINTS),
    ({"error_message": "not enough points"}, 422, RejectReason.INSUFFICIENT_POINTS),
    ({"message": "not enough points"}, 422, RejectReason.INSUFFICIENT_POINTS),
    ("Not enough points", 422, RejectReason.INSUFFICIENT_POINTS),
    ({"error": "Could not find customer"}, 404, RejectReason.MEMBER_NOT_FOUND),
    ({"redemption_option": ["must exist"]}, 422, RejectReason.REWARD_NOT_FOUND),
    ({"redemption_option": ["has no codes available"]}, 422, RejectReason.OUT_OF_STOCK),
    ({"base": ["The store is closed"]}, 422, RejectReason.NOT_ALLOWED),
    ({"error": "nope"}, 200, RejectReason.NOT_ALLOWED),
    ("", 422, RejectReason.NOT_ALLOWED),
]


@pytest.mark.parametrize(("body", "status", "reason"), REFUSALS)
def test_a_refusal_is_understood_in_every_shape(
    provider: YotpoProvider, address: str, mia: str, body: object, status: int, reason: RejectReason
) -> None:
    intent = make_intent(mia)
    provider.list_rewards(mia, intent.cart)
    with responses.RequestsMock() as vendor:
        if isinstance(body, str):
            vendor.post(f"{address}/redemptions", body=body, status=status, content_type="text/plain")
        else:
            vendor.post(f"{address}/redemptions", json=body, status=status)
        with pytest.raises(Rejected) as caught:
            provider.spend(intent)
    assert caught.value.reason is reason
    assert provider.find_spend(intent).finding is Finding.DID_NOT


@pytest.mark.parametrize(
    "body", ["<html>", "[]", '{"id": 1}', '{"id": 1, "reward_text": "X", "approved": false}']
)
def test_an_answer_that_says_neither_is_no_refusal(build: Build, address: str, mia: str, body: str) -> None:
    provider = build(delays_deduction=False)
    intent = make_intent(mia)
    provider.list_rewards(mia, intent.cart)
    with responses.RequestsMock() as vendor:
        vendor.add_passthru(f"{address}/customers")
        vendor.post(f"{address}/redemptions", body=body)
        with pytest.raises(UnexpectedAnswer):
            provider.spend(intent)
    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


# --- An answer that was lost ------------------------------------------------------------------------


def lose(provider: YotpoProvider, yotpo: Yotpo, intent: SpendIntent) -> None:
    yotpo.faults.withholds_answers = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    yotpo.faults.withholds_answers = False


def test_a_lost_hold_is_no_spend_because_nobody_can_send_its_code(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    intent = make_intent(mia)
    lose(provider, yotpo, intent)

    assert provider.find_spend(intent).finding is Finding.DID_NOT
    assert points_of(provider, mia) == (820, 0)
    with pytest.raises(Rejected):
        provider.spend(intent)


@pytest.mark.parametrize(("option", "points"), [(TEN_OFF, 200), (FIFTEEN_PERCENT, 400)])
def test_a_lost_spend_is_found_by_its_code_in_the_history(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, option: str, points: int
) -> None:
    intent = make_intent(mia, option, points)
    lose(provider, yotpo, intent)

    found = provider.find_spend(intent)

    (redemption,) = yotpo.books.redemptions.values()
    assert found.spend is not None
    assert found.spend.provider_ref == redemption.code
    assert found.spend.memo["redemption_id"] == str(redemption.id)
    assert provider.find_spend(intent) == found
    assert points_of(provider, mia) == (820 - points, 0)
    provider.release(found.spend)
    assert points_of(provider, mia) == (820, 0)


def test_codes_of_other_spends_other_options_and_other_days_are_not_taken_for_the_lost_one(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    provider.spend(make_intent(mia, TEN_OFF, 200))
    yotpo.books.options[int(FIFTEEN_PERCENT)].amount = 200
    other = make_intent(mia, FIFTEEN_PERCENT, 200)
    provider.spend(other)
    Write.objects.filter(key=other.key).delete()  # as if the shopper had done it on a phone
    yotpo.books.customers[0].history.append(
        HistoryItem(at=timezone.now() - timedelta(days=1), action="$10 off", points=-200, status="TEN-OLD")
    )
    intent = make_intent(mia, TEN_OFF, 200)
    yotpo.faults.is_down = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)

    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


def test_two_that_look_alike_are_left_to_a_person(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    lose(provider, yotpo, intent)
    twin = make_intent(mia, TEN_OFF, 200)
    provider.spend(twin)
    Write.objects.filter(key=twin.key).delete()

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


def test_a_redemption_made_before_ours_is_not_taken_for_the_lost_one(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    elsewhere = make_intent(mia, TEN_OFF, 200)
    provider.spend(elsewhere)
    Write.objects.filter(key=elsewhere.key).delete()  # as if the shopper had done it on a phone
    intent = make_intent(mia, TEN_OFF, 200)
    lose(provider, yotpo, intent)

    found = provider.find_spend(intent)

    _theirs, ours = yotpo.books.redemptions.values()
    assert found.spend is not None
    assert found.spend.provider_ref == ours.code


def test_nothing_is_sent_while_the_history_cannot_be_read(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    provider.list_rewards(mia, intent.cart)
    yotpo.faults.is_down = True
    with pytest.raises(Unavailable):
        provider.spend(intent)
    yotpo.faults.is_down = False

    assert provider.find_spend(intent).finding is Finding.DID_NOT
    assert points_of(provider, mia) == (820, 0)


def test_a_redemption_that_was_under_way_at_the_upgrade_is_never_guessed(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    lose(provider, yotpo, intent)
    Write.objects.filter(key=intent.key).update(shown_before=False)

    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


def test_a_spend_that_never_shows_up_did_not_happen(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    yotpo.faults.is_down = yotpo.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    yotpo.faults.is_down = False

    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL
    with time_machine.travel(timezone.now() + timedelta(minutes=4), tick=False):
        assert provider.find_spend(intent).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.spend(intent)


def test_a_repeated_call_while_the_outcome_is_unknown_sends_nothing(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    intent = make_intent(mia, TEN_OFF, 200)
    lose(provider, yotpo, intent)

    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    assert len(yotpo.books.redemptions) == 1


def test_a_closed_key_stays_closed_even_for_a_call_that_is_on_its_way(
    provider: YotpoProvider, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = make_intent(mia)

    def give_up_first(*args: Any) -> Made:
        Write.objects.filter(key=intent.key).update(state="void")
        return send(*args)

    send = Redemption.send
    monkeypatch.setattr(Redemption, "send", give_up_first)
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    assert provider.find_spend(intent).finding is Finding.DID_NOT
    assert points_of(provider, mia) == (820, 0)


def test_nothing_is_spent_when_yotpo_cannot_be_reached(build: Build, mia: str) -> None:
    provider = build(base_url="http://127.0.0.1:1")
    intent = make_intent(mia)

    with pytest.raises(Unavailable):
        provider.spend(intent)
    with pytest.raises(ProviderError):
        provider.list_rewards(mia, intent.cart)
