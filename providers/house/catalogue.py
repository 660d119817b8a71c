"""Rewards with the exact gap to them, vouchers, and claiming one for a spend."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Count, F, Q

from providers import clock, types
from providers.errors import Rejected, RejectReason
from providers.house import kept
from providers.house.campaigns import ANYWHERE, Zone, claim_code, free_code
from providers.house.models import Hold, HoldState, Member, Reward, Voucher, VoucherState
from providers.house.pictures import address_of
from providers.sales import SpendIntent, SpendKind
from providers.types import DiscountKind, Lock, LockReason

# The reason of a refused spend by the lock that the page showed.
REJECTIONS = {
    LockReason.POINTS: RejectReason.INSUFFICIENT_POINTS,
    LockReason.TIER: RejectReason.TIER_TOO_LOW,
    LockReason.OUT_OF_STOCK: RejectReason.OUT_OF_STOCK,
    LockReason.LIMIT_REACHED: RejectReason.LIMIT_REACHED,
    LockReason.NOT_STARTED: RejectReason.NOT_ALLOWED,
    LockReason.EXPIRED: RejectReason.EXPIRED,
    LockReason.ONLINE_ONLY: RejectReason.NOT_ALLOWED,
}


def list_rewards(member: Member, currency: str, *, is_online: bool = False) -> tuple[types.Reward, ...]:
    """Return the program's active rewards, cheapest first, without those that have ended. `is_online` is for
    the web shop, which may use what is only for it."""
    now = clock.now()
    program = member.program
    active = kept.of_program(program, "rewards", lambda: _active_rewards(program))
    rewards = [row for row in active if row.ends_at is None or row.ends_at > now]
    is_counted = any(row.limit_per_member is not None for row in rewards)
    taken = times_taken(member) if is_counted else {}
    return tuple(
        _describe(
            reward, lock_on(reward, member, reward.least_points, taken, now, is_online=is_online), currency
        )
        for reward in rewards
    )


def _active_rewards(program: str) -> tuple[Reward, ...]:
    rewards = Reward.objects.filter(program=program, is_active=True).select_related("tier")
    return tuple(rewards.order_by(F("cost").asc(nulls_first=True), "points_min", "reward_id"))


def list_vouchers(member: Member, currency: str, *, is_online: bool = False) -> tuple[types.Voucher, ...]:
    """Return the member's open vouchers, those that expire soonest first."""
    vouchers = member.vouchers.filter(
        Q(expires_at=None) | Q(expires_at__gt=clock.now()), state=VoucherState.OPEN
    ).order_by(F("expires_at").asc(nulls_last=True), "pk")
    return tuple(
        types.Voucher(
            voucher_id=voucher.voucher_id,
            title=voucher.title,
            description=voucher.description,
            terms=voucher.terms,
            discount=voucher.discount(currency),
            code=voucher.code,
            expires_at=voucher.expires_at,
            lock=_online_lock(voucher, is_online),
        )
        for voucher in vouchers
    )


def lock_on(
    reward: Reward,
    member: Member,
    price: int,
    taken: dict[str, int],
    now: datetime,
    *,
    is_online: bool = False,
) -> Lock | None:
    """Return why `member` cannot take `reward` for `price` now; first reasons that the member cannot change,
    then tier, then points. None when they can."""
    if lock := _online_lock(reward, is_online):
        return lock
    if reward.starts_at and reward.starts_at > now:
        return Lock(reason=LockReason.NOT_STARTED)
    if reward.ends_at and reward.ends_at <= now:
        return Lock(reason=LockReason.EXPIRED)
    if reward.stock == 0:
        return Lock(reason=LockReason.OUT_OF_STOCK)
    if reward.limit_per_member is not None and taken.get(reward.reward_id, 0) >= reward.limit_per_member:
        return Lock(reason=LockReason.LIMIT_REACHED)
    if reward.tier and member.lifetime_points < reward.tier.threshold:
        return Lock(reason=LockReason.TIER, tier=reward.tier.name)
    if member.spendable < price:
        return Lock(reason=LockReason.POINTS, points_gap=price - member.spendable)
    return None


def times_taken(member: Member) -> dict[str, int]:
    """Return how often the member holds or has used each reward, by its id."""
    holds = member.holds.filter(state__in=[HoldState.HELD, HoldState.CAPTURED]).exclude(
        kind=SpendKind.VOUCHER.value
    )
    return dict(holds.values_list("item_id").annotate(times=Count("pk")).order_by())


def claim_item(
    member: Member, intent: SpendIntent, *, is_online: bool = False, zone: Zone = ANYWHERE
) -> Reward | Voucher:
    """Claim the reward or voucher of `intent`, inside the spend's transaction and the member's lock.
    Raises Rejected with the reason and the exact gap."""
    if intent.kind is SpendKind.VOUCHER:
        return _claim_voucher(member, intent, is_online, zone)
    return _claim_reward(member, intent, is_online)


def use_item(hold: Hold) -> None:
    """The hold was captured: its voucher is used up."""
    _turn_voucher(hold, VoucherState.HELD, VoucherState.USED)


def return_item(hold: Hold) -> None:
    """The hold was released: its voucher is open again, its reward back in stock."""
    if _turn_voucher(hold, VoucherState.HELD, VoucherState.OPEN):
        free_code(hold)
    _turn_voucher(hold, VoucherState.USED, VoucherState.OPEN)
    if hold.kind != SpendKind.VOUCHER.value:
        in_stock = Reward.objects.filter(program=hold.program, reward_id=hold.item_id, stock__isnull=False)
        if in_stock.update(stock=F("stock") + 1):
            kept.forget()


def _claim_reward(member: Member, intent: SpendIntent, is_online: bool) -> Reward:
    reward = (
        Reward.objects.select_related("tier")
        .filter(program=member.program, reward_id=intent.item_id, is_active=True)
        .first()
    )
    if reward is None:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    _check_price(reward, intent)
    taken = {} if reward.limit_per_member is None else times_taken(member)
    now = clock.now()
    lock = lock_on(reward, member, intent.points, taken, now, is_online=is_online)
    if lock:
        raise Rejected(REJECTIONS[lock.reason], points_gap=lock.points_gap)
    in_stock = Reward.objects.filter(pk=reward.pk, stock__isnull=False)
    if reward.stock is not None:
        kept.forget()
        if not in_stock.filter(stock__gt=0).update(stock=F("stock") - 1):
            raise Rejected(RejectReason.OUT_OF_STOCK)
    return reward


def _check_price(reward: Reward, intent: SpendIntent) -> None:
    """The associate promised `intent.points` to the customer; another price needs a new agreement."""
    if (reward.kind == DiscountKind.POINTS) != (intent.kind is SpendKind.POINTS):
        raise Rejected(RejectReason.INVALID_INPUT, "a reward and points as money are two kinds of spend")
    if intent.kind is SpendKind.REWARD and intent.points != reward.cost:
        raise Rejected(RejectReason.PRICE_CHANGED)
    if intent.kind is SpendKind.POINTS:
        least, most, step = reward.points_min or 0, reward.points_max or 0, reward.points_step or 1
        if not least <= intent.points <= most or (intent.points - least) % step:
            raise Rejected(RejectReason.INVALID_INPUT, f"from {least} to {most} points in steps of {step}")


def _claim_voucher(member: Member, intent: SpendIntent, is_online: bool, zone: Zone) -> Voucher:
    voucher = member.vouchers.filter(voucher_id=intent.item_id).first()
    voucher = voucher or claim_code(member, intent.item_id, zone)
    if voucher is None:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    if intent.points:
        raise Rejected(RejectReason.PRICE_CHANGED)
    if _online_lock(voucher, is_online):
        raise Rejected(RejectReason.NOT_ALLOWED)
    if voucher.expires_at and voucher.expires_at <= clock.now():
        raise Rejected(RejectReason.EXPIRED)
    open_one = Voucher.objects.filter(pk=voucher.pk, state=VoucherState.OPEN)
    if not open_one.update(state=VoucherState.HELD):
        raise Rejected(RejectReason.ALREADY_USED)
    return voucher


def _online_lock(item: Reward | Voucher, is_online: bool) -> Lock | None:
    """Return the lock on what only the web shop may use."""
    is_locked = item.kind == DiscountKind.ONLINE_ONLY and not is_online
    return Lock(reason=LockReason.ONLINE_ONLY) if is_locked else None


def _turn_voucher(hold: Hold, before: VoucherState, after: VoucherState) -> bool:
    if hold.kind != SpendKind.VOUCHER.value:
        return False
    vouchers = Voucher.objects.filter(program=hold.program, voucher_id=hold.item_id, state=before)
    return vouchers.update(state=after) == 1


def _describe(reward: Reward, lock: Lock | None, currency: str) -> types.Reward:
    points_range = None
    if reward.kind == DiscountKind.POINTS:
        points_range = types.PointsRange(
            minimum=reward.points_min or 0,
            maximum=reward.points_max or 0,
            step=reward.points_step or 1,
            value_per_point=types.Money(amount=reward.value_per_point or Decimal(0), currency=currency),
        )
    return types.Reward(
        reward_id=reward.reward_id,
        title=reward.title,
        points=reward.least_points,
        discount=reward.discount(currency),
        description=reward.description,
        terms=reward.terms,
        image=address_of(reward.picture_id),
        lock=lock,
        points_range=points_range,
    )
