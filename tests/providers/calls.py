"""Makes the calls of a page and of a tap, in the order of the pages (`loyaltyview.webview.member_data`)."""

from dataclasses import replace
from typing import Any

from providers.base import Capability, LoyaltyProvider
from providers.outbound import sharing
from providers.sales import SpendIntent
from providers.types import Cart, MemberQuery, QueryKind, Reward

Calls = list[str]


def open_page(provider: LoyaltyProvider, email: str, cart: Cart) -> tuple[str, tuple[Reward, ...]]:
    """Make the reads of a launch's first page; return the member's ref and the rewards."""
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
    """Make the calls of a tap on `reward`: judge it by the member and the rewards, then spend."""
    with sharing.sharing(provider.config.program, intent.member_ref, max_age_s=sharing.TAP_S):
        assert provider.get_member(intent.member_ref).balance.spendable >= reward.points
        assert reward in provider.list_rewards(intent.member_ref, intent.cart)
    spent = replace(intent, item_id=reward.reward_id, points=reward.points, discount=reward.discount)
    return provider.spend(spent)
