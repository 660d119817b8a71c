"""What a page read of a member, kept for a day: the next launch paints it with its age while the vendor is
asked, and a page without the vendor shows its balance. See docs/decisions/0055.

One row for each program and member, sealed, without name and contact. A snapshot from before the member's
last change (`providers.outbound.sharing`) is not shown.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import structlog
from pydantic import TypeAdapter, ValidationError

from loyaltyview.ops.encrypted import CredentialsUnreadable
from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch, MemberSnapshot
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import select
from providers.base import LoyaltyProvider
from providers.outbound import sharing
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


_format = TypeAdapter(Snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A snapshot and when it was read."""

    snapshot: Snapshot
    read_at: datetime

    def is_for(self, provider: LoyaltyProvider, cart: Cart) -> bool:
        """Return whether the lists are those of `cart`: at some vendors its goods decide, too."""
        then = self.snapshot.cart
        return _goods(then) == _goods(cart) if provider.lists_follow_cart else then.store == cart.store

    def holds_for(self, launch: Launch) -> bool:
        """Return whether the lists need not be read again while the member's record is as it was: they were
        read for an earlier launch, some minutes ago at most. Who loads a page again wants news."""
        return clock.now() - LISTS_HOLD_FOR < self.read_at < launch.created_at

    def is_of(self, member: Member) -> bool:
        """Return whether the member's points and tier are as they were."""
        return (self.snapshot.balance, self.snapshot.tier) == (member.balance, member.tier)


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
        return Known(snapshot=_format.validate_json(row.content), read_at=row.read_at)
    except (ValidationError, CredentialsUnreadable) as error:
        log.info("snapshot_ignored", error=type(error).__name__)
        return None


def of_customer(launch: Launch) -> Known | None:
    """Return the snapshot of the launch's member, or of the cart's own customer before they are looked up;
    None for nothing."""
    ref = launch.member_ref or known_ref(launch)
    return load(launch.program, ref, sharing.change_of(launch.program.slug, ref)) if ref else None


def known_ref(launch: Launch) -> str:
    """Return the member whom the same customer's last launch within a day found; "" for none. The vendor's
    answer must confirm them. A launch in which another member was chosen says nothing."""
    rows = Launch.objects.filter(
        program_id=launch.program_id, is_customer=True, created_at__gt=clock.now() - KEPT_FOR
    )
    if launch.customer_key:
        rows = rows.filter(customer_key=launch.customer_key)
    elif launch.loyalty_id:
        rows = rows.filter(customer_key="", loyalty_id=launch.loyalty_id)
    else:
        return ""
    found = rows.order_by("-created_at").values_list("member_ref", "loyalty_id").first()
    if found is None or (launch.loyalty_id and found[1] not in ("", launch.loyalty_id)):
        return ""
    return found[0]


def keep(launch: Launch, start: Start, snapshot: Snapshot) -> None:
    """Keep what was read since `start` in place of what was kept of the member. One statement."""
    snapshot = replace(snapshot, cart=replace(snapshot.cart, cart_id=""))
    row = MemberSnapshot(
        program=launch.program,
        member_ref=launch.member_ref,
        read_at=start.at,
        change=start.change,
        content=_format.dump_json(snapshot).decode(),
    )
    MemberSnapshot.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["program", "member_ref"],
        update_fields=["read_at", "change", "content"],
    )


def purge_snapshots(before: datetime) -> int:
    """Delete snapshots that were read before that time; return how many. May be repeated."""
    return delete_in_steps(MemberSnapshot.objects.filter(read_at__lt=before))


def _goods(cart: Cart) -> tuple[object, ...]:
    items = sorted((item.product_id, item.price) for item in cart.items)
    return cart.store, cart.total, items
