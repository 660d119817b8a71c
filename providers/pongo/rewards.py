"""Rewards: the merchant's offers (the catalogue) and the customer's own ones (won rewards).

The catalogue is per customer and store, and kept for `catalogue_cache_s`; a spend reads it afresh.
"""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.cache import cache

from providers import clock
from providers.answers import moment, needed_text, number, text_of
from providers.currencies import HUNDREDTH_DECIMALS, decimals_of, from_hundredths
from providers.dates import end_of
from providers.errors import UnexpectedAnswer
from providers.pongo.client import Client, list_of
from providers.pongo.members import get, unmapped_store
from providers.pongo.settings import Settings
from providers.types import Cart, Discount, DiscountKind, Lock, LockReason, Reward, Voucher

FREE_PRODUCT = "free_product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """One reward that a customer owns. `hash` identifies this single reward, `reward_id` its kind."""

    hash: str
    reward_id: str
    title: str
    discount: Discount
    coupon_code: str
    received_at: datetime | None
    expires_at: datetime | None
    is_used: bool
    is_locked: bool

    def is_usable(self) -> bool:
        """Return whether it can go into a cart now."""
        is_over = self.expires_at is not None and self.expires_at <= clock.now()
        return not (self.is_used or self.is_locked or is_over)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSkus:
    """Selects this retailer's SKUs: the merchant's list may mix those of several partners."""

    listed: frozenset[str]
    pattern: re.Pattern[str] | None

    @classmethod
    def from_settings(cls, settings: Settings) -> "KnownSkus":
        pattern = re.compile(settings.sku_pattern) if settings.sku_pattern else None
        return cls(listed=frozenset(split_skus(settings.skus)), pattern=pattern)

    def knows(self, sku: str) -> bool:
        if not self.listed and self.pattern is None:
            return True
        return sku in self.listed or bool(self.pattern and self.pattern.fullmatch(sku))


def split_skus(text: str) -> list[str]:
    """Return the SKUs of a comma-separated list, in its order, without blanks and repeats."""
    return list(dict.fromkeys(sku.strip() for sku in text.split(",") if sku.strip()))


def list_rewards(
    client: Client, ref: str, cart: Cart, known: KnownSkus, currency: str, cache_s: int
) -> tuple[Reward, ...]:
    """Return the catalogue for this customer in this store, cheapest first, locked where points are missing
    or the store has no counterpart at Pongo."""
    points = get(client, ref).balance.spendable
    rewards = [
        reward_of(client, item, known, currency, points)
        for item in catalogue(client, ref, cart.store, cache_s)
    ]
    if not cart.store:
        lock = Lock(reason=LockReason.OTHER, text=unmapped_store())
        rewards = [replace(reward, lock=lock) for reward in rewards]
    return tuple(sorted(rewards, key=lambda reward: (reward.points, reward.reward_id)))


def catalogue(client: Client, ref: str, store: str, cache_s: int) -> list[dict[str, Any]]:
    """Return the raw rewards on offer. `cache_s` 0 asks Pongo in any case."""
    # Hashed: the cache logs its keys, and they have a limited alphabet.
    name = hashlib.sha256(f"{client.program}:{ref}:{store}".encode()).hexdigest()
    key = f"pongo:catalogue:{name}"
    if cache_s and (kept := cache.get(key)) is not None:
        items: list[dict[str, Any]] = kept
        return items
    # `customer` must be sent if known: without it other customers' rewards are listed (reference).
    params = {"customer": ref, **({"store_slug": store} if store else {})}
    answer = client.read("GET", "/v1/rewards", operation="list_rewards", params=params)
    items = [item for item in list_of(answer) if item.get("is_active") is not False]
    if cache_s:
        cache.set(key, items, timeout=cache_s)
    return items


def won_rewards(client: Client, ref: str, known: KnownSkus, currency: str) -> tuple[Won, ...]:
    """Return all rewards that the customer ever won, used ones too, as Pongo lists them."""
    answer = client.read("GET", client.path("won", customer=ref), operation="list_won_rewards")
    return tuple(won_of(client, item, known, currency) for item in list_of(answer))


def list_vouchers(client: Client, ref: str, known: KnownSkus, currency: str) -> tuple[Voucher, ...]:
    """Return the rewards that the customer owns and can use now; those that expire soonest first."""
    usable = [won for won in won_rewards(client, ref, known, currency) if won.is_usable()]
    usable.sort(key=lambda won: (won.expires_at is None, won.expires_at or clock.now(), won.hash))
    return tuple(
        Voucher(
            voucher_id=won.hash,
            title=won.title,
            discount=won.discount,
            code=won.coupon_code,
            expires_at=won.expires_at,
        )
        for won in usable
    )


def reward_of(client: Client, item: dict[str, Any], known: KnownSkus, currency: str, points: int) -> Reward:
    """Return one catalogue item. Bought rewards cannot be given back, so each says that it is final."""
    price = price_of(client, item)
    lock = None
    expires_at = end_of(item.get("expires_at"), client.config, moment)
    if expires_at and expires_at <= clock.now():
        lock = Lock(reason=LockReason.EXPIRED)
    elif price > points:
        lock = Lock(reason=LockReason.POINTS, points_gap=price - points)
    return Reward(
        reward_id=needed_text(item, "id"),
        title=text_of(item, "name"),
        points=price,
        discount=discount_of(client, item, known, currency),
        description=text_of(item, "description"),
        lock=lock,
        is_final=True,
    )


def price_of(client: Client, item: dict[str, Any]) -> int:
    """Return the price of a catalogue item in points."""
    price = client.names.whole(item, "reward.price")
    if price is None or price < 0:
        raise UnexpectedAnswer("reward: no price")
    return price


def won_of(client: Client, item: dict[str, Any], known: KnownSkus, currency: str) -> Won:
    """Return one won reward (docs/contracts/pongo.md 4.3)."""
    return Won(
        hash=needed_text(item, "hash"),
        reward_id=needed_text(item, "id"),
        title=text_of(item, "name"),
        discount=discount_of(client, item, known, currency),
        coupon_code=text_of(item, "coupon_code"),
        received_at=moment(item.get("received_at")),
        expires_at=end_of(item.get("expires_at"), client.config, moment),
        is_used=item.get("is_used") is True or bool(item.get("used_at")),
        is_locked=item.get("is_locked") is True,
    )


def discount_of(client: Client, item: dict[str, Any], known: KnownSkus, currency: str) -> Discount:
    """Return the discount of a reward. An unknown type is shown and never redeemable."""
    kind, value = text_of(item, "type"), number(item.get("value"))
    minimum_cents = number(item.get("min_order_amount"))
    is_in_cents = minimum_cents or kind == client.names["reward.type_amount"]
    if is_in_cents and decimals_of(currency) > HUNDREDTH_DECIMALS:
        return Discount(kind=DiscountKind.UNKNOWN, raw=kind)  # what a cent is there is not documented
    minimum = from_hundredths(minimum_cents, currency) if minimum_cents else None
    if kind == FREE_PRODUCT:
        listed = text_of(item, "external_id")
        skus = tuple(sku for sku in split_skus(listed) if known.knows(sku))
        if skus:
            return Discount(kind=DiscountKind.PRODUCT, skus=skus, minimum=minimum)
        return Discount(kind=DiscountKind.UNKNOWN, raw=f"{kind}: {listed}"[:200])
    if kind == client.names["reward.type_amount"] and value is not None and value > 0:
        return Discount(kind=DiscountKind.FIXED, amount=from_hundredths(value, currency), minimum=minimum)
    if kind == client.names["reward.type_percentage"] and value is not None and 0 < value <= Decimal(100):
        return Discount(kind=DiscountKind.PERCENT, percent=value, minimum=minimum)
    return Discount(kind=DiscountKind.UNKNOWN, raw=kind)
