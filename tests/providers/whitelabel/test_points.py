"""Points as money, and points of rewards: never below zero, taken once, given back once."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal.models import Write, WriteKind, WriteState
from providers.sales import Finding, Spend
from providers.whitelabel import events
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.transcripts import losing
from tests.providers.whitelabel.build import FIVE_OFF, order, points_intent, reward_intent, sent
from tests.providers.whitelabel.conftest import Build, LoseAnswers


def spendable(provider: WhiteLabelProvider, ref: str) -> int:
    return provider.get_member(ref).balance.spendable


def test_points_are_taken_by_an_event_of_the_tenants_own(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = provider.spend(points_intent(mia, 250))
    (event,) = vendor.state.events_of("REDEEMED_POINTS")
    assert spend.provider_ref == str(event["id"])
    assert event["payload"] == {
        "points": 250,
        "transactionId": "cart-1",
        "branchId": "boston-1",
        "requestId": "key-1",
    }
    assert event["occurredAt"].endswith("Z")
    assert spendable(provider, mia) == 570


def test_more_points_than_the_balance_are_refused_with_the_gap(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    with pytest.raises(Rejected) as caught:
        provider.spend(points_intent(mia, 850))
    assert (caught.value.reason, caught.value.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 30)
    assert not vendor.state.events_of("REDEEMED_POINTS")
    with pytest.raises(Rejected):
        provider.spend(points_intent(mia, 0, key="key-2"))


def test_points_whose_reaction_has_not_run_count_as_gone(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, pauses: list[float]
) -> None:
    vendor.state.reaction_delay_s = 3600
    provider.spend(points_intent(mia, 500))
    assert pauses == [0.3, 0.7, 1.0]
    balance = provider.get_member(mia).balance
    assert (balance.spendable, balance.reserved) == (320, 500)
    assert {r.title: r for r in provider.list_rewards(mia, points_intent(mia, 1).cart)}["15% off"].lock
    with pytest.raises(Rejected) as caught:
        provider.spend(points_intent(mia, 350, key="key-2"))
    assert caught.value.points_gap == 30
    vendor.state.reaction_delay_s = 0
    balance = provider.get_member(mia).balance
    assert (balance.spendable, balance.reserved) == (320, 0)
    assert vendor.state.points[mia] == 320


def test_two_that_spend_the_same_points_in_the_same_moment_never_leave_less_than_nothing(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = events.report

    def report_after_the_app(*args, **kwargs):  # type: ignore[no-untyped-def]
        if vendor.state.points[mia] == 820:
            vendor.state.points[mia] = 100  # the member spends the rest in the app
        return report(*args, **kwargs)

    monkeypatch.setattr(events, "report", report_after_the_app)
    with pytest.raises(Rejected) as caught:
        provider.spend(points_intent(mia, 500))
    assert caught.value.reason is RejectReason.INSUFFICIENT_POINTS
    assert vendor.state.points[mia] == 100
    assert provider.find_spend(points_intent(mia, 500)).finding is Finding.DID_NOT


def test_below_zero_with_a_lost_refund_ends_with_the_points_given_back(
    provider: WhiteLabelProvider,
    vendor: WhiteLabel,
    mia: str,
    monkeypatch: pytest.MonkeyPatch,
    lose_answers: LoseAnswers,
) -> None:
    report = events.report

    def report_after_the_app(client, kind, *args, **kwargs):  # type: ignore[no-untyped-def]
        if kind == "POINTS_REFUND":
            with lose_answers():
                return report(client, kind, *args, **kwargs)
        vendor.state.points[mia] = 100
        return report(client, kind, *args, **kwargs)

    monkeypatch.setattr(events, "report", report_after_the_app)
    with pytest.raises(OutcomeUnknown):
        provider.spend(points_intent(mia, 500))
    assert provider.find_spend(points_intent(mia, 500)).finding is Finding.DID_NOT
    assert vendor.state.points[mia] == 100
    assert len(vendor.state.events_of("POINTS_REFUND")) == 1


def test_a_lost_answer_is_one_spend_found_by_its_request_id(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    intent = points_intent(mia, 250)
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    for _ in range(2):
        found = provider.find_spend(intent)
        assert found.finding is Finding.HAPPENED
        assert found.spend is not None
        assert found.spend.points == 250
        assert provider.spend(intent) == found.spend
    assert len(vendor.state.events_of("REDEEMED_POINTS")) == 1


def test_what_was_sent_and_left_no_trace_is_given_up_only_when_it_can_no_longer_come(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    intent = points_intent(mia, 250)
    sent(WriteKind.SPEND, intent.key, mia, shown_before={})
    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert provider.find_spend(intent).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.spend(intent)
    assert not vendor.state.events_of("REDEEMED_POINTS")


def test_a_spend_of_which_a_person_says_that_it_stands_is_confirmed(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    intent = points_intent(mia, 250)
    sent(WriteKind.SPEND, intent.key, mia, shown_before={})
    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL
    spend = Spend(key=intent.key, member_ref=mia, kind=intent.kind, provider_ref="", points=250)
    provider.confirm(spend, order(mia))
    provider.release_part(spend, 50, "return-1")
    provider.release(spend)
    assert vendor.state.points[mia] == 820 + 250
    with pytest.raises(Rejected):
        provider.confirm(spend, order(mia))


def test_a_spend_that_was_never_sent_did_not_happen_and_never_will(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    intent = points_intent(mia, 250)
    assert provider.find_spend(intent).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.spend(intent)
    assert vendor.state.points[mia] == 820


def test_a_vendor_that_lists_events_of_everybody_is_not_believed(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, ana: str, later: None
) -> None:
    vendor.state.emit("REDEEMED_POINTS", vendor.state.users[ana], {"points": 10, "requestId": "key-1"})
    vendor.events.ignores_filters = True
    intent = points_intent(mia, 250)
    row = sent(WriteKind.SPEND, intent.key, mia, shown_before={})
    assert provider.find_spend(intent).finding is Finding.DID_NOT
    row.refresh_from_db()
    assert row.state == WriteState.VOID


@pytest.mark.parametrize("sign", [1, -1])
def test_points_are_given_back_once_even_when_the_answer_is_lost(
    build: Build, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, sign: int
) -> None:
    provider = build(refund_sign=sign)
    vendor.events.set_refund_sign(sign)
    spend = provider.spend(points_intent(mia, 250))
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.release(spend)
    for _ in range(2):
        provider.release(spend)
    assert vendor.state.points[mia] == 820
    assert len(vendor.state.events_of("POINTS_REFUND")) == 1


def test_a_refund_that_may_still_be_on_its_way_is_not_sent_again(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = provider.spend(points_intent(mia, 250))
    sent(WriteKind.RELEASE, spend.key, mia, points=250, parent=Write.objects.get(key=spend.key))
    with pytest.raises(Unavailable):
        provider.release(spend)
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        provider.release(spend)
    assert len(vendor.state.events_of("POINTS_REFUND")) == 1


def test_a_bought_reward_is_burned_at_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = provider.spend(reward_intent(mia))
    benefit = vendor.state.benefits[spend.provider_ref]
    assert benefit["burnedAt"]
    assert vendor.state.points[mia] == 720
    assert provider.list_vouchers(mia) == ()
    provider.release(spend)
    assert vendor.state.points[mia] == 820


def test_a_purchase_whose_answer_was_lost_is_one_purchase_and_burned_by_the_order(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    intent = reward_intent(mia)
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    found = provider.find_spend(intent)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    bought = [row for row in vendor.state.benefits.values() if row["owner"]["id"] == mia]
    assert [row["id"] for row in bought] == [found.spend.provider_ref]
    assert not bought[0]["burnedAt"]
    for _ in range(2):
        provider.confirm(found.spend, order(mia, spends=(found.spend,)))
    assert bought[0]["burnedAt"]
    assert vendor.state.points[mia] == 720


def test_giving_back_a_purchase_burns_it_first(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(reward_intent(mia))
    spend = provider.find_spend(reward_intent(mia)).spend
    assert spend is not None
    provider.release(spend)
    assert vendor.state.benefits[spend.provider_ref]["burnedAt"]
    assert vendor.state.points[mia] == 820


def test_a_purchase_that_cannot_be_burned_now_is_a_spend_all_the_same(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_down(*args: object) -> object:
        raise Unavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr("providers.whitelabel.vouchers.redeem", go_down)
        spend = provider.spend(reward_intent(mia))
    assert vendor.state.points[mia] == 720
    assert provider.find_spend(reward_intent(mia)).spend == spend
    provider.confirm(spend, order(mia, spends=(spend,)))
    assert vendor.state.benefits[spend.provider_ref]["burnedAt"]


def test_of_two_fresh_purchases_of_the_same_reward_nobody_guesses(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, later: None
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(reward_intent(mia))
    vendor.state.give(mia, vendor.state.rewards[FIVE_OFF])
    assert provider.find_spend(reward_intent(mia)).finding is Finding.CANNOT_TELL


def test_a_reward_owned_before_is_not_taken_for_the_one_whose_request_was_lost(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, later: None
) -> None:
    vendor.state.give(mia, vendor.state.rewards[FIVE_OFF])
    intent = reward_intent(mia)
    with losing(vendor, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    assert provider.find_spend(intent).finding is Finding.DID_NOT


def test_points_that_are_gone_without_a_trace_are_left_to_a_person(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, later: None
) -> None:
    intent = reward_intent(mia)
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    (bought,) = [row for row in vendor.state.benefits.values() if row["owner"]["id"] == mia]
    del vendor.state.benefits[bought["id"]]  # bought, and used up before we looked
    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


def test_a_spend_that_was_under_way_at_the_upgrade_is_never_guessed(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, later: None
) -> None:
    intent = reward_intent(mia)
    sent(WriteKind.SPEND, intent.key, mia, shown_before={})
    vendor.state.give(mia, vendor.state.rewards[FIVE_OFF])
    assert provider.find_spend(intent).finding is Finding.CANNOT_TELL


def test_one_benefit_is_never_two_spends(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers, later: None
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(reward_intent(mia))
    with losing(vendor, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.spend(reward_intent(mia, "key-2"))
    # What the second saw before tells that the only new one is the first's.
    assert provider.find_spend(reward_intent(mia, "key-2")).finding is Finding.DID_NOT
    assert provider.find_spend(reward_intent(mia)).finding is Finding.HAPPENED


def test_another_price_than_the_one_shown_is_refused(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.rewards[FIVE_OFF]["price"] = 150
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(mia))
    assert caught.value.reason is RejectReason.PRICE_CHANGED
    assert vendor.state.points[mia] == 820


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"stockCapacity": 1, "stockConsumed": 1}, RejectReason.OUT_OF_STOCK),
        ({"purchasable": False}, RejectReason.NOT_ALLOWED),
    ],
)
def test_a_purchase_that_the_vendor_refuses_says_why(
    provider: WhiteLabelProvider,
    vendor: WhiteLabel,
    mia: str,
    change: dict[str, object],
    reason: RejectReason,
) -> None:
    vendor.state.rewards[FIVE_OFF].update(change)
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(mia))
    assert caught.value.reason is reason
    assert vendor.state.points[mia] == 820


def test_a_reward_that_is_gone_is_refused(provider: WhiteLabelProvider, mia: str) -> None:
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(mia, item_id="gone"))
    assert caught.value.reason is RejectReason.REWARD_NOT_FOUND


def test_the_same_intent_sent_twice_spends_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spend = provider.spend(points_intent(mia, 250))
    assert provider.spend(points_intent(mia, 250)) == spend
    assert vendor.state.points[mia] == 570


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_many_threads_with_one_intent_spend_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    from django.db import connection

    def tap() -> None:
        try:
            provider.spend(points_intent(mia, 250))
        except OutcomeUnknown:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=tap) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.state.events_of("REDEEMED_POINTS")) == 1


def test_another_discount_than_the_one_shown_is_refused(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.rewards[FIVE_OFF]["discounts"][0]["value"] = 300
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(mia))
    assert caught.value.reason is RejectReason.PRICE_CHANGED
    assert not vendor.state.events_of("PURCHASED_REWARD")


def test_points_of_ours_whose_reaction_has_not_run_buy_no_reward(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reaction_delay_s = 3600
    provider.spend(points_intent(mia, 800))
    with pytest.raises(Rejected) as caught:
        provider.spend(reward_intent(mia, "key-2"))
    assert (caught.value.reason, caught.value.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 80)
    assert not vendor.state.events_of("PURCHASED_REWARD")


def test_points_that_another_till_took_a_moment_ago_buy_no_reward(
    build: Build, vendor: WhiteLabel, mia: str
) -> None:
    vendor.state.reaction_delay_s = 3600
    build().spend(points_intent(mia, 800))
    Write.objects.all().delete()  # as for an installation that did not report it
    with pytest.raises(Rejected) as caught:
        build().spend(reward_intent(mia, "key-2"))
    assert (caught.value.reason, caught.value.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 80)
    assert not vendor.state.events_of("PURCHASED_REWARD")


def test_a_purchase_is_found_where_the_wallet_lists_no_vouchers(
    build: Build, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    provider = build(names={"wallet_vouchers": "elsewhere"})
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(reward_intent(mia))
    assert provider.find_spend(reward_intent(mia)).finding is Finding.HAPPENED
