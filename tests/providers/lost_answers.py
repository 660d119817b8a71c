"""The contract of every adapter that calls a vendor for lost answers, beside the `ProviderContract`.

The sandbox's server loses answers after the effect, loses requests, or carries them out late; and its clock
is wrong. An adapter's test subclasses `LostAnswersContract` and overrides `server`, too.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import Capability, LoyaltyProvider
from providers.errors import OutcomeUnknown, ProviderError, Rejected
from providers.sales import Finding, SpendIntent, SpendKind
from providers.types import Cart, Member, Reward
from tests.providers.contract_setup import MakeOrder, make_intent, make_return, need
from tests.providers.transcripts import LONG_AFTER, losing
from tests.providers.wrong_answers import WrongAnswersContract, total

# How far the vendor's clock is ahead of ours, in seconds.
CLOCKS_AHEAD_S = (-600, -90, -0.5, 90, 600)


class LostAnswersContract(WrongAnswersContract):
    # --- Fixtures to override ---------------------------------------------------------------------

    @pytest.fixture
    def server(self) -> Vendor:
        """The sandbox's server that the adapter calls."""
        raise NotImplementedError

    # --- Spends -----------------------------------------------------------------------------------

    @pytest.mark.parametrize("ahead_s", CLOCKS_AHEAD_S)
    def test_a_spend_whose_answer_was_lost_is_found_with_any_clock_of_the_vendor(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        happens_only_with_its_answer: bool,
        ahead_s: float,
    ) -> None:
        server.faults.clock_ahead_s = ahead_s
        spend_without_an_answer(provider, intent, server, withholds_answers=True)
        found = provider.find_spend(intent)
        if happens_only_with_its_answer:
            assert found.finding is Finding.DID_NOT
            assert provider.get_member(member.ref).balance == member.balance
            return
        assert found.finding is Finding.HAPPENED
        assert found.spend is not None
        assert found.spend.points == intent.points
        with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
            assert provider.find_spend(intent) == found
        assert provider.get_member(member.ref).balance.spendable == member.balance.spendable - intent.points

    @pytest.mark.parametrize("ahead_s", CLOCKS_AHEAD_S[::4])
    def test_points_as_money_whose_answer_was_lost_are_found_with_any_clock_of_the_vendor(
        self,
        provider: LoyaltyProvider,
        member: Member,
        rewards: dict[str, Reward],
        cart: Cart,
        keys: Iterator[str],
        server: Vendor,
        happens_only_with_its_answer: bool,
        ahead_s: float,
    ) -> None:
        need(provider, Capability.VARIABLE_POINTS)
        if happens_only_with_its_answer:
            pytest.skip("a lost answer is no spend here")
        reward, span = next((each, each.points_range) for each in rewards.values() if each.points_range)
        assert span is not None
        intent = make_intent(next(keys), member, cart, SpendKind.POINTS, reward, span.minimum)
        server.faults.clock_ahead_s = ahead_s
        spend_without_an_answer(provider, intent, server, withholds_answers=True)
        found = provider.find_spend(intent)
        assert found.finding is Finding.HAPPENED
        with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
            assert provider.find_spend(intent) == found
        spendable = provider.get_member(member.ref).balance.spendable
        assert spendable == member.balance.spendable - span.minimum

    @pytest.mark.parametrize("ahead_s", CLOCKS_AHEAD_S[::4])
    def test_a_voucher_whose_answer_was_lost_is_found_with_any_clock_of_the_vendor(
        self, provider: LoyaltyProvider, voucher_intent: SpendIntent, server: Vendor, ahead_s: float
    ) -> None:
        server.faults.clock_ahead_s = ahead_s
        spend_without_an_answer(provider, voucher_intent, server, withholds_answers=True)
        outcomes = []
        for later in (timedelta(), LONG_AFTER):
            with time_machine.travel(datetime.now(UTC) + later):
                outcomes.append(provider.find_spend(voucher_intent).finding)
        listed = {each.voucher_id for each in provider.list_vouchers(voucher_intent.member_ref)}
        is_used = voucher_intent.item_id not in listed
        # A voucher that was to be redeemed first, and then burned, may have got half-way: it is whole then.
        wanted = [Finding.HAPPENED] * 2 if is_used else [Finding.CANNOT_TELL, Finding.DID_NOT]
        assert outcomes == wanted

    @pytest.mark.parametrize("ahead_s", CLOCKS_AHEAD_S[::4])
    def test_a_spend_that_never_arrived_did_not_happen_and_only_later_is_that_certain(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        happens_only_with_its_answer: bool,
        ahead_s: float,
    ) -> None:
        server.faults.clock_ahead_s = ahead_s
        spend_without_an_answer(provider, intent, server, loses_requests=True)
        if not happens_only_with_its_answer:
            assert provider.find_spend(intent).finding is Finding.CANNOT_TELL
        with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
            assert provider.find_spend(intent).finding is Finding.DID_NOT
            with pytest.raises(Rejected):
                provider.spend(intent)
        assert provider.get_member(member.ref).balance == member.balance

    def test_a_spend_that_arrives_after_we_looked_is_never_called_not_spent(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        happens_only_with_its_answer: bool,
    ) -> None:
        spend_without_an_answer(provider, intent, server, delays_requests=True)
        before = provider.find_spend(intent).finding
        server.act_late()
        after = provider.find_spend(intent).finding
        if happens_only_with_its_answer:
            assert (before, after) == (Finding.DID_NOT, Finding.DID_NOT)
            assert provider.get_member(member.ref).balance == member.balance
        else:
            assert (before, after) == (Finding.CANNOT_TELL, Finding.HAPPENED)

    def test_a_refusal_whose_answer_was_lost_is_no_spend(
        self,
        provider: LoyaltyProvider,
        member: Member,
        costly_reward: Reward,
        cart: Cart,
        keys: Iterator[str],
        server: Vendor,
    ) -> None:
        intent = make_intent(next(keys), member, cart, SpendKind.REWARD, costly_reward)
        with losing(server, withholds_answers=True), pytest.raises(ProviderError):
            provider.spend(intent)
        with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
            assert provider.find_spend(intent).finding is Finding.DID_NOT
        assert provider.get_member(member.ref).balance == member.balance

    def test_two_spends_of_one_reward_are_two_after_any_lost_answer(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        keys: Iterator[str],
        happens_only_with_its_answer: bool,
    ) -> None:
        if happens_only_with_its_answer:
            pytest.skip("a lost answer is no spend here")
        spend_without_an_answer(provider, intent, server, withholds_answers=True)
        other = dataclasses.replace(intent, key=next(keys))
        known = provider.spend(other)
        found = provider.find_spend(intent)
        assert found.spend is not None
        assert found.spend.provider_ref != known.provider_ref
        assert provider.find_spend(other).spend == known

    # --- Other writes -----------------------------------------------------------------------------

    @pytest.mark.parametrize("fault", ["withholds_answers", "delays_requests"])
    def test_points_are_given_back_once_after_any_lost_answer(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, server: Vendor, fault: str
    ) -> None:
        need(provider, Capability.RELEASE_POINTS)
        spend = provider.spend(intent)
        lose(server, fault, lambda: provider.release(spend))
        assert provider.get_member(member.ref).balance == member.balance

    @pytest.mark.parametrize("fault", ["withholds_answers", "delays_requests"])
    def test_a_part_is_given_back_once_after_any_lost_answer(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        make_order: MakeOrder,
        fault: str,
    ) -> None:
        need(provider, Capability.PARTIAL_RELEASE)
        spend = provider.spend(intent)
        provider.confirm(spend, make_order(spends=(spend,)))
        lose(server, fault, lambda: provider.release_part(spend, 7, "return-1"))
        spendable = provider.get_member(member.ref).balance.spendable
        assert spendable == member.balance.spendable - intent.points + 7

    def test_an_order_that_arrives_after_its_cancellation_has_earned_nothing(
        self,
        provider: LoyaltyProvider,
        member: Member,
        server: Vendor,
        make_order: MakeOrder,
    ) -> None:
        order = make_order()
        with losing(server, delays_requests=True), suppress(ProviderError):
            provider.record_order(order)
        try:
            provider.cancel_order(order)
        except ProviderError:
            server.act_late()
            with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
                provider.cancel_order(order)
        else:  # the answer says that it is done, so it is not cancelled again
            server.act_late()
        assert total(provider.get_member(member.ref).balance) == total(member.balance)

    @pytest.mark.parametrize("fault", ["withholds_answers", "delays_requests"])
    def test_an_order_and_its_return_count_once_after_any_lost_answer(
        self, provider: LoyaltyProvider, member: Member, server: Vendor, make_order: MakeOrder, fault: str
    ) -> None:
        order = make_order(base="100.00")
        lose(server, fault, lambda: provider.record_order(order))
        earned = provider.get_member(member.ref).balance
        if provider.record_order(order).points is not None:
            assert total(earned) > total(member.balance)
        if Capability.PARTIAL_RETURN in provider.capabilities:
            ret = make_return(order, "return-1", "50.00")
            lose(server, fault, lambda: provider.record_return(ret))
            half = total(provider.get_member(member.ref).balance) - total(member.balance)
            assert abs(2 * half - (total(earned) - total(member.balance))) <= 2
        lose(server, fault, lambda: provider.cancel_order(order))
        if provider.record_order(order).points is not None:
            assert total(provider.get_member(member.ref).balance) == total(member.balance)


def spend_without_an_answer(
    provider: LoyaltyProvider, intent: SpendIntent, server: Vendor, **faults: bool
) -> None:
    """Spend with these faults; the answer does not arrive."""
    with losing(server, **faults), pytest.raises(OutcomeUnknown):
        provider.spend(intent)


def lose(server: Vendor, fault: str, write: Callable[[], object]) -> None:
    """Make a write with this fault, repeat it at once and long after, until it is known to be done."""
    for _ in range(4):
        with losing(server, **{fault: True}), suppress(ProviderError):
            write()
        with suppress(ProviderError):
            write()
        server.act_late()
    with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
        write()
    server.act_late()
