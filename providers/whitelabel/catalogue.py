"""What a member can have: rewards for points, points as money, and the vouchers that are hers.

Source: docs/contracts/whitelabel.md 2.3, 2.6. No filter is trusted: a benefit whose owner is not the member
is dropped.
"""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.core.cache import cache
from django.utils.translation import gettext as _

from providers import clock
from providers.answers import at, inner, moment, number, object_in, rows
from providers.dates import end_of, start_of
from providers.errors import Rejected, RejectReason
from providers.outbound.exchange import segment
from providers.types import (
    Discount,
    DiscountKind,
    Lock,
    LockReason,
    PointsRange,
    Reward,
    Voucher,
)
from providers.whitelabel import members, settling
from providers.whitelabel.discounts import read_discount
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.rate import point_value
from providers.whitelabel.venues import list_tiers, stores_by_venue

VOUCHER = "VOUCHER"
POINTS_ID = "points"
PAGES = 10
REMEMBERED_S = 30


def list_rewards(engine: Engine, ref: str) -> tuple[Reward, ...]:
    """Return what can be had for points , cheapest first."""
    purse = members.wallet(engine, ref)
    spendable = members.points_of(engine, purse) - settling.unsettled_points(engine, ref)
    stores = stores_by_venue(engine)
    now = clock.now()
    rewards = [
        _reward(engine, row, purse, spendable, stores, now)
        for row in _all_rewards(engine)
        if is_offered(engine, row, now)
    ]
    money = points_as_money(engine, spendable, ref)
    return tuple(sorted([*rewards, *money], key=lambda each: (each.points, each.reward_id)))


def points_as_money(engine: Engine, spendable: int, ref: str) -> tuple[Reward, ...]:
    """Return the reward that is points themselves, where the program wants it and knows their worth."""
    step = engine.settings.points_step
    value = point_value(engine, ref) if step else None
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


def list_vouchers(engine: Engine, ref: str) -> tuple[Voucher, ...]:
    """Return the member's vouchers that are not burned: still to be redeemed, or redeemed in her app."""
    stores = stores_by_venue(engine)
    now = clock.now()
    benefits = [row for row in list_benefits(engine, ref) if is_usable(engine, row, now)]
    return tuple(
        describe_voucher(engine, row, stores)
        for row in sorted(benefits, key=lambda row: (str(row.get("expiresAt") or "~"), str(row.get("id"))))
    )


def describe_voucher(engine: Engine, benefit: Json, stores: dict[str, str]) -> Voucher:
    """Return a benefit in our words."""
    reward = reward_in(benefit)
    return Voucher(
        voucher_id=str(benefit.get("id")),
        title=str(reward.get("name") or _("Voucher")),
        discount=read_discount(engine, benefit, stores),
        code=engine.names.text(benefit, "benefit_code"),
        expires_at=end_of(benefit.get("expiresAt"), engine.config, moment),
        is_final=True,
    )


def list_benefits(engine: Engine, ref: str, purse: Json | None = None) -> list[Json]:
    """Return the member's benefits: those to redeem from the list, those in her wallet, nobody else's.

    The wallet is hers by its address, so its rows need no owner; rows of the list without one are
    dropped. A list that ignores our filter thus takes nothing away from what the wallet shows. `purse` is
    the wallet where it was read already.
    """
    owned = rows(engine.names.find(purse or members.wallet(engine, ref), "wallet_vouchers"))
    found = {str(row.get("id")): row for row in owned if owner_of(engine, row) in (ref, "")}
    for row in _listed(engine, ref):
        if owner_of(engine, row) == ref:
            found[str(row.get("id"))] = row
    return list(found.values())


def get_benefit(engine: Engine, ref: str, benefit_id: str) -> Json:
    """Return one benefit of the member; raise Rejected(REWARD_NOT_FOUND), also for one of others."""
    try:
        data = engine.get(f"/benefits/{segment(benefit_id)}", operation="get_benefit", params=engine.locale)
    except Refused as refused:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, str(refused)) from refused
    if not isinstance(data, dict) or owner_of(engine, data) != ref:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, "the benefit is not the member's")
    return data


def get_reward(engine: Engine, reward_id: str) -> Json:
    """Return one reward as it is now; raise Rejected(REWARD_NOT_FOUND)."""
    try:
        data = engine.get(f"/rewards/{segment(reward_id)}", operation="get_reward", params=engine.locale)
    except Refused as refused:
        raise Rejected(RejectReason.REWARD_NOT_FOUND, str(refused)) from refused
    return object_in(data, "get_reward")


def owner_of(engine: Engine, benefit: Json) -> str:
    """Return the owner's id, "" where the row has none."""
    return engine.names.text(benefit, "benefit_owner").lower()


def reward_in(benefit: Json) -> Json:
    """Return the reward of a benefit."""
    return inner(benefit, "reward")


def is_usable(engine: Engine, benefit: Json, now: datetime) -> bool:
    """Return whether a benefit can still be used. There is no status: the times tell
    (docs/contracts/whitelabel.md 2.3)."""
    if benefit.get("type") != VOUCHER or benefit.get("burnedAt"):
        return False
    if benefit.get("redeemedAt"):
        # Redeemed without a code: it was only to be shown, and that was its use.
        return bool(engine.names.text(benefit, "benefit_code"))
    return not is_expired(engine, benefit, now)


def is_expired(engine: Engine, benefit: Json, now: datetime) -> bool:
    """Return whether a benefit ran out before it was redeemed."""
    ends_at = end_of(benefit.get("expiresAt"), engine.config, moment)
    is_validated = bool(at(benefit, "code.validatedAt"))
    return ends_at is not None and ends_at < now and not benefit.get("redeemedAt") and not is_validated


def is_offered(engine: Engine, row: Json, now: datetime) -> bool:
    """Return whether a reward is one that a till can sell at all."""
    ends_at = end_of(at(row, "availability.end"), engine.config, moment)
    is_over = ends_at is not None and ends_at <= now
    return row.get("type") == VOUCHER and bool(row.get("purchasable")) and not is_over


def _reward(
    engine: Engine, row: Json, purse: Json, spendable: int, stores: dict[str, str], now: datetime
) -> Reward:
    discount = read_discount(engine, row, stores)
    venues = [venue.get("id") for venue in rows(row.get("venues"))]
    if venues and not discount.stores:
        discount = replace(discount, stores=tuple(stores.get(str(venue), str(venue)) for venue in venues))
    price = row["price"] if isinstance(row.get("price"), int) else 0
    return Reward(
        reward_id=str(row.get("id")),
        title=str(row.get("name") or ""),
        points=price,
        discount=discount,
        description=str(row.get("summary") or row.get("description") or ""),
        lock=_lock(engine, row, purse, price, spendable, now),
    )


def _lock(engine: Engine, row: Json, purse: Json, price: int, spendable: int, now: datetime) -> Lock | None:
    """Return why the member cannot buy this now: first what she cannot change, then tier, then points."""
    starts_at = start_of(at(row, "availability.start"), engine.config, moment)
    channels = row.get("redemptionChannels")
    if channels and "IN_STORE" not in channels:
        return Lock(reason=LockReason.ONLINE_ONLY)
    if starts_at and starts_at > now:
        return Lock(reason=LockReason.NOT_STARTED)
    if is_out_of_stock(row):
        return Lock(reason=LockReason.OUT_OF_STOCK)
    if row.get("isLocked"):
        return Lock(reason=LockReason.OTHER, text=_("Not available to this member"))
    if tier := _missing_tier(engine, row, purse):
        return Lock(reason=LockReason.TIER, tier=tier)
    if spendable < price:
        return Lock(reason=LockReason.POINTS, points_gap=price - spendable)
    return None


def is_out_of_stock(row: Json) -> bool:
    """Return whether the last piece is gone."""
    capacity, consumed = row.get("stockCapacity"), row.get("stockConsumed")
    return isinstance(capacity, int) and isinstance(consumed, int) and consumed >= capacity


def _missing_tier(engine: Engine, row: Json, purse: Json) -> str:
    """Return the name of the tier that the reward needs and the member has not reached, "" without."""
    needed = inner(row, "tier")
    if not needed.get("id"):
        return ""
    tiers = {tier["id"]: tier for tier in list_tiers(engine)}
    wanted = tiers.get(needed["id"])
    current = engine.names.find(purse, "wallet_tier")
    hers = tiers.get(current.get("id")) if isinstance(current, dict) else None
    if wanted is None:
        return str(needed.get("name") or _("another tier"))
    if hers is not None and _priority(hers) >= _priority(wanted):
        return ""
    return str(wanted.get("name") or _("another tier"))


def _priority(tier: Json) -> Decimal:
    return number(tier.get("priority")) or Decimal(0)


def _all_rewards(engine: Engine) -> list[Json]:
    """Return the rewards that the tenant offers. They are the same for everybody, and kept for some seconds;
    buying one reads it afresh."""
    key = f"whitelabel:{engine.config.program}:rewards"
    kept: list[Json] | None = cache.get(key)
    if kept is None:
        kept = _read_rewards(engine)
        cache.set(key, kept, timeout=REMEMBERED_S)
    return kept


def _read_rewards(engine: Engine) -> list[Json]:
    found: list[Json] = []
    for page in range(PAGES):
        rows = engine.rows(
            "/rewards", operation="list_rewards", params=engine.locale, limit=200, skip=200 * page
        )
        found += rows
        if len(rows) < 200:
            break
    return found


def _listed(engine: Engine, ref: str) -> list[Json]:
    params: dict[str, str | int] = {"redeemable": "true", **engine.locale}
    if parameter := engine.names["benefit_user"]:
        params[parameter] = ref
        return engine.rows("/benefits", operation="list_benefits", params=params)
    return engine.rows("/benefits", operation="list_benefits", params=params, filters={"filter_owner": ref})
