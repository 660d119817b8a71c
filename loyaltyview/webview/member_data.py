"""What the pages read from the vendor: members, rewards, vouchers, history.

How the vendor is called, and how long a page waits, is in `vendor_calls`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyaltyview.webview.members import is_customer_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.vendor_calls import ask, begin, call_now, shared
from providers.base import Capability, LoyaltyProvider
from providers.errors import ProviderError, Rejected, RejectReason, Unsupported
from providers.movements import History
from providers.outbound import sharing
from providers.sales import SpendKind
from providers.texts import scanned_as
from providers.types import Cart, Member, MemberQuery, QueryKind, Reward, Voucher

CUSTOMER = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberData:
    """What the page shows. `trouble` is what kept rewards or vouchers away, None when all is there. `as_of`
    is when the lists were read, None for just now; unless `is_live`, the member's own record is as old."""

    member: Member
    rewards: tuple[Reward, ...]
    vouchers: tuple[Voucher, ...]
    earn: int | None
    trouble: ProviderError | None
    as_of: datetime | None = None
    is_live: bool = True


def find_customer(
    launch: Launch, provider: LoyaltyProvider, *, patience_s: float, is_last: bool
) -> tuple[Member, ...] | None:
    """Return the members that the cart's customer may be; None when the vendor is not done yet.
    Raises ProviderError."""
    queries = _customer_queries(launch, provider)
    if not queries:
        return ()
    answers = ask(
        launch,
        provider,
        CUSTOMER,
        {"members": lambda: look_up(provider, queries)},
        patience_s=patience_s,
        is_last=is_last,
        member="",
    )
    return None if answers is None else answers["members"].get()


def begin_to_find_customer(launch: Launch, provider: LoyaltyProvider) -> None:
    """Start the look-up of the cart's customer: the page picks it up in `find_customer`."""
    if queries := _customer_queries(launch, provider):
        begin(launch, provider, CUSTOMER, {"members": lambda: look_up(provider, queries)}, member="")


def verified(launch: Launch, member: Member) -> Member:
    """Return the launch's member. Raise Rejected(MEMBER_NOT_FOUND) for one who was assumed from an earlier
    launch, and who is not the cart's customer at the vendor now."""
    if launch.is_member_assumed and not is_customer_of(launch, member):
        raise Rejected(RejectReason.MEMBER_NOT_FOUND)
    return member


def read_profile(launch: Launch, provider: LoyaltyProvider) -> Member:
    """Return the launch's member, within the page's deadline. Raises ProviderError."""
    calls = {"member": lambda: provider.get_member(launch.member_ref)}
    with shared(launch, provider, sharing.PAGE_S):
        return verified(launch, call_now(provider, calls)["member"].get())


def read_history(launch: Launch, provider: LoyaltyProvider, until: datetime | None, limit: int) -> History:
    """Return the newest `limit` movements of the member at or before `until`. Raises ProviderError."""
    verify(launch, provider)
    calls = {"history": lambda: provider.get_history(launch.member_ref, until, limit)}
    history: History = call_now(provider, calls)["history"].get()
    return history


def read_voucher(launch: Launch, provider: LoyaltyProvider, code: str) -> Voucher:
    """Return the voucher with this code; looking uses nothing. Raises ProviderError."""
    verify(launch, provider)
    ref = launch.member_ref
    with shared(launch, provider, sharing.PAGE_S):
        answers = call_now(provider, {"voucher": lambda: _find_voucher(provider, ref, code)})
    voucher: Voucher = answers["voucher"].get()
    return voucher


def verify(launch: Launch, provider: LoyaltyProvider) -> None:
    """Ask who the member is, where no page of this launch has done so. Raises as `verified`."""
    if launch.is_member_assumed:
        read_profile(launch, provider)


def _find_voucher(provider: LoyaltyProvider, ref: str, code: str) -> Voucher:
    unknown = Rejected(RejectReason.REWARD_NOT_FOUND)
    for scanned in scanned_as(code):
        try:
            return provider.find_voucher(ref, scanned)
        except Rejected as error:
            unknown = error
            if error.reason is not RejectReason.REWARD_NOT_FOUND:
                raise
    raise unknown


def read_for_redeeming(
    launch: Launch, provider: LoyaltyProvider, cart: Cart, kind: SpendKind, code: str = ""
) -> MemberData:
    """Return the member and the list that holds what they want to redeem, as the page read them a moment ago
    or as they are now: the vendor judges the spend itself. A voucher that was found by its `code` is asked
    for by it: it may stand on no list.
    Raises ProviderError when either cannot be read."""
    ref = launch.member_ref
    calls: dict[str, Callable[[], Any]] = {"member": lambda: provider.get_member(ref)}
    if code:
        calls["vouchers"] = lambda: (provider.find_voucher(ref, code),)
    elif kind in (SpendKind.VOUCHER, SpendKind.OFFER):
        calls["vouchers"] = lambda: provider.list_vouchers(ref)
    else:
        calls["rewards"] = lambda: provider.list_rewards(ref, cart)
    with shared(launch, provider, sharing.TAP_S):
        answers = call_now(provider, calls, is_tap=True)
    return MemberData(
        member=verified(launch, answers["member"].get()),
        rewards=answers["rewards"].get() if "rewards" in answers else (),
        vouchers=answers["vouchers"].get() if "vouchers" in answers else (),
        earn=None,
        trouble=None,
    )


def look_up_now(provider: LoyaltyProvider, queries: tuple[MemberQuery, ...]) -> tuple[Member, ...]:
    """As `look_up`, within the page's deadline."""
    answers = call_now(provider, {"members": lambda: look_up(provider, queries)})
    members: tuple[Member, ...] = answers["members"].get()
    return members


def look_up(provider: LoyaltyProvider, queries: tuple[MemberQuery, ...]) -> tuple[Member, ...]:
    """Return the matches of the first query that has any. Raises ProviderError."""
    for query in queries:
        needed = LOOKUP_CAPABILITY.get(query.kind)
        if needed and needed not in provider.capabilities:
            continue
        if query.kind is QueryKind.CODE and provider.finds_codes_as_ids and _was_asked(query, queries):
            continue
        try:
            members = provider.find_members(query)
        except Unsupported:
            continue
        if members:
            return members
    return ()


def _was_asked(query: MemberQuery, queries: tuple[MemberQuery, ...]) -> bool:
    return any(each.kind is QueryKind.MEMBER_ID and each.value == query.value for each in queries)


# A look-up by member id is in the interface of every vendor.
LOOKUP_CAPABILITY = {
    QueryKind.EMAIL: Capability.EMAIL_LOOKUP,
    QueryKind.PHONE: Capability.PHONE_LOOKUP,
    QueryKind.CODE: Capability.CODE_LOOKUP,
}


def _customer_queries(launch: Launch, provider: LoyaltyProvider) -> tuple[MemberQuery, ...]:
    queries = []
    if launch.loyalty_id:
        queries.append(MemberQuery(kind=QueryKind.MEMBER_ID, value=launch.loyalty_id))
    if launch.customer_email and Capability.EMAIL_LOOKUP in provider.capabilities:
        queries.append(MemberQuery(kind=QueryKind.EMAIL, value=launch.customer_email.strip().lower()))
    return tuple(queries)
