"""Vouchers of the member's own: whose they are, the two ways to use one, and that using one is final."""

from datetime import UTC, datetime

import pytest
import time_machine
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel.sample import ANA_CODE, discount
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.base import Capability
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable, Unsupported
from providers.sales import Finding, SpendKind
from providers.types import Discount, DiscountKind
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.whitelabel.build import intent, order, voucher_intent
from tests.providers.whitelabel.conftest import Build, LoseAnswers


def vouchers(provider: WhiteLabelProvider, ref: str) -> list[tuple[str, str]]:
    return sorted((voucher.title, voucher.code) for voucher in provider.list_vouchers(ref))


def test_the_list_holds_vouchers_to_redeem_and_those_redeemed_in_the_app(
    provider: WhiteLabelProvider, ana: str
) -> None:
    assert vouchers(provider, ana) == [("$10 birthday voucher", ""), ("$5 off", ANA_CODE)]
    assert all(voucher.is_final for voucher in provider.list_vouchers(ana))
    assert Capability.RELEASE_VOUCHER not in provider.capabilities


@pytest.mark.parametrize("spelling", ["", "userId"])
def test_a_vendor_that_ignores_its_owner_filter_changes_nothing(
    build: Build, vendor: WhiteLabel, mia: str, ana: str, whole_voucher: Json, spelling: str
) -> None:
    provider = build(names={"benefit_user": spelling})
    before = {ref: provider.list_vouchers(ref) for ref in (mia, ana)}
    for number in range(150):  # more than a page of other people's
        vendor.state.give(ana if number % 2 else vendor.state.by_email("leo@example.test")["id"],
                          vendor.state.reward_named("$25 off"), code=f"OTHER-{number}")  # fmt: skip
    vendor.reads.ignores_owner_filter = True
    assert provider.list_vouchers(mia) == before[mia]
    assert len(provider.list_vouchers(ana)) == len(before[ana]) + 75


def test_a_row_without_owner_counts_only_in_the_members_own_wallet(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, whole_voucher: Json
) -> None:
    whole_voucher["owner"] = {"id": mia, "name": "x"}
    leo = vendor.state.by_email("leo@example.test")["id"]
    other = vendor.state.give(leo, vendor.state.reward_named("$25 off"))
    vendor.reads.hides_owners = vendor.reads.ignores_owner_filter = True
    assert [voucher.voucher_id for voucher in provider.list_vouchers(mia)] == [whole_voucher["id"]]
    assert other["id"] not in {voucher.voucher_id for voucher in provider.list_vouchers(mia)}


def test_expired_and_burned_vouchers_are_not_listed(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    reward = vendor.state.reward_named("$5 off")
    vendor.state.give(mia, reward, expires_at="2020-01-01T00:00:00.000Z")
    vendor.state.give(mia, reward, code="GONE-1")["burnedAt"] = "2025-01-01T00:00:00.000Z"
    assert provider.list_vouchers(mia) == ()


@pytest.mark.parametrize(
    ("at", "is_listed"),
    [(datetime(2026, 11, 30, 9, tzinfo=UTC), True), (datetime(2026, 12, 2, tzinfo=UTC), False)],
)
def test_a_voucher_holds_to_the_end_of_its_last_day(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, at: datetime, is_listed: bool
) -> None:
    vendor.state.give(mia, vendor.state.reward_named("$5 off"), expires_at="2026-11-30")
    with time_machine.travel(at):
        assert bool(provider.list_vouchers(mia)) is is_listed


def test_the_cashier_redeems_and_burns_a_whole_voucher(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, whole_voucher: Json
) -> None:
    spend = provider.spend(voucher_intent(mia, whole_voucher["id"]))
    assert (spend.provider_ref, spend.points, spend.is_held) == (whole_voucher["id"], 0, False)
    assert whole_voucher["redeemedAt"]
    assert whole_voucher["burnedAt"]
    assert provider.list_vouchers(mia) == ()
    provider.confirm(spend, order(mia, spends=(spend,)))


def test_a_voucher_redeemed_in_the_app_is_burned_at_once(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, shown_voucher: Json
) -> None:
    redeemed_at = shown_voucher["redeemedAt"]
    provider.spend(voucher_intent(mia, shown_voucher["id"]))
    assert shown_voucher["burnedAt"]
    assert shown_voucher["redeemedAt"] == redeemed_at


def test_a_code_is_looked_at_without_being_burned(
    provider: WhiteLabelProvider, mia: str, shown_voucher: Json
) -> None:
    for _ in range(2):
        found = provider.find_voucher(mia, " Promo-Mia10 ")
    assert (found.voucher_id, found.title) == (shown_voucher["id"], "$10 birthday voucher")
    assert found.discount == provider.list_vouchers(mia)[0].discount
    assert found.is_final
    assert not shown_voucher["burnedAt"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("PROMO-NONE", RejectReason.REWARD_NOT_FOUND),
        ("", RejectReason.REWARD_NOT_FOUND),
        (ANA_CODE, RejectReason.NOT_ALLOWED),
        ("BURNED-1", RejectReason.ALREADY_USED),
    ],
)
def test_a_code_that_cannot_be_used_says_why(
    provider: WhiteLabelProvider,
    vendor: WhiteLabel,
    mia: str,
    shown_voucher: Json,
    code: str,
    reason: RejectReason,
) -> None:
    vendor.state.give(mia, vendor.state.reward_named("$5 off"), code="BURNED-1")["burnedAt"] = "2025-01-01"
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(mia, code)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "code", ["promo-mia10", "PROMO MIA10", "promomia10", "\N{EN DASH}".join(["Promo", "Mia10"])]
)
def test_a_code_of_the_members_own_is_found_in_every_spelling(
    provider: WhiteLabelProvider, mia: str, shown_voucher: Json, code: str
) -> None:
    found = provider.find_voucher(mia, code)
    assert (found.voucher_id, found.code) == (shown_voucher["id"], "Promo-Mia10")


def test_a_code_that_is_on_no_list_is_found_in_capitals(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, ana: str
) -> None:
    vendor.state.give(ana, vendor.state.reward_named("$5 off"), code="PROMO-4KT9WM")
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(mia, "promo-4kt9wm")
    assert caught.value.reason is RejectReason.NOT_ALLOWED, "it is another member's, and no unknown one"


def test_another_members_voucher_is_never_used(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, ana: str
) -> None:
    theirs = next(row for row in vendor.state.benefits.values() if row["owner"]["id"] == ana)
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(mia, theirs["id"]))
    assert caught.value.reason is RejectReason.REWARD_NOT_FOUND
    assert not theirs["redeemedAt"]


def test_a_voucher_used_a_moment_ago_is_refused(
    provider: WhiteLabelProvider, mia: str, shown_voucher: Json
) -> None:
    provider.spend(voucher_intent(mia, shown_voucher["id"]))
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(mia, shown_voucher["id"], key="key-2"))
    assert caught.value.reason is RejectReason.ALREADY_USED


def test_an_expired_voucher_is_refused(provider: WhiteLabelProvider, mia: str, whole_voucher: Json) -> None:
    whole_voucher["expiresAt"] = "2020-01-01T00:00:00.000Z"
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(mia, whole_voucher["id"]))
    assert caught.value.reason is RejectReason.EXPIRED
    assert not whole_voucher["redeemedAt"]


def test_a_discount_that_changed_since_it_was_shown_is_not_burned(
    provider: WhiteLabelProvider, mia: str, shown_voucher: Json
) -> None:
    shown_voucher["reward"]["discounts"][0]["value"] = 300
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(mia, shown_voucher["id"]))
    assert caught.value.reason is RejectReason.PRICE_CHANGED
    assert not shown_voucher["burnedAt"]


def test_a_voucher_that_is_only_shown_is_used_by_redeeming_it(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    reward = {**vendor.state.reward_named("$10 off"), "codeType": "HUMAN"}
    benefit = vendor.state.give(mia, reward)
    intent = voucher_intent(mia, benefit["id"])
    spend = provider.spend(intent)
    assert benefit["redeemedAt"]
    assert provider.list_vouchers(mia) == ()
    assert provider.find_spend(intent).spend == spend


def test_a_voucher_that_was_used_by_redeeming_it_is_not_called_whole_when_it_cannot_be_read(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    benefit = vendor.state.give(mia, {**vendor.state.reward_named("$10 off"), "codeType": "HUMAN"})
    intent, respond = voucher_intent(mia, benefit["id"]), vendor.respond

    def go_down_after_redeeming(request: Request) -> Response:
        response = respond(request)
        vendor.faults.is_down = request.path.endswith("redeem_benefit")
        return response

    monkeypatch.setattr(vendor, "respond", go_down_after_redeeming)
    with pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    vendor.faults.is_down = False
    assert provider.find_spend(intent).finding is Finding.HAPPENED


def test_a_used_voucher_cannot_be_given_back(
    provider: WhiteLabelProvider, mia: str, whole_voucher: Json
) -> None:
    spend = provider.spend(voucher_intent(mia, whole_voucher["id"]))
    assert spend.kind is SpendKind.VOUCHER
    with pytest.raises(Unsupported):
        provider.release(spend)
    with pytest.raises(Unsupported):
        provider.release_part(spend, 1, "return-1")


def test_a_burn_whose_answer_was_lost_happened_and_is_not_repeated(
    provider: WhiteLabelProvider, mia: str, shown_voucher: Json, lose_answers: LoseAnswers
) -> None:
    intent = voucher_intent(mia, shown_voucher["id"])
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    found = provider.find_spend(intent)
    assert found.finding is Finding.HAPPENED
    assert found.spend is not None
    assert found.spend.provider_ref == shown_voucher["id"]
    assert provider.spend(intent) == found.spend


def test_a_redemption_whose_answer_was_lost_leaves_the_voucher_to_be_used_again(
    provider: WhiteLabelProvider, mia: str, whole_voucher: Json, lose_answers: LoseAnswers, later: None
) -> None:
    intent = voucher_intent(mia, whole_voucher["id"])
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    assert provider.find_spend(intent).finding is Finding.DID_NOT
    assert whole_voucher["redeemedAt"]
    provider.spend(voucher_intent(mia, whole_voucher["id"], key="key-2"))
    assert whole_voucher["burnedAt"]


def test_a_vendor_that_is_down_leaves_the_voucher_whole(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, whole_voucher: Json
) -> None:
    provider.get_member(mia)
    vendor.faults.is_down = True
    with pytest.raises(Unavailable):
        provider.spend(voucher_intent(mia, whole_voucher["id"]))
    assert not whole_voucher["redeemedAt"]


def test_a_free_product_that_the_customer_chose_is_what_the_voucher_gives(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    """The page lets the customer choose which of several products is free."""
    reward = vendor.state.reward_named("Free canvas tote")
    reward["discounts"] = [discount("PERCENTAGE", 100, sku="TOTE-01,TOTE-02")]
    benefit = vendor.state.give(mia, reward)
    chosen = Discount(kind=DiscountKind.PRODUCT, skus=("TOTE-02",))
    provider.spend(intent(mia, SpendKind.VOUCHER, "key-1", benefit["id"], 0, chosen))
    assert benefit["burnedAt"]
