"""What a page read of a member, kept for a day: the next launch paints it with its age while the vendor is
asked, and a page without the vendor shows its balance. See docs/decisions/0055.

One row for each program and member, sealed, without name and contact. A snapshot from before the member's
last change (`providers.outbound.sharing`) is not shown.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import structlog
from django.db.models import Q

from loyaltyview.ops.database import best_effort
from loyaltyview.ops.encrypted import CredentialsUnreadable
from loyaltyview.programs.models import Program
from loyaltyview.webview import dataclass_json
from loyaltyview.webview.models import Launch, MemberSnapshot
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import put, select
from providers.base import LoyaltyProvider
from providers.outbound import behind, sharing
from providers.retention import delete_in_steps
from providers.types import Balance, Cart, Member, Reward, Tier, Voucher

log = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=1)
# How long the lists hold for a member whose own record is as it was.
LISTS_HOLD_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was read. `cart` is the one that the lists and `earn` were read for. `version` is raised when an
    older release must not read what this one writes."""

    balance: Balance
    tier: Tier | None
    rewards: tuple[Reward, ...]
    vouchers: tuple[Voucher, ...]
    earn: int | None
    cart: Cart
    version: Literal[1] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A snapshot and when it was read."""

    snapshot: Snapshot
    read_at: datetime

    def is_for(self, provider: LoyaltyProvider, cart: Cart) -> bool:
        """Return whether the lists are those of `cart`: at some vendors its goods decide, too."""
        return self.earns_as(cart) if provider.lists_follow_cart else self.snapshot.cart.store == cart.store

    def earns_as(self, cart: Cart) -> bool:
        """Return whether `cart` has the same goods in the same store, so that it earns the same."""
        return _goods(self.snapshot.cart) == _goods(cart)

    def holds_for(self, launch: Launch) -> bool:
        """Return whether the lists need not be read again while the member's record is as it was: they were
        read for an earlier launch, some minutes ago at most. Who loads a page again wants news."""
        return clock.now() - LISTS_HOLD_FOR < self.read_at < launch.created_at

    def is_of(self, member: Member) -> bool:
        """Return whether the member's points and tier are as they were."""
        return (self.snapshot.balance, self.snapshot.tier) == (member.balance, member.tier)

    def usable_vouchers(self) -> tuple[Voucher, ...]:
        """Return the vouchers without those that have expired since."""
        now = clock.now()
        vouchers = self.snapshot.vouchers
        return tuple(each for each in vouchers if each.expires_at is None or each.expires_at > now)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """When reads began, and after which change of the member."""

    at: datetime
    change: str


def start(launch: Launch) -> Start:
    """Return the moment before the reads for a snapshot begin."""
    return Start(at=clock.now(), change=sharing.change_of(launch.program.slug, launch.member_ref))


def load(program: Program, ref: str, change: str) -> Known | None:
    """Return the member's snapshot; None without one, for one too old or from before the last `change`, and
    for one in a format that this release does not know."""
    mine = {"program": program.pk, "member_ref": ref}
    try:
        row = next(iter(select(MemberSnapshot, mine, order_by="id", limit=1)), None)
        if row is None or row.change != change or row.read_at <= clock.now() - KEPT_FOR:
            return None
        return Known(snapshot=dataclass_json.load(Snapshot, row.content), read_at=row.read_at)
    except (ValueError, CredentialsUnreadable) as error:
        log.info("snapshot_ignored", error=type(error).__name__)
        return None


def of_member(launch: Launch) -> Known | None:
    """Return the snapshot of the launch's member; None for nothing."""
    ref = launch.member_ref
    return load(launch.program, ref, sharing.change_of(launch.program.slug, ref)) if ref else None


def known_ref(program: Program, customer_key: str, loyalty_id: str) -> str:
    """Return the member whom the same customer's last launch within a day found; "" for none, and where the
    provider is local. The vendor's answer must confirm them. A launch in which another member was chosen says
    nothing."""
    if not (customer_key or loyalty_id) or program.provider().is_local:
        return ""
    # Each has its index; SQLite uses that of the loyalty id only where its condition is repeated.
    whose = Q(customer_key=customer_key) if customer_key else Q(loyalty_id=loyalty_id) & ~Q(loyalty_id="")
    found = (
        Launch.objects.filter(
            whose,
            program=program,
            created_at__gt=clock.now() - KEPT_FOR,
            is_customer=True,
            is_member_assumed=False,
        )
        .order_by("-created_at")
        .values_list("member_ref", "loyalty_id")
        .first()
    )
    # The first launch may have had no loyalty id yet: the page wrote it into the customer's profile.
    is_same = found and (not loyalty_id or found[1] in ("", loyalty_id))
    return str(found[0]) if found and is_same else ""


def keep(launch: Launch, start: Start, snapshot: Snapshot) -> None:
    """Keep what was read since `start` in place of what was kept of the member, behind the page. A change of
    the member meanwhile ends it: the row names the change before the reads."""
    behind.write(partial(_store, launch.program_id, launch.member_ref, start, snapshot))


def _store(program_id: int, ref: str, start: Start, snapshot: Snapshot) -> None:
    snapshot = replace(snapshot, cart=replace(snapshot.cart, cart_id=""))
    row = MemberSnapshot(
        program_id=program_id,
        member_ref=ref,
        read_at=start.at,
        change=start.change,
        content=dataclass_json.dump(snapshot),
    )
    with best_effort("the member's snapshot"):
        put(row, key=["program", "member_ref"], changes=["read_at", "change", "content"])


def purge_snapshots(before: datetime) -> int:
    """Delete snapshots that were read before that time; return how many. May be repeated."""
    return delete_in_steps(MemberSnapshot.objects.filter(read_at__lt=before))


def _goods(cart: Cart) -> tuple[object, ...]:
    items = sorted((item.product_id, item.price) for item in cart.items)
    return cart.store, cart.total, items
