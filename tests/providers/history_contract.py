"""The part of the `ProviderContract` about the points history."""

from datetime import UTC, datetime, timedelta

import time_machine

from providers.base import Capability, LoyaltyProvider
from providers.movements import MovementKind
from providers.sales import SpendIntent
from providers.types import Member
from tests.providers.contract_setup import ContractFixtures, MakeOrder, assert_types, need


class HistoryContract(ContractFixtures):
    def test_history_is_newest_first_and_in_words(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.HISTORY)
        provider.record_order(make_order())
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
            provider.spend(intent)
        history = provider.get_history(member.ref).movements
        assert_types(history)
        assert len(history) <= 50
        assert len({line.at for line in history}) > 1, "the contract's member needs a history"
        times = [line.at for line in history]
        assert times == sorted(times, reverse=True), "the history does not begin with the newest line"
        assert all(line.text for line in history)

    def test_history_names_our_redemption_and_follows_the_balance(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent
    ) -> None:
        need(provider, Capability.HISTORY)
        provider.spend(intent)
        history = provider.get_history(member.ref)
        mine = [line for line in history.movements if line.spend_key == intent.key]
        assert [line.kind for line in mine] == [MovementKind.REDEMPTION]
        assert -mine[0].points == intent.points
        balance = provider.get_member(member.ref).balance.spendable
        assert history.points_after in (None, balance), "the balance of the history is not the member's"

    def test_history_goes_on_where_a_page_ends(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.HISTORY)
        provider.record_order(make_order())
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
            provider.spend(intent)
        whole = provider.get_history(member.ref).movements
        first = provider.get_history(member.ref, None, 1)
        assert (first.movements, first.has_older) == (whole[:1], True)
        rest = [line for line in whole if line.at < whole[0].at]
        assert provider.get_history(member.ref, rest[0].at).movements == tuple(rest)
