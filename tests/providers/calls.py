"""How many calls a page and a tap make, as the pages make them (`loyaltyview.webview.member_data`)."""

from dataclasses import replace
from typing import Any

from providers.base import Capability, LoyaltyProvider
from providers.outbound import sharing
from providers.types import Cart, MemberQuery, QueryKind, Reward, SpendIntent

Calls = list[str]


def open_page(provider: LoyaltyProvider, email: str, cart: Cart) -> tuple[str, tuple[Reward, ...]]:
    """Do what the first page of a launch does; return the member's ref and the rewards."""
    program = provider.config.program
    with sharing.sharing(program, max_age_s=sharing.PAGE_S):
        (member,) = provider.find_members(MemberQuery(kind=QueryKind.EMAIL, value=email))
    with sharing.sharing(program, member.ref, max_age_s=sharing.PAGE_S):
        assert provider.get_member(member.ref) == member
        rewards = provider.list_rewards(member.ref, cart)
        provider.list_vouchers(member.ref)
        if Capability.EARN_PREVIEW in provider.capabilities:
            provider.preview_earn(member.ref, cart)
    return member.ref, rewards


def tap(provider: LoyaltyProvider, intent: SpendIntent, reward: Reward) -> Any:
    """Do what a tap on `reward` does: judge it by the member and the rewards, then spend."""
    with sharing.sharing(provider.config.program, intent.member_ref, max_age_s=sharing.TAP_S):
        assert provider.get_member(intent.member_ref).balance.spendable >= reward.points
        assert reward in provider.list_rewards(intent.member_ref, intent.cart)
    spent = replace(intent, item_id=reward.reward_id, points=reward.points, discount=reward.discount)
    return provider.spend(spent)
