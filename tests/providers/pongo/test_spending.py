"""Buying and choosing rewards: exactly one is bought, and one is in a cart at a time, after any failure."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from loyaltyview.sandbox.vendors.pongo.sample import Reward
from loyaltyview.sandbox.vendors.pongo.state import Customer, Won
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.journal.models import Write, WriteKind
from providers.journal.states import Journal
from providers.pongo.provider import PongoProvider
from providers.sales import Finding, SpendKind
from tests.providers.pongo.conftest import ANA, FIVE_OFF, MIA, TEN_OFF, Connect, LoseAnswers, Served
from tests.providers.pongo.intents import BUY, an_intent, an_order, owned_by_ana, reason
from tests.providers.transcripts import losing


def test_a_reward_is_bought_once_and_locked(provider: PongoProvider, vendor: Served) -> None:
    spend = provider.spend(an_intent())

    (won,) = vendor.book.customers[MIA].won
    assert (won.hash, won.is_locked, won.used_at) == (spend.provider_ref, True, None)
    code = won.coupon_code
    told = {"reward": FIVE_OFF, "coupon_code": code, "own_code": code, "title": "$5 off"}
    assert spend.memo == told
    assert vendor.bodies("POST", BUY) == [{"customer": MIA, "store_slug": "boston-1", "is_used": False}]


def test_a_bought_reward_is_not_offered_again_while_it_is_in_a_cart(provider: PongoProvider) -> None:
    provider.spend(an_intent())

    assert provider.list_vouchers(MIA) == ()


def test_a_lost_answer_ends_with_exactly_one_bought_reward(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers(BUY), pytest.raises(OutcomeUnknown):
        provider.spend(an_intent())

    found = [provider.find_spend(an_intent()) for _ in range(3)]

    (won,) = vendor.book.customers[MIA].won
    assert {finding.finding for finding in found} == {Finding.HAPPENED}
    assert {finding.spend.provider_ref for finding in found if finding.spend} == {won.hash}
    assert vendor.count("POST", BUY) == 1
    assert vendor.book.customers[MIA].points == 720
    assert won.is_locked


def test_a_reward_owned_before_is_not_taken_for_the_one_whose_answer_was_lost(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    old = vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF])
    with lose_answers(BUY), pytest.raises(OutcomeUnknown):
        provider.spend(an_intent())

    spend = provider.find_spend(an_intent()).spend

    assert spend is not None
    assert spend.provider_ref != old.hash


def test_the_same_reward_bought_elsewhere_at_the_same_moment_is_left_to_a_person(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers(BUY), pytest.raises(OutcomeUnknown):
        provider.spend(an_intent())
    vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF])

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=10)):
        assert provider.find_spend(an_intent()).finding is Finding.CANNOT_TELL


def test_of_two_rewards_bought_at_the_same_moment_ours_is_the_one_that_the_answer_names(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = vendor.book.give

    def give_and_buy_elsewhere(customer: Customer, reward: Reward) -> Won:
        ours = give(customer, reward)
        for _ in range(3):
            give(customer, reward)
        return ours

    monkeypatch.setattr(vendor.book, "give", give_and_buy_elsewhere)
    spend = provider.spend(an_intent())

    assert spend.provider_ref == vendor.book.customers[MIA].won[0].hash


def test_a_purchase_counts_from_when_it_was_sent(provider: PongoProvider, vendor: Served) -> None:
    with losing(vendor, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.spend(an_intent())
    # The reads before it took long: the call itself has only just been made.
    Write.objects.update(noted_at=datetime.now(UTC) - timedelta(minutes=5))

    assert provider.find_spend(an_intent()).finding is Finding.CANNOT_TELL


def test_a_purchase_that_left_no_trace_did_not_happen_after_a_minute(
    provider: PongoProvider, vendor: Served
) -> None:
    vendor.faults.writes_only = vendor.faults.is_down = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(an_intent())
    vendor.faults.is_down = False

    assert provider.find_spend(an_intent()).finding is Finding.CANNOT_TELL
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert provider.find_spend(an_intent()).finding is Finding.DID_NOT
    assert reason(provider) is RejectReason.NOT_ALLOWED, "the key is closed for good"
    assert vendor.count("POST", BUY) == 0


def test_asking_first_closes_the_key(provider: PongoProvider, vendor: Served) -> None:
    assert provider.find_spend(an_intent()).finding is Finding.DID_NOT

    assert reason(provider) is RejectReason.NOT_ALLOWED
    assert vendor.count("POST", BUY) == 0


def test_a_spend_that_was_never_sent_did_not_happen(provider: PongoProvider) -> None:
    Journal(vendor="pongo", program="acme").open(WriteKind.SPEND, "key-1", member_ref=MIA, item_id=FIVE_OFF)

    assert provider.find_spend(an_intent()).finding is Finding.DID_NOT


def test_two_lost_purchases_find_a_reward_each(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    for key in ("key-1", "key-2"):
        with lose_answers(BUY), pytest.raises(OutcomeUnknown):
            provider.spend(an_intent(key))

    found = [provider.find_spend(an_intent(key)).spend for key in ("key-1", "key-2")]

    assert {spend.provider_ref for spend in found if spend} == {
        won.hash for won in vendor.book.customers[MIA].won
    }


def test_a_changed_price_is_refused_before_anything_is_bought(
    provider: PongoProvider, vendor: Served
) -> None:
    assert reason(provider, points=90) is RejectReason.PRICE_CHANGED
    assert vendor.count("POST", BUY) == 0


def test_a_reward_that_is_gone_is_refused(provider: PongoProvider, vendor: Served) -> None:
    del vendor.book.rewards[FIVE_OFF]

    assert reason(provider) is RejectReason.REWARD_NOT_FOUND


def test_too_few_points_are_refused_with_the_gap_in_any_words_of_pongo(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor.book.customers[MIA].points = 70
    monkeypatch.setattr("providers.pongo.client.REASONS", ())

    with pytest.raises(Rejected) as caught:
        provider.spend(an_intent())

    assert (caught.value.reason, caught.value.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 30)


def test_a_store_that_is_not_mapped_refuses_before_anything_is_sent(
    provider: PongoProvider, vendor: Served
) -> None:
    with pytest.raises(Rejected) as caught:
        provider.spend(an_intent(store=""))

    assert "not linked" in caught.value.text
    assert vendor.asked == []


def test_points_as_money_are_not_offered(provider: PongoProvider) -> None:
    with pytest.raises(Unsupported):
        provider.spend(an_intent(kind=SpendKind.POINTS))


# --- Owned rewards ----------------------------------------------------------------------------------


def test_choosing_an_owned_reward_locks_it_and_undoing_unlocks_it(
    provider: PongoProvider, vendor: Served
) -> None:
    intent = an_intent(item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)
    (won,) = vendor.book.customers[ANA].won

    spend = provider.spend(intent)
    assert won.is_locked
    assert provider.list_vouchers(ANA) == ()

    for _ in range(2):
        provider.release(spend)
    assert not won.is_locked
    assert [voucher.voucher_id for voucher in provider.list_vouchers(ANA)] == [won.hash]


def test_an_undone_reward_can_be_chosen_again(provider: PongoProvider, vendor: Served) -> None:
    def choose(key: str) -> None:
        intent = an_intent(key, owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)
        spend = provider.spend(intent)
        provider.release(spend)

    choose("key-1")
    choose("key-2")


def test_one_reward_is_in_one_cart_even_where_pongo_has_no_locks(
    provider: PongoProvider, vendor: Served
) -> None:
    vendor.rewards.has_locks = False
    item = owned_by_ana(vendor)
    provider.spend(an_intent("key-1", item, kind=SpendKind.VOUCHER, points=0, ref=ANA))

    refused = reason(provider, key="key-2", item=item, kind=SpendKind.VOUCHER, points=0, ref=ANA)

    assert refused is RejectReason.ALREADY_USED


def test_a_bought_reward_cannot_be_chosen_a_second_time(provider: PongoProvider, vendor: Served) -> None:
    vendor.rewards.has_locks = False
    spend = provider.spend(an_intent())

    refused = reason(provider, key="key-2", item=spend.provider_ref, kind=SpendKind.VOUCHER, points=0)

    assert refused is RejectReason.ALREADY_USED


def test_a_reward_that_a_kiosk_has_locked_is_refused(provider: PongoProvider, vendor: Served) -> None:
    vendor.book.customers[ANA].won[0].is_locked = True

    refused = reason(provider, item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)

    assert refused is RejectReason.ALREADY_USED


def test_an_expired_owned_reward_is_refused(provider: PongoProvider, vendor: Served) -> None:
    vendor.book.customers[ANA].won[0].expires_at = "2020-01-01T00:00:00+00:00"

    refused = reason(provider, item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)

    assert refused is RejectReason.EXPIRED


def test_a_reward_of_another_customer_is_refused(provider: PongoProvider, vendor: Served) -> None:
    refused = reason(provider, item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=MIA)

    assert refused is RejectReason.REWARD_NOT_FOUND


def test_a_lost_lock_is_found_and_the_reward_is_in_the_cart(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    intent = an_intent(item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)
    with lose_answers("/lock"), pytest.raises(OutcomeUnknown):
        provider.spend(intent)

    assert provider.find_spend(intent).finding is Finding.HAPPENED


def test_a_lost_lock_of_a_reward_used_elsewhere_did_not_happen(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    intent = an_intent(item=owned_by_ana(vendor), kind=SpendKind.VOUCHER, points=0, ref=ANA)
    with lose_answers("/lock"), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    vendor.book.customers[ANA].won[0].used_at = "2026-01-01T00:00:00+00:00"

    assert provider.find_spend(intent).finding is Finding.DID_NOT


def test_a_bought_reward_is_not_taken_back(provider: PongoProvider) -> None:
    spend = provider.spend(an_intent())

    with pytest.raises(Unsupported):
        provider.release(spend)


def test_a_bought_reward_that_was_not_used_stays_with_the_customer(
    provider: PongoProvider, vendor: Served
) -> None:
    spend = provider.spend(an_intent())

    assert [provider.keep_with_customer(spend) for _ in range(2)] == [True, True]
    assert [voucher.voucher_id for voucher in provider.list_vouchers(MIA)] == [spend.provider_ref]
    assert vendor.book.customers[MIA].points == 720


def test_a_used_reward_is_not_left_with_the_customer(provider: PongoProvider) -> None:
    spend = provider.spend(an_intent())
    provider.record_order(an_order(spend))

    assert not provider.keep_with_customer(spend)


# --- Every kind of trouble --------------------------------------------------------------------------


def test_a_refused_token_is_its_own_error_and_spends_nothing(provider: PongoProvider, vendor: Served) -> None:
    vendor.oauth.expire_all()

    with pytest.raises(AuthFailed):
        provider.spend(an_intent())


def test_a_token_without_the_scope_differs_from_a_pin(provider: PongoProvider, vendor: Served) -> None:
    for token in vendor.oauth.tokens.values():
        token.scopes = token.scopes - {"reward.update"}

    with pytest.raises(AuthFailed):
        provider.spend(an_intent())


def test_throttling_is_its_own_error(provider: PongoProvider, vendor: Served) -> None:
    vendor.faults.is_throttled = vendor.faults.writes_only = True

    with pytest.raises(RateLimited) as caught:
        provider.spend(an_intent())
    assert caught.value.retry_after_s == 1


def test_a_vendor_that_is_down_is_unavailable(provider: PongoProvider, vendor: Served) -> None:
    vendor.faults.is_down = True

    with pytest.raises(Unavailable):
        provider.spend(an_intent())
    assert provider.find_spend(an_intent()).finding is Finding.DID_NOT


def test_a_customer_without_points_is_an_unexpected_answer(connect: Connect, vendor: Served) -> None:
    odd = connect(names={"customer.points": "balance"})

    with pytest.raises(UnexpectedAnswer):
        odd.get_member(MIA)


def test_the_second_of_two_rewards_is_bought_and_found_on_its_own(
    provider: PongoProvider, vendor: Served
) -> None:
    first = provider.spend(an_intent("key-1"))
    second = provider.spend(an_intent("key-2", TEN_OFF, points=200))

    assert first.provider_ref != second.provider_ref
    assert vendor.book.customers[MIA].points == 520
