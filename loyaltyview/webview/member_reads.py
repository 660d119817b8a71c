"""The reads of a page about its launch's member: begun with the launch, and as few as the member's snapshot
allows. See docs/decisions/0055 and 0056."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from loyaltyview.webview import snapshots
from loyaltyview.webview.member_data import MemberData, verified
from loyaltyview.webview.models import Launch
from loyaltyview.webview.vendor_calls import ask, begin
from providers.base import Capability, LoyaltyProvider
from providers.errors import ProviderError
from providers.outbound.parallel import Result
from providers.types import Cart, Member


@dataclass(frozen=True, slots=True, kw_only=True)
class _Began:
    """With which snapshot the reads began: `held` has the lists that need not be read again."""

    start: snapshots.Start
    held: snapshots.Known | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReads:
    """`cart` is the one to judge, `earning_cart` the one as its order will earn on it, None where no points
    can be promised. `known` is the member's snapshot for this cart."""

    launch: Launch
    provider: LoyaltyProvider
    cart: Cart
    earning_cart: Cart | None
    known: snapshots.Known | None
    start: snapshots.Start | None

    @classmethod
    def of(
        cls, launch: Launch, provider: LoyaltyProvider, cart: Cart, earning_cart: Cart | None
    ) -> "MemberReads":
        """Return the reads of the launch's member. Two statements; none where the provider is local."""
        known = start = None
        if not provider.is_local:
            start = snapshots.start(launch)
            known = snapshots.load(launch.program, launch.member_ref, start.change)
            known = known if known and known.is_for(provider, cart) else None
        return cls(
            launch=launch,
            provider=provider,
            cart=cart,
            earning_cart=earning_cart,
            known=known,
            start=start,
        )

    def begin(self) -> None:
        """Start the calls in the background: the page that follows picks them up."""
        calls, count = self._calls(is_news=False)
        ref = self.launch.member_ref
        begin(self.launch, self.provider, ref, calls, member=ref, count=count)

    def read(self, *, patience_s: float, is_last: bool, is_news: bool = False) -> MemberData | None:
        """Return everything about the member; None when the vendor is not done yet. `is_news`: the page says
        what a tap came to, so nothing of the snapshot will do. Keeps a snapshot of what was read.
        Raises ProviderError when not even the member could be read."""
        calls, count = self._calls(is_news=is_news)
        answers = ask(
            self.launch,
            self.provider,
            self.launch.member_ref,
            calls,
            patience_s=patience_s,
            is_last=is_last,
            member=self.launch.member_ref,
            count=count,
            is_spare=self.known is not None and not is_news,
        )
        return None if answers is None else self._data(answers)

    def painted(self) -> MemberData | None:
        """Return what the snapshot shows while the vendor is asked; None without one."""
        if self.known is None:
            return None
        kept, launch = self.known.snapshot, self.launch
        mine = {"member_id": launch.loyalty_id, "email": launch.customer_email} if launch.is_customer else {}
        return MemberData(
            member=Member(
                ref=launch.member_ref, balance=kept.balance, tier=kept.tier, **{"member_id": "", **mine}
            ),
            rewards=kept.rewards,
            vouchers=self.known.usable_vouchers(),
            earn=kept.earn if self.known.earns_as(self.cart) else None,
            trouble=None,
            as_of=self.known.read_at,
            is_live=False,
        )

    def _calls(self, *, is_news: bool) -> tuple[dict[str, Callable[[], Any]], int]:
        """Return the calls, and how many of them reach the vendor: 0 for all that a page makes. While the
        member's own record is as it was, the lists of the snapshot hold."""
        ref, provider, cart, earning_cart = (
            self.launch.member_ref,
            self.provider,
            self.cart,
            self.earning_cart,
        )
        known = self.known
        held = known if known and known.holds_for(self.launch) and not is_news else None
        member = _once(lambda: provider.get_member(ref))

        def unless_held(name: str, read: Callable[[], Any], *, is_same: bool = True) -> Callable[[], Any]:
            if held is None or not is_same:
                return read
            return lambda: getattr(held.snapshot, name) if held.is_of(member()) else read()

        calls = {
            "member": member,
            "rewards": unless_held("rewards", lambda: provider.list_rewards(ref, cart)),
            "vouchers": unless_held("vouchers", lambda: provider.list_vouchers(ref)),
        }
        if Capability.EARN_PREVIEW in provider.capabilities and earning_cart:
            is_same = held is not None and held.earns_as(cart)
            calls["earn"] = unless_held(
                "earn", lambda: provider.preview_earn(ref, earning_cart), is_same=is_same
            )
        if self.start:
            began = _Began(start=self.start, held=held)
            calls["began"] = lambda: began
        return calls, 1 if held else 0

    def _data(self, answers: dict[str, Result[Any]]) -> MemberData:
        earn, began = answers.get("earn"), answers.get("began")
        data = MemberData(
            member=verified(self.launch, answers["member"].get()),
            rewards=answers["rewards"].value or (),
            vouchers=answers["vouchers"].value or (),
            earn=earn.value if earn else None,
            trouble=answers["rewards"].error or answers["vouchers"].error,
        )
        if began is None or data.trouble:
            return data
        return self._kept(began.get(), data)

    def _kept(self, began: _Began, data: MemberData) -> MemberData:
        """Return `data` with the age of lists from a snapshot; keep one of lists that were read."""
        held = began.held
        if held and held.is_of(data.member):
            return replace(data, vouchers=held.usable_vouchers(), as_of=held.read_at)
        snapshot = snapshots.Snapshot(
            balance=data.member.balance,
            tier=data.member.tier,
            rewards=data.rewards,
            vouchers=data.vouchers,
            earn=data.earn,
            cart=self.cart,
        )
        snapshots.keep(self.launch, began.start, snapshot)
        return data


def _once(read: Callable[[], Member]) -> Callable[[], Member]:
    """Return a function that reads one time, whichever thread calls it first, and gives all the result."""
    lock = threading.Lock()
    results: list[Result[Member]] = []

    def get() -> Member:
        with lock:
            if not results:
                try:
                    results.append(Result(value=read()))
                except ProviderError as error:
                    results.append(Result(error=error))
        return results[0].get()

    return get
