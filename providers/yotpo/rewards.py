"""Redemption options as rewards: what each is worth at the till, who can have it, and what it lacks.

Source: loyaltyapi.yotpo.com/reference/fetch-active-redemption-options (read 2026-11-24). Asked for a
customer, Yotpo returns what they qualify for; the page wants the others, too. The full list is the same for
everybody (`outbound.catalogues`). What a member qualifies for seldom changes, so pages of a day keep it; a
tap always asks.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from providers.answers import number, objects_in, text_of, whole_of
from providers.currencies import HUNDREDTH_DECIMALS, decimals_of, from_hundredths
from providers.errors import Rejected, RejectReason
from providers.outbound import catalogues, sharing
from providers.types import Discount, DiscountKind, Lock, LockReason, Money, PointsRange, Reward
from providers.yotpo.client import Client, is_ok
from providers.yotpo.members import get
from providers.yotpo.refs import identity_of
from providers.yotpo.settings import RewardValue
from providers.yotpo.tiers import tiers_above

# What Yotpo calls a discount. "custom" is worth what `reward_values` says: its own amount is unreliable.
KINDS = {
    "fixed_amount": DiscountKind.FIXED,
    "generic_fixed_amount": DiscountKind.FIXED,
    "percentage": DiscountKind.PERCENT,
    "generic_percentage": DiscountKind.PERCENT,
    "variable": DiscountKind.POINTS,
    "generic_variable": DiscountKind.POINTS,
    "product": DiscountKind.PRODUCT,
    "shipping": DiscountKind.ONLINE_ONLY,
    "custom": DiscountKind.FIXED,
}
CUSTOM, GENERIC = "custom", "generic_"
ACCESS = "yotpo options"  # the name of the fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One redemption option. `price` is in points, 0 for points as money: there `rate_cents` says what one
    point is worth."""

    option_id: str
    name: str
    description: str
    price: int
    type: str
    discount: Discount
    rate_cents: Decimal
    value: RewardValue

    @property
    def is_custom(self) -> bool:
        """Its codes were uploaded; points always go at once."""
        return self.type == CUSTOM

    @property
    def can_delay(self) -> bool:
        """Its points can go with the order."""
        return self.type.startswith(GENERIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which options were open to a member (`listed`), of which ones there were, with which tier and points.

    Whether Yotpo leaves out what costs too much is not documented. Where one such option was listed, it does
    not (`shows_all`), and an option that is missing is not open to the member.
    """

    listed: list[str]
    shows_all: bool
    options: list[str]
    tier: str
    points: int

    def holds(self, options: Collection[str], tier: str, points: int) -> bool:
        """Return whether it can be expected to be the same now."""
        is_enough = self.shows_all or points <= self.points
        return is_enough and self.tier == tier and self.options == sorted(options)


def list_rewards(client: Client, ref: str) -> tuple[Reward, ...]:
    """Return all rewards, cheapest first; a locked one says the tier first, then the missing points."""
    kept = Access(**fact) if (fact := sharing.fact(ACCESS)) else None
    found = () if kept else _listed(client, ref)
    options = {option.option_id: option for option in known_options(client)}
    member = get(client, ref)
    tier, spendable = member.tier.name if member.tier else "", member.balance.spendable
    if kept and not kept.holds(options, tier, spendable):
        kept, found = None, _listed(client, ref)
    access = kept or Access(
        listed=sorted(option.option_id for option in found),
        shows_all=any(option.price > spendable for option in found),
        options=sorted(options),
        tier=tier,
        points=spendable,
    )
    sharing.keep_fact(ACCESS, asdict(access))
    options |= {option.option_id: option for option in found}
    tiers = tiers_above(client, tier)
    ordered = sorted(options.values(), key=lambda option: (option.price, option.option_id))
    return tuple(
        _reward(
            option,
            client,
            spendable,
            is_open=option.option_id in access.listed,
            tier=tiers.get(option.value.tier.casefold(), ""),
            shows_all=access.shows_all,
        )
        for option in ordered
    )


def option_of(client: Client, option_id: str) -> Option:
    """Return one option of the catalogue; raise Rejected(REWARD_NOT_FOUND)."""
    for is_new in (False, True):
        options = known_options(client, is_new=is_new)
        found = next((option for option in options if option.option_id == option_id), None)
        if found:
            return found
    raise Rejected(RejectReason.REWARD_NOT_FOUND)


def known_options(client: Client, *, is_new: bool = False) -> tuple[Option, ...]:
    """Return the program's options for any member. Price and worth of what a tap redeems are not taken from
    here, but from what Yotpo lists for the member then."""

    def read() -> list[dict[str, Any]]:
        return _records(client, {})

    def parse(content: Any) -> tuple[Option, ...]:
        return _options(client, objects_in(content, "redemption options"))

    if is_new:
        return catalogues.read_anew(client.config, "options", read=read, parse=parse)
    return catalogues.known(client.config, "options", read=read, parse=parse, for_a_tap=catalogues.FRESH)


def _listed(client: Client, ref: str) -> tuple[Option, ...]:
    """Return what Yotpo lists for the member now."""
    return _options(client, _records(client, identity_of(client.program, ref)))


def _records(client: Client, identity: Mapping[str, str]) -> list[dict[str, Any]]:
    params = {"is_offline": "true", **identity} if client.settings.offline_only else dict(identity)
    answer = client.get("/redemption_options", operation="list_rewards", params=params)
    if answer.status == 404 and identity:
        return []  # Yotpo does not find a new customer at once
    if not is_ok(answer):
        raise client.refusal(answer)
    return objects_in(answer.json(), "redemption options")


def _options(client: Client, records: list[dict[str, Any]]) -> tuple[Option, ...]:
    return tuple(_option(client, record) for record in records if text_of(record, "id"))


def _option(client: Client, record: Mapping[str, Any]) -> Option:
    option_id = text_of(record, "id")
    value = client.settings.reward_values.get(option_id, RewardValue())
    type_ = text_of(record, "discount_type").lower()
    return Option(
        option_id=option_id,
        name=text_of(record, "name") or option_id,
        description=text_of(record, "description"),
        price=max(0, whole_of(record, "amount") or 0),
        type=type_,
        discount=_discount(client, record, type_, value),
        rate_cents=_number(record, "discount_rate_cents"),
        value=value,
    )


def _discount(client: Client, record: Mapping[str, Any], type_: str, value: RewardValue) -> Discount:
    """Return what the option takes off. What cannot be said for certain is UNKNOWN: shown, never redeemed."""
    kind = value.kind or KINDS.get(type_, DiscountKind.UNKNOWN)
    counts_cents = kind in (DiscountKind.FIXED, DiscountKind.PRICE) and not value.amount
    if decimals_of(client.currency) > HUNDREDTH_DECIMALS and (counts_cents or kind is DiscountKind.POINTS):
        # What a cent is there is not documented.
        return Discount(kind=DiscountKind.UNKNOWN, raw=type_)
    amount = percent = None
    skus = value.skus
    if kind in (DiscountKind.FIXED, DiscountKind.PRICE):
        amount = _amount(client, record, value)
        kind = kind if amount else DiscountKind.UNKNOWN
    elif kind is DiscountKind.PERCENT:
        percent = value.percent or _number(record, "discount_percentage")
        kind = kind if 0 < percent <= 100 else DiscountKind.UNKNOWN
    elif kind is DiscountKind.PRODUCT:
        skus = skus or _variants(record)
        kind = kind if skus else DiscountKind.UNKNOWN
    elif kind is DiscountKind.POINTS and not _number(record, "discount_rate_cents"):
        kind = DiscountKind.UNKNOWN
    return Discount(
        kind=kind,
        amount=amount,
        percent=percent if kind is DiscountKind.PERCENT else None,
        skus=skus,
        minimum=_minimum(client, record, value),
        raw=type_,
    )


def _amount(client: Client, record: Mapping[str, Any], value: RewardValue) -> Money | None:
    if value.amount:
        return Money(amount=value.amount, currency=client.currency)
    # A custom coupon says 0 here; its "Coupon Value" is for reports, and better than nothing.
    for name in ("discount_amount_cents", "discount_value_cents"):
        if amount_cents := whole_of(record, name):
            return from_hundredths(amount_cents, client.currency)
    return None


def _minimum(client: Client, record: Mapping[str, Any], value: RewardValue) -> Money | None:
    if value.minimum:
        return Money(amount=value.minimum, currency=client.currency)
    least = whole_of(record, "cart_greater_than_cents")
    return from_hundredths(least, client.currency) if least else None


def _variants(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the variants of a free product: the till's product ids where both come from one catalogue."""
    listed = record.get("variant_ids")
    ids = [str(item) for item in listed if isinstance(item, str | int)] if isinstance(listed, list) else []
    return tuple(ids) or tuple(filter(None, (text_of(record, "variant_id"),)))


def _number(record: Mapping[str, Any], name: str) -> Decimal:
    return number(record.get(name)) or Decimal(0)


def _reward(
    option: Option, client: Client, spendable: int, *, is_open: bool, tier: str, shows_all: bool
) -> Reward:
    """`tier` is the one that the member lacks for it, as far as the program's settings say."""
    span = _range(option, client, spendable) if option.discount.kind is DiscountKind.POINTS else None
    price = span.minimum if span else option.price
    gap = max(0, price - spendable)
    lock = None
    if option.discount.kind is DiscountKind.ONLINE_ONLY:
        lock = Lock(reason=LockReason.ONLINE_ONLY)
    elif not is_open and tier:
        lock = Lock(reason=LockReason.TIER, tier=tier, points_gap=gap)
    elif not is_open and (shows_all or not gap):
        # Yotpo does not say whether tier or segment.
        lock = Lock(reason=LockReason.OTHER, points_gap=gap)
    elif gap:
        lock = Lock(reason=LockReason.POINTS, points_gap=gap)
    return Reward(
        reward_id=option.option_id,
        title=option.name,
        points=price,
        discount=option.discount,
        description=option.description,
        lock=lock,
        points_range=span,
    )


def _range(option: Option, client: Client, spendable: int) -> PointsRange:
    """Return the steps of points as money. Yotpo documents neither step nor bounds: unless the program says
    otherwise a step is what is worth one unit of money."""
    step = option.value.step or int((100 / option.rate_cents).to_integral_value(ROUND_UP))
    minimum = max(option.price, step)
    return PointsRange(
        minimum=minimum,
        maximum=option.value.maximum or max(minimum, spendable),
        step=step,
        value_per_point=Money(amount=option.rate_cents / 100, currency=client.currency),
    )
