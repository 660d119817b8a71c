"""Claims of rewards and offers: made once after any lost answer, given back once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from loyaltyview.sandbox.vendors.antavo.state import Reward as VendorReward
from providers.antavo.provider import AntavoProvider
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal.models import Write
from providers.sales import Finding, Spend, SpendKind
from tests.providers.antavo.build import intent, order, voucher_intent
from tests.providers.antavo.conftest import MIA, LoseAnswers, Served


def spendable(provider: AntavoProvider) -> int:
    return provider.get_member(MIA).balance.spendable


def test_a_claims_coupon_is_redeemed_immediately(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(intent())
    coupon = vendor.workspace.coupons[spend.memo["coupon"]]
    assert coupon.status == "redeemed"
    assert provider.list_vouchers(MIA) == ()
    assert spendable(provider) == 720


def test_a_coupon_that_could_not_be_redeemed_is_redeemed_with_the_order(
    provider: AntavoProvider, vendor: Served
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("providers.antavo.coupons.redeem", _unavailable)
        spend = provider.spend(intent())
    coupon = vendor.workspace.coupons[spend.memo["coupon"]]
    assert coupon.status == "claimed"
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(coupon.code))
    assert caught.value.reason is RejectReason.ALREADY_USED
    for _ in range(2):
        provider.confirm(spend, order(spends=(spend,)))
    assert coupon.status == "redeemed"
    assert len(vendor.events("coupon_redeem")) == 1


def test_rewards_whose_pool_gives_the_same_code_each_time_can_be_claimed_again(
    provider: AntavoProvider, vendor: Served
) -> None:
    first = provider.spend(intent())
    _give_the_same_code_again(vendor, first)
    second = provider.spend(intent())
    assert second.memo["coupon"] == first.memo["coupon"]
    assert second.provider_ref != first.provider_ref
    assert spendable(provider) == 620


def test_a_lost_claim_is_found_whose_code_an_earlier_one_has(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    _give_the_same_code_again(vendor, provider.spend(intent()))
    asked = intent()
    with lose_answers("claim"), pytest.raises(OutcomeUnknown):
        provider.spend(asked)
    assert provider.find_spend(asked).finding is Finding.HAPPENED


def _give_the_same_code_again(vendor: Served, spend: Spend) -> None:
    coupon = vendor.workspace.coupons[spend.memo["coupon"]]
    vendor.workspace.new_coupon = lambda *args: coupon  # type: ignore[method-assign]


def _unavailable(*_args: object) -> None:
    raise Unavailable


def test_giving_back_revokes_the_claim_and_its_coupon(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(intent())
    for _ in range(3):
        provider.release(spend)
    assert vendor.workspace.coupons[spend.memo["coupon"]].status == "invalid"
    assert spendable(provider) == 820
    assert (
        "POST",
        f"/customers/{MIA}/activities/rewards/five-off/revoke",
        {"event": spend.provider_ref},
    ) in (vendor.asked)


def test_a_claim_without_a_coupon_is_made_and_revoked(provider: AntavoProvider) -> None:
    spend = provider.spend(intent("canvas-tote", 300))
    assert "coupon" not in spend.memo
    provider.confirm(spend, order(spends=(spend,)))
    provider.release(spend)
    assert spendable(provider) == 820


def test_a_claim_whose_answer_was_lost_is_found_and_made_once(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    made = intent()
    with lose_answers("/claim"), pytest.raises(OutcomeUnknown):
        provider.spend(made)
    with pytest.raises(OutcomeUnknown):
        provider.spend(made)
    found = provider.find_spend(made)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    assert provider.spend(made) == found.spend
    assert vendor.count("/claim") == 1
    assert vendor.workspace.coupons[found.spend.memo["coupon"]].status == "redeemed"
    provider.release(found.spend)
    assert spendable(provider) == 820


def test_a_claim_that_never_arrived_is_certain_after_a_minute(
    provider: AntavoProvider, vendor: Served
) -> None:
    made = intent()
    vendor.faults.is_down = vendor.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(made)
    vendor.faults.is_down = False
    assert provider.find_spend(made).finding is Finding.CANNOT_TELL
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert provider.find_spend(made).finding is Finding.DID_NOT
        with pytest.raises(Rejected):
            provider.spend(made)
    assert spendable(provider) == 820


def test_the_same_claim_of_another_till_or_the_web_shop_is_not_taken_for_ours(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    provider.spend(intent())
    vendor.mia.note("reward", -100, reward="five-off", coupon="WEB-1")
    made = intent()
    vendor.faults.is_down = vendor.faults.writes_only = True
    with pytest.raises(OutcomeUnknown):
        provider.spend(made)
    vendor.faults.is_down = False
    assert provider.find_spend(made).finding is Finding.CANNOT_TELL


def test_two_claims_at_the_same_moment_are_left_to_a_person(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    made = intent()
    with lose_answers("/claim"), pytest.raises(OutcomeUnknown):
        provider.spend(made)
    vendor.mia.note("reward", -100, reward="five-off", coupon="WEB-1")
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        assert provider.find_spend(made).finding is Finding.CANNOT_TELL


def test_a_key_that_was_asked_about_before_it_was_used_is_closed(
    provider: AntavoProvider, vendor: Served
) -> None:
    made = intent()
    assert provider.find_spend(made).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.spend(made)
    assert vendor.count("/claim") == 0


def test_the_same_key_again_is_the_same_spend(provider: AntavoProvider, vendor: Served) -> None:
    made = intent()
    assert provider.spend(made) == provider.spend(made)
    assert vendor.count("/claim") == 1


def test_a_workspaces_refusal_is_shown_in_its_own_words(provider: AntavoProvider, vendor: Served) -> None:
    vendor.workspace.rewards["five-off"].stock = 0
    with pytest.raises(Rejected) as caught:
        provider.spend(intent())
    assert (caught.value.reason, caught.value.text) == (RejectReason.OUT_OF_STOCK, "Sorry, all gone!")
    assert provider.find_spend(intent()).finding is Finding.DID_NOT


@pytest.mark.parametrize(
    ("reward", "reason"),
    [
        ("ten-off", RejectReason.LIMIT_REACHED),
        ("gold-forty-off", RejectReason.NOT_ALLOWED),
        ("nothing", RejectReason.EXPIRED),
        ("twenty-five-off", RejectReason.INSUFFICIENT_POINTS),
    ],
)
def test_each_refusal_of_a_claim_has_its_reason(
    provider: AntavoProvider, vendor: Served, reward: str, reason: RejectReason
) -> None:
    vendor.workspace.rewards["ten-off"].max_claims = 1
    vendor.mia.note("reward", 0, reward="ten-off")
    with pytest.raises(Rejected) as caught:
        provider.spend(intent(reward, 100))
    assert caught.value.reason is reason


def test_a_locked_claim_and_a_suspended_customer_are_refused(
    provider: AntavoProvider, vendor: Served
) -> None:
    vendor.claims.is_locked = True
    with pytest.raises(Rejected) as caught:
        provider.spend(intent())
    assert caught.value.text == "Claim temporarily locked"
    vendor.claims.is_locked = False
    vendor.mia.status = "suspended"
    with pytest.raises(Rejected) as caught:
        provider.spend(intent())
    assert caught.value.reason is RejectReason.NOT_ALLOWED


def test_an_offer_becomes_a_coupon_that_stays_the_customers_when_given_back(
    provider: AntavoProvider, vendor: Served
) -> None:
    spend = provider.spend(intent("offer:socks-season", 0))
    coupon = vendor.workspace.coupons[spend.provider_ref]
    assert (coupon.status, spendable(provider)) == ("redeemed", 820)
    for _ in range(2):
        provider.release(spend)
    assert coupon.status == "claimed"
    assert [voucher.code for voucher in provider.list_vouchers(MIA)] == [coupon.code]


def test_an_offer_whose_answer_was_lost_is_found_by_its_new_coupon(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    vendor.give(MIA, "OLDER")
    made = intent("offer:socks-season", 0)
    with lose_answers("/claim"), pytest.raises(OutcomeUnknown):
        provider.spend(made)
    found = provider.find_spend(made)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    assert found.spend.provider_ref != "OLDER"


def test_an_offer_whose_conditions_are_not_met_is_refused(provider: AntavoProvider, vendor: Served) -> None:
    vendor.mia.status = "inactive"
    with pytest.raises(Rejected) as caught:
        provider.spend(intent("offer:socks-season", 0))
    assert caught.value.reason is RejectReason.NOT_ALLOWED


def test_a_coupon_whose_answer_was_lost_is_found_by_our_key(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    vendor.give(MIA, "SPRING")
    made = voucher_intent("SPRING")
    with lose_answers("coupon_redeem"), pytest.raises(OutcomeUnknown):
        provider.spend(made)
    found = provider.find_spend(made)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    assert found.spend.provider_ref == "SPRING"
    assert len(vendor.events("coupon_redeem")) == 1


def test_a_dynamic_coupon_takes_the_points_that_were_chosen(provider: AntavoProvider, vendor: Served) -> None:
    vendor.workspace.rewards["flex"] = VendorReward(
        reward_id="flex",
        title="Flexible",
        points=500,
        type="dynamic_coupon",
        coupon_type="amount",
        exchange_rate=Decimal(1),
        price_step=100,
    )
    spend = provider.spend(intent("flex", 300, kind=SpendKind.POINTS))
    assert vendor.workspace.coupons[spend.memo["coupon"]].value == 3
    assert (spend.points, spend.is_held, spendable(provider)) == (300, False, 520)
    provider.release(spend)
    assert spendable(provider) == 820


def test_no_personal_data_is_stored(provider: AntavoProvider) -> None:
    provider.spend(intent())
    kept = str(Write.objects.values().get())
    assert "Mia" not in kept
    assert "example.test" not in kept
