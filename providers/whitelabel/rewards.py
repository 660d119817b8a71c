"""Rewards for points, points as money, and why a member cannot have one now.

Source: docs/contracts/whitelabel.md 2.6, 2.7.
"""

from datetime import datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from providers import clock
from providers.answers import at, inner, moment, number, object_in, rows
from providers.dates import end_of, start_of
from providers.errors import Rejected, RejectReason
from providers.outbound import catalogues
from providers.outbound.exchange import segment
from providers.outbound.parallel import together
from providers.types import Discount, DiscountKind, Lock, LockReason, PointsRange, Reward
from providers.whitelabel import events, members
from providers.whitelabel.client import VOUCHER, Client, Json, Refused
from providers.whitelabel.venues import list_tiers, stores_by_venue
from providers.whitelabel.worth import GIFT_CARDS, is_gift_card, point_value, read_discount

POINTS_ID = "points"
PAGES = 10


def list_rewards(client: Client, ref: str) -> tuple[Reward, ...]:
    """Return what can be had for points, cheapest first."""
    listed, purse = together(lambda: all_rewards(client), lambda: members.wallet(client, ref))
    spendable = members.points_of(client, purse) - events.unsettled_points(client, ref)
    stores, now = stores_by_venue(client), clock.now()
    rewards = [
        _reward(client, row, purse, spendable, stores, now) for row in listed if is_offered(client, row, now)
    ]
    money = points_as_money(client, spendable, ref)
    return tuple(sorted([*rewards, *money], key=lambda each: (each.points, each.reward_id)))


def points_as_money(client: Client, spendable: int, ref: str) -> tuple[Reward, ...]:
    """Return the reward that is points themselves, where the program wants it and knows their worth."""
    step = client.settings.points_step
    value = point_value(client, ref) if step else None
    if value is None:
        return ()
    gap = step - spendable
    return (
        Reward(
            reward_id=POINTS_ID,
            title=_("Pay with points"),
            points=step,
            discount=Discount(kind=DiscountKind.POINTS),
            lock=Lock(reason=LockReason.POINTS, points_gap=gap) if gap > 0 else None,
            # Never beyond the balance: the engine would go below zero.
            points_range=PointsRange(
                minimum=step, maximum=max(spendable, 0), step=step, value_per_point=value
            ),
        ),
    )


def get_reward(client: Client, reward_id: str) -> Json:
    """Return one reward as it is now; raise Rejected(REWARD_NOT_FOUND)."""
    try:
        data = client.get(f"/rewards/{segment(reward_id)}", operation="get_reward", params=client.locale)
    except Refused as refused:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, str(refused)) from refused
    return object_in(data, "get_reward")


def is_out_of_stock(row: Json) -> bool:
    """Return whether the last piece is gone."""
    capacity, consumed = row.get("stockCapacity"), row.get("stockConsumed")
    return isinstance(capacity, int) and isinstance(consumed, int) and consumed >= capacity


def is_offered(client: Client, row: Json, now: datetime) -> bool:
    """Return whether a reward is shown: one that a till can sell, or a gift card, which the app sells."""
    ends_at = end_of(at(row, "availability.end"), client.config, moment)
    is_over = ends_at is not None and ends_at <= now
    return row.get("type") in (VOUCHER, *GIFT_CARDS) and bool(row.get("purchasable")) and not is_over


def _reward(
    client: Client, row: Json, purse: Json, spendable: int, stores: dict[str, str], now: datetime
) -> Reward:
    price = row["price"] if isinstance(row.get("price"), int) else 0
    return Reward(
        reward_id=str(row.get("id")),
        title=str(row.get("name") or ""),
        points=price,
        discount=read_discount(client, row, stores),
        description=str(row.get("summary") or row.get("description") or ""),
        lock=lock_of(client, row, purse, price, spendable, now),
    )


def lock_of(client: Client, row: Json, purse: Json, price: int, spendable: int, now: datetime) -> Lock | None:
    """Return why the member cannot buy this now: first what nobody can change, then tier, then points."""
    if is_gift_card(row):
        return Lock(reason=LockReason.OTHER, text=_("The member gets it in the app."))
    starts_at = start_of(at(row, "availability.start"), client.config, moment)
    channels = row.get("redemptionChannels")
    if channels and "IN_STORE" not in channels:
        return Lock(reason=LockReason.ONLINE_ONLY)
    if starts_at and starts_at > now:
        return Lock(reason=LockReason.NOT_STARTED)
    if is_out_of_stock(row):
        return Lock(reason=LockReason.OUT_OF_STOCK)
    if row.get("isLocked"):
        return Lock(reason=LockReason.OTHER, text=_("Not available to this member"))
    if tier := _missing_tier(client, row, purse):
        return Lock(reason=LockReason.TIER, tier=tier)
    if spendable < price:
        return Lock(reason=LockReason.POINTS, points_gap=price - spendable)
    return None


def _missing_tier(client: Client, row: Json, purse: Json) -> str:
    """Return the name of the tier that the reward needs and the member has not reached, "" without."""
    needed = inner(row, "tier")
    if not needed.get("id"):
        return ""
    tiers = {tier["id"]: tier for tier in list_tiers(client)}
    wanted = tiers.get(needed["id"])
    current = client.names.find(purse, "wallet_tier")
    reached = tiers.get(current.get("id")) if isinstance(current, dict) else None
    if wanted is None:
        return str(needed.get("name") or _("another tier"))
    if reached is not None and _priority(reached) >= _priority(wanted):
        return ""
    return str(wanted.get("name") or _("another tier"))


def _priority(tier: Json) -> Decimal:
    return number(tier.get("priority")) or Decimal(0)


def all_rewards(client: Client) -> list[Json]:
    """Return the rewards that the tenant offers. They are the same for everybody. The spend of one reads it
    again, with its price and its discount."""
    return catalogues.known(
        client.config,
        "rewards",
        read=lambda: _read_rewards(client),
        parse=rows,
        for_a_tap=catalogues.FRESH,
    )


def _read_rewards(client: Client) -> list[Json]:
    found: list[Json] = []
    for page in range(PAGES):
        listed = client.rows(
            "/rewards", operation="list_rewards", params=client.locale, limit=200, skip=200 * page
        )
        found += listed
        if len(listed) < 200:
            break
    return found
