"""The contract of every loyalty provider, as one class of tests.

An adapter's test subclasses `ProviderContract`, names itself `Test...`, and overrides the fixtures below:
a provider against a fake of its vendor (or, for the house, a database), and a member, rewards and a voucher
that exist there. Tests of what the vendor cannot do skip themselves by its capabilities.
"""

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.apps import apps

from loyaltyview.webview import dataclass_json
from loyaltyview.webview.snapshots import Snapshot
from providers.base import Capability, LoyaltyProvider
from providers.currencies import decimals_of
from providers.errors import ProviderError, Rejected, RejectReason, Unsupported
from providers.journal.models import Write
from providers.sales import Finding, SpendIntent, SpendKind
from providers.types import (
    Cart,
    Consent,
    Consents,
    Discount,
    DiscountKind,
    LockReason,
    Member,
    MemberProfile,
    MemberQuery,
    Money,
    QueryKind,
    Reward,
    Voucher,
    WebhookRequest,
)
from tests.providers.contract_setup import (
    MakeOrder,
    any_spend,
    assert_types,
    erase_member,
    forget_old,
    make_intent,
    make_return,
    need,
)
from tests.providers.history_contract import HistoryContract

LOOKUPS = {
    Capability.EMAIL_LOOKUP: QueryKind.EMAIL,
    Capability.PHONE_LOOKUP: QueryKind.PHONE,
    Capability.CODE_LOOKUP: QueryKind.CODE,
}
# The method that does what a capability says.
METHODS = {
    Capability.HISTORY: "get_history",
    Capability.STORES: "list_stores",
    Capability.ENROL: "enrol",
    Capability.CONSENT_CHANGE: "change_consents",
    Capability.WEBHOOKS: "parse_webhook",
    Capability.EARN_PREVIEW: "preview_earn",
    Capability.PARTIAL_RELEASE: "release_part",
}


# How people write a number or code that they read or hear: the same one in each spelling.
FULL_WIDTH = {number: chr(number + 0xFEE0) for number in range(0x21, 0x7F)}
CYRILLIC = str.maketrans(
    "ACEOPXaceopx", "\u0410\u0421\u0415\u041e\u0420\u0425\u0430\u0441\u0435\u043e\u0440\u0445"
)
SPELLINGS: dict[str, Callable[[str], str]] = {
    "small letters": str.lower,
    "capitals": str.upper,
    "blanks inside": lambda code: f" {code[:3]} {code[3:]}\u00a0",
    "another dash": lambda code: code.replace("-", "\u2013"),
    "full width": lambda code: code.translate(FULL_WIDTH),
    "another keyboard": lambda code: code.translate(CYRILLIC),
    "an apostrophe": lambda code: f"{code}\u2019",
}


class ProviderContract(HistoryContract):
    # --- Members ----------------------------------------------------------------------------------

    @pytest.mark.parametrize("capability", LOOKUPS)
    def test_a_member_is_found_by_exactly_what_identifies_them(
        self, provider: LoyaltyProvider, member: Member, code: str, capability: Capability
    ) -> None:
        need(provider, capability)
        kind = LOOKUPS[capability]
        value = {QueryKind.EMAIL: member.email, QueryKind.PHONE: member.phone, QueryKind.CODE: code}[kind]
        assert value, "the contract's member needs this"
        found = provider.find_members(MemberQuery(kind=kind, value=value))
        assert [hit.ref for hit in found] == [member.ref]
        assert_types(found)

    @pytest.mark.parametrize("capability", LOOKUPS)
    def test_a_near_match_finds_no_member(
        self, provider: LoyaltyProvider, member: Member, code: str, capability: Capability
    ) -> None:
        need(provider, capability)
        kind = LOOKUPS[capability]
        value = {QueryKind.EMAIL: member.email, QueryKind.PHONE: member.phone, QueryKind.CODE: code}[kind]
        for near in (value[:-1], value[1:], value + "0", "%", ""):
            assert provider.find_members(MemberQuery(kind=kind, value=near)) == ()

    def test_a_number_typed_by_hand_finds_its_member(
        self, provider: LoyaltyProvider, member: Member, code: str
    ) -> None:
        need(provider, Capability.CODE_LOOKUP)
        for typed in {spell(code) for spell in SPELLINGS.values()} - {code}:
            found = provider.find_members(MemberQuery(kind=QueryKind.CODE, value=typed))
            assert [hit.ref for hit in found] == [member.ref], f"{typed} is not found"

    def test_a_voucher_code_typed_by_hand_finds_its_voucher(
        self, provider: LoyaltyProvider, member: Member, voucher: Voucher
    ) -> None:
        if not voucher.code:
            pytest.skip("its vouchers have no codes")
        for typed in {spell(voucher.code) for spell in SPELLINGS.values()} - {voucher.code}:
            assert provider.find_voucher(member.ref, typed).voucher_id == voucher.voucher_id, typed

    def test_a_member_has_the_promised_types(self, member: Member, member_ref: str) -> None:
        assert_types(member)
        assert member.ref == member_ref

    def test_a_snapshot_of_a_page_is_read_back_exactly(
        self, provider: LoyaltyProvider, member: Member, cart: Cart
    ) -> None:
        snapshot = Snapshot(
            balance=member.balance,
            tier=member.tier,
            rewards=provider.list_rewards(member.ref, cart),
            vouchers=provider.list_vouchers(member.ref),
            earn=None,
            cart=cart,
        )
        text = dataclass_json.dump(snapshot)
        assert dataclass_json.load(Snapshot, text) == snapshot
        for personal in filter(None, (member.email, member.phone, member.last_name)):
            assert personal not in text

    def test_an_unknown_member_is_rejected(self, provider: LoyaltyProvider) -> None:
        with pytest.raises(Rejected) as caught:
            provider.get_member("unknown-0000")
        assert caught.value.reason is RejectReason.MEMBER_NOT_FOUND

    def test_tiers_say_how_far_the_next_one_is(self, provider: LoyaltyProvider, member: Member) -> None:
        need(provider, Capability.TIERS)
        tier = member.tier
        assert tier is not None
        assert tier.name
        if tier.next_name:
            assert tier.threshold <= tier.progress < tier.next_threshold

    def test_enrolling_twice_gives_one_member(
        self, provider: LoyaltyProvider, stranger: MemberProfile
    ) -> None:
        need(provider, Capability.ENROL)
        consents = Consents(email=Consent.YES, sms=Consent.NO)
        first = provider.enrol(stranger, consents)
        again = provider.enrol(stranger, Consents())
        assert first.ref == again.ref
        assert first.email == stranger.email
        assert_types(first)
        if Capability.CONSENT_EMAIL in provider.capabilities:
            assert again.consents.email is Consent.YES
        if Capability.CONSENT_SMS in provider.capabilities:
            assert again.consents.sms is Consent.NO

    # --- Rewards and vouchers ---------------------------------------------------------------------

    def test_rewards_have_the_promised_types(self, rewards: dict[str, Reward]) -> None:
        assert_types(tuple(rewards.values()))

    def test_an_affordable_reward_is_not_locked(self, reward: Reward, member: Member) -> None:
        assert reward.lock is None
        assert reward.points <= member.balance.spendable

    def test_an_unaffordable_reward_is_locked_with_the_exact_gap(
        self, costly_reward: Reward, member: Member
    ) -> None:
        assert costly_reward.lock is not None, "a reward that the member cannot pay has no lock"
        assert costly_reward.lock.reason is LockReason.POINTS
        assert costly_reward.lock.points_gap == costly_reward.points - member.balance.spendable

    def test_a_final_reward_says_so_before_the_tap(
        self, provider: LoyaltyProvider, rewards: dict[str, Reward]
    ) -> None:
        if Capability.RELEASE_POINTS not in provider.capabilities:
            assert all(reward.is_final for reward in rewards.values())

    def test_amounts_are_in_the_programs_currency_and_no_finer_than_it(
        self, provider: LoyaltyProvider, rewards: dict[str, Reward]
    ) -> None:
        for reward in rewards.values():
            assert_amounts(reward.discount, provider.config.currency)

    @pytest.mark.parametrize("currency", ["EUR", "JPY"])
    def test_a_program_of_another_currency_offers_no_amount_in_ours(
        self, provider: LoyaltyProvider, member: Member, cart: Cart, currency: str
    ) -> None:
        config = dataclasses.replace(provider.config, currency=currency)
        total = Money(amount=Decimal(80), currency=currency)
        for reward in type(provider)(config).list_rewards(member.ref, dataclasses.replace(cart, total=total)):
            assert_amounts(reward.discount, currency)
            if reward.points_range:
                assert reward.points_range.value_per_point.currency == currency

    def test_vouchers_have_the_promised_types(self, voucher: Voucher) -> None:
        assert_types(voucher)

    # --- Spending ---------------------------------------------------------------------------------

    def test_a_spend_takes_its_points_from_what_is_spendable(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent
    ) -> None:
        spend = provider.spend(intent)
        balance = provider.get_member(member.ref).balance
        assert balance.spendable == member.balance.spendable - intent.points
        assert (spend.key, spend.member_ref, spend.kind) == (intent.key, intent.member_ref, intent.kind)
        assert spend.points == intent.points
        assert spend.provider_ref
        assert_types(spend)

    def test_held_points_are_reserved_until_confirmed(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        make_order: MakeOrder,
        holds_rewards: bool,
    ) -> None:
        spend = provider.spend(intent)
        assert spend.is_held == holds_rewards
        if spend.is_held:
            assert provider.get_member(member.ref).balance.reserved == intent.points
        provider.confirm(spend, make_order(spends=(spend,)))
        balance = provider.get_member(member.ref).balance
        assert balance.reserved == 0
        assert balance.spendable == member.balance.spendable - intent.points

    def test_confirming_may_be_repeated(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        spend = provider.spend(intent)
        for _ in range(3):
            provider.confirm(spend, make_order(spends=(spend,)))
        assert provider.get_member(member.ref).balance.spendable == member.balance.spendable - intent.points

    def test_a_spend_that_happened_is_found_as_it_was(
        self, provider: LoyaltyProvider, intent: SpendIntent
    ) -> None:
        spend = provider.spend(intent)
        found = provider.find_spend(intent)
        assert found.finding is Finding.HAPPENED
        assert found.spend == spend
        assert_types(found)

    def test_a_spend_never_sent_is_not_found(self, provider: LoyaltyProvider, intent: SpendIntent) -> None:
        found = provider.find_spend(intent)
        assert found.finding in (Finding.DID_NOT, Finding.CANNOT_TELL)
        assert found.spend is None

    def test_released_points_are_spendable_again_once(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent
    ) -> None:
        need(provider, Capability.RELEASE_POINTS)
        spend = provider.spend(intent)
        for _ in range(3):
            provider.release(spend)
        balance = provider.get_member(member.ref).balance
        assert balance.spendable == member.balance.spendable
        assert balance.reserved == 0

    def test_points_of_a_confirmed_spend_are_given_back_once(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.RELEASE_POINTS)
        spend = provider.spend(intent)
        provider.confirm(spend, make_order(spends=(spend,)))
        for _ in range(2):
            provider.release(spend)
        assert provider.get_member(member.ref).balance.spendable == member.balance.spendable

    def test_parts_of_a_confirmed_spend_are_given_back_once_and_release_gives_the_rest(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.PARTIAL_RELEASE)
        spend = provider.spend(intent)
        with pytest.raises(Rejected):
            provider.release_part(spend, 1, "too-early")
        provider.confirm(spend, make_order(spends=(spend,)))
        for _ in range(2):
            provider.release_part(spend, 3, "return-1")
            provider.release_part(spend, 4, "return-2")
        spent = member.balance.spendable - intent.points
        assert provider.get_member(member.ref).balance.spendable == spent + 7
        provider.release_part(spend, intent.points, "return-3")
        for _ in range(2):
            provider.release(spend)
        assert provider.get_member(member.ref).balance.spendable == member.balance.spendable

    def test_too_few_points_are_rejected_and_change_nothing(
        self,
        provider: LoyaltyProvider,
        member: Member,
        costly_reward: Reward,
        cart: Cart,
        keys: Iterator[str],
    ) -> None:
        intent = make_intent(next(keys), member, cart, SpendKind.REWARD, costly_reward)
        with pytest.raises(Rejected) as caught:
            provider.spend(intent)
        assert caught.value.reason is RejectReason.INSUFFICIENT_POINTS
        assert provider.get_member(member.ref).balance == member.balance
        assert provider.find_spend(intent).finding is not Finding.HAPPENED

    def test_a_used_voucher_is_no_longer_listed(
        self, provider: LoyaltyProvider, member: Member, voucher_intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        spend = provider.spend(voucher_intent)
        provider.confirm(spend, make_order(spends=(spend,)))
        assert voucher_intent.item_id not in {v.voucher_id for v in provider.list_vouchers(member.ref)}
        assert provider.get_member(member.ref).balance.spendable == member.balance.spendable

    def test_a_released_voucher_is_listed_again(
        self, provider: LoyaltyProvider, member: Member, voucher_intent: SpendIntent
    ) -> None:
        need(provider, Capability.RELEASE_VOUCHER)
        spend = provider.spend(voucher_intent)
        for _ in range(2):
            provider.release(spend)
        assert voucher_intent.item_id in {v.voucher_id for v in provider.list_vouchers(member.ref)}

    def test_an_always_on_offer_takes_nothing_and_is_not_used_up(
        self,
        provider: LoyaltyProvider,
        member: Member,
        cart: Cart,
        keys: Iterator[str],
        make_order: MakeOrder,
    ) -> None:
        offer = next((each for each in provider.list_vouchers(member.ref) if each.is_offer), None)
        if offer is None:
            pytest.skip(f"{provider.kind} has no offers that are always on")
        assert_types(offer)
        assert not offer.is_final
        first, second = (make_intent(next(keys), member, cart, SpendKind.OFFER, offer) for _ in range(2))
        spend = provider.spend(first)
        assert provider.find_spend(first).spend == spend
        for _ in range(2):
            provider.release(spend)
        spend = provider.spend(second)
        provider.confirm(spend, make_order(spends=(spend,)))
        assert offer in provider.list_vouchers(member.ref)
        assert provider.get_member(member.ref).balance == member.balance

    # --- Orders and returns -----------------------------------------------------------------------

    def test_the_preview_is_what_the_order_earns(
        self, provider: LoyaltyProvider, member: Member, cart: Cart, make_order: MakeOrder
    ) -> None:
        preview = provider.preview_earn(member.ref, cart)
        if Capability.EARN_PREVIEW not in provider.capabilities:
            assert preview is None
            return
        earned = provider.record_order(make_order(base=str(cart.total.amount))).points
        assert earned is None or preview == earned

    def test_an_order_earns_once(
        self, provider: LoyaltyProvider, member: Member, make_order: MakeOrder
    ) -> None:
        first = provider.record_order(make_order())
        again = provider.record_order(make_order())
        assert_types(first)
        assert first == again
        if first.points is not None:
            balance = provider.get_member(member.ref).balance
            earned = balance.spendable + balance.pending - member.balance.spendable - member.balance.pending
            assert earned == first.points >= 0

    def test_returns_take_back_what_was_earned_and_never_more(
        self, provider: LoyaltyProvider, member: Member, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.PARTIAL_RETURN)
        earned = provider.record_order(make_order(base="100.00")).points
        order = make_order(base="100.00")
        taken: list[int | None] = []
        for number, net in enumerate(("33.33", "33.33", "33.34", "33.34"), start=1):
            ret = make_return(order, f"return-{number}", net)
            taken.append(provider.record_return(ret).points)
            assert provider.record_return(ret).points == taken[-1], "a repeated return changes nothing"
        if earned is None:
            pytest.skip("this vendor decides later")
        points = [change for change in taken if change is not None]
        assert all(change <= 0 for change in points)
        assert sum(points) == -earned
        balance = provider.get_member(member.ref).balance
        assert balance.spendable + balance.pending == member.balance.spendable + member.balance.pending

    def test_a_cancelled_order_has_earned_nothing(
        self, provider: LoyaltyProvider, member: Member, make_order: MakeOrder
    ) -> None:
        earned = provider.record_order(make_order()).points
        for _ in range(2):
            change = provider.cancel_order(make_order())
            assert_types(change)
        if earned is not None:
            balance = provider.get_member(member.ref).balance
            kept = balance.spendable + balance.pending - member.balance.spendable - member.balance.pending
            assert kept == 0, "a cancelled order left points"

    def test_cancelling_an_unknown_order_changes_nothing(
        self, provider: LoyaltyProvider, member: Member, make_order: MakeOrder
    ) -> None:
        assert not provider.cancel_order(make_order("never-seen")).points
        assert provider.get_member(member.ref).balance == member.balance

    def test_a_sale_without_a_member_moves_no_points(
        self, provider: LoyaltyProvider, member: Member, make_order: MakeOrder
    ) -> None:
        need(provider, Capability.ANONYMOUS_SALES)
        order = dataclasses.replace(make_order(base="100.00"), member_ref="")
        for _ in range(2):
            assert not provider.record_order(order).points
            assert not provider.record_return(make_return(order, "return-1", "40.00")).points
            assert not provider.cancel_order(order).points
        assert provider.get_member(member.ref).balance == member.balance

    # --- The rest ---------------------------------------------------------------------------------

    def test_the_connection_check_names_the_account(self, provider: LoyaltyProvider) -> None:
        result = provider.check()
        assert result.account
        assert_types(result)

    def test_old_rows_are_deleted_and_no_balance_changes(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        now = datetime.now(UTC)
        buy(provider, intent, make_order)
        assert forget_old(provider, now - timedelta(days=1)) == 0
        before = provider.get_member(member.ref).balance
        forget_old(provider, now + timedelta(days=1))
        assert provider.get_member(member.ref).balance == before
        assert forget_old(provider, now + timedelta(days=1)) == 0

    def test_an_erased_member_is_named_by_no_row_of_ours(
        self, provider: LoyaltyProvider, member: Member, intent: SpendIntent, make_order: MakeOrder
    ) -> None:
        buy(provider, intent, make_order)
        assert erase_member(provider, "somebody else", "ERASED-0") == 0
        count = erase_member(provider, member.ref, "ERASED-1")
        texts = texts_in_tables(provider.kind)
        assert (count > 0) == ("ERASED-1" in texts)
        named = {value for value in (member.ref, member.member_id, member.email, member.phone) if value}
        assert not [text for text in texts if any(value in text for value in named)]
        assert erase_member(provider, member.ref, "ERASED-2") == 0

    def test_a_member_may_change_a_consent(self, provider: LoyaltyProvider, member: Member) -> None:
        need(provider, Capability.CONSENT_CHANGE)
        for answer in (Consent.YES, Consent.NO):
            changed = provider.change_consents(member.ref, Consents(email=answer))
            assert (changed.ref, changed.consents.email) == (member.ref, answer)
        provider.change_consents(member.ref, Consents())
        assert provider.get_member(member.ref).consents.email is Consent.NO

    def test_stores_have_the_promised_types(self, provider: LoyaltyProvider) -> None:
        need(provider, Capability.STORES)
        assert_types(provider.list_stores())

    @pytest.mark.parametrize(
        ("capability", "call"),
        [
            (Capability.HISTORY, lambda p: p.get_history("any")),
            (Capability.STORES, lambda p: p.list_stores()),
            (Capability.ENROL, lambda p: p.enrol(MemberProfile(email="any@example.test"), Consents())),
            (Capability.CONSENT_CHANGE, lambda p: p.change_consents("any", Consents())),
            (Capability.WEBHOOKS, lambda p: p.parse_webhook(WebhookRequest(headers={}, body=b"{}"))),
            (Capability.RELEASE_POINTS, lambda p: p.release(any_spend(SpendKind.REWARD))),
            (Capability.RELEASE_VOUCHER, lambda p: p.release(any_spend(SpendKind.VOUCHER))),
            (Capability.PARTIAL_RELEASE, lambda p: p.release_part(any_spend(SpendKind.REWARD), 1, "r-1")),
        ],
    )
    def test_methods_without_the_capability_are_unsupported(
        self,
        provider: LoyaltyProvider,
        capability: Capability,
        call: Callable[[LoyaltyProvider], object],
    ) -> None:
        if capability in provider.capabilities:
            pytest.skip(f"it can do {capability}")
        with pytest.raises(Unsupported):
            call(provider)

    @pytest.mark.parametrize("capability", METHODS)
    def test_capabilities_and_methods_agree(self, provider: LoyaltyProvider, capability: Capability) -> None:
        name = METHODS[capability]
        is_done = getattr(type(provider), name) is not getattr(LoyaltyProvider, name)
        assert is_done == (capability in provider.capabilities), f"{name} and {capability} do not agree"

    def test_shown_data_of_members_and_rewards_is_declared(
        self, provider: LoyaltyProvider, member: Member, rewards: dict[str, Reward], cart: Cart
    ) -> None:
        shown = {
            Capability.TIERS: member.tier is not None,
            Capability.VARIABLE_POINTS: any(reward.points_range for reward in rewards.values()),
            Capability.EARN_PREVIEW: provider.preview_earn(member.ref, cart) is not None,
        }
        declared = {capability: capability in provider.capabilities for capability in shown}
        assert shown == declared
        if Capability.CONSENT_EMAIL not in provider.capabilities:
            assert member.consents.email is Consent.NOT_ASKED
        if Capability.CONSENT_SMS not in provider.capabilities:
            assert member.consents.sms is Consent.NOT_ASKED

    @pytest.mark.parametrize("capability", LOOKUPS)
    def test_undeclared_look_ups_make_no_call(
        self, provider: LoyaltyProvider, member: Member, code: str, capability: Capability
    ) -> None:
        if capability in provider.capabilities:
            pytest.skip(f"it has {capability}")
        kind = LOOKUPS[capability]
        value = {QueryKind.EMAIL: member.email, QueryKind.PHONE: member.phone, QueryKind.CODE: code}[kind]
        assert provider.find_members(MemberQuery(kind=kind, value=value or "+16175550100")) == (), "found"

    def test_a_part_of_an_order_is_not_taken_back_without_the_capability(
        self, provider: LoyaltyProvider, make_order: MakeOrder
    ) -> None:
        if Capability.PARTIAL_RETURN in provider.capabilities:
            pytest.skip("it can do partial_return")
        order = make_order(base="100.00")
        provider.record_order(order)
        with pytest.raises(Unsupported):
            provider.record_return(make_return(order, "return-1", "50.00"))

    def test_points_as_money_are_refused_where_the_vendor_has_none(
        self, provider: LoyaltyProvider, member: Member, cart: Cart, keys: Iterator[str]
    ) -> None:
        if Capability.VARIABLE_POINTS in provider.capabilities:
            pytest.skip("it can do variable points")
        discount = Discount(kind=DiscountKind.POINTS, amount=cart.total)
        reward = Reward(reward_id="points", title="Points", points=1, discount=discount)
        with pytest.raises(ProviderError) as caught:
            provider.spend(make_intent(next(keys), member, cart, SpendKind.POINTS, reward))
        assert isinstance(caught.value, Unsupported | Rejected)


def buy(provider: LoyaltyProvider, intent: SpendIntent, make_order: MakeOrder) -> None:
    """Spend, and let an order that carries it go its whole way."""
    spend = provider.spend(intent)
    order = make_order(spends=(spend,))
    provider.confirm(spend, order)
    provider.record_order(order)


def assert_amounts(discount: Discount, currency: str) -> None:
    """Fail unless every amount of `discount` can be paid in `currency`."""
    for money in (discount.amount, discount.minimum):
        if money is not None:
            assert money.currency == currency, "an amount in another currency than the program's"
            finest = Decimal(1).scaleb(-decimals_of(currency))
            assert money.amount == money.amount.quantize(finest), "an amount finer than its currency"
            assert money.amount > 0


def texts_in_tables(kind: str) -> set[str]:
    """Return every text in the adapter's tables, and in its rows of the journal. Times are left out: their
    digits may be those of a member number."""
    config = next((config for config in apps.get_app_configs() if config.name == f"providers.{kind}"), None)
    rows = [row for model in config.get_models() for row in model._base_manager.values()] if config else []
    rows += [dict(row) for row in Write.objects.filter(vendor=kind).values()]
    return {str(value) for row in rows for value in row.values() if not isinstance(value, datetime)}
