"""Rewards: the merchant's offers (the catalogue) and the customer's own ones (won rewards).

What the merchant offers is the same for everybody (`outbound.catalogues`). Which of it a customer may have in
a store seldom changes, so pages keep it for `catalogue_cache_s`. A tap and a purchase ask Pongo.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers import clock
from providers.answers import at, moment, needed_text, number, objects_in, text_of, whole
from providers.currencies import HUNDREDTH_DECIMALS, decimals_of, from_hundredths
from providers.dates import end_of
from providers.errors import ProviderError, UnexpectedAnswer
from providers.outbound import catalogues, sharing
from providers.pongo.client import Client, list_of
from providers.pongo.members import get, unmapped_store
from providers.pongo.settings import Settings
from providers.types import Cart, Discount, DiscountKind, Lock, LockReason, Reward, Voucher

FREE_PRODUCT = "free_product"
MOST_PAGES = 20

Items = list[dict[str, Any]]


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


def list_rewards(client: Client, ref: str, cart: Cart, known: KnownSkus, currency: str) -> tuple[Reward, ...]:
    """Return the rewards on offer for this customer in this store, cheapest first, locked where points are
    missing or the store has no counterpart at Pongo."""
    items = _kept(client, cart.store)
    if items is None:
        items = offered(client, ref, cart.store)
        _keep(client, cart.store, items)
    points = get(client, ref).balance.spendable
    rewards = [reward_of(client, item, known, currency, points) for item in items]
    if not cart.store:
        lock = Lock(reason=LockReason.OTHER, text=unmapped_store())
        rewards = [replace(reward, lock=lock) for reward in rewards]
    return tuple(sorted(rewards, key=lambda reward: (reward.points, reward.reward_id)))


def offered(client: Client, ref: str, store: str) -> Items:
    """Return the raw rewards that Pongo offers to the customer in the store."""
    # `customer` must be sent if known: without it other customers' rewards are listed (reference).
    params = {"customer": ref, **({"store_slug": store} if store else {})}
    answer = client.read("GET", "/v1/rewards", operation="list_rewards", params=params)
    return [item for item in list_of(answer) if item.get("is_active") is not False]


def all_rewards(client: Client) -> Items:
    """Return all of the merchant's rewards: without a customer, those of all customers are listed."""
    items: Items = []
    for page in range(1, MOST_PAGES + 1):
        params = {"page": str(page)} if page > 1 else None
        answer = client.read("GET", "/v1/rewards", operation="list_rewards", params=params)
        items += list_of(answer)
        if page >= (whole(at(answer.json(), "meta.last_page")) or 1):
            break
    return items


def _kept(client: Client, store: str) -> Items | None:
    """Return what a page showed the customer in this store; None where it is not known or may be another
    now: the merchant has other rewards."""
    fact = sharing.fact(_name(store), client.settings.catalogue_cache_s)
    catalogue = _catalogue(client) if fact else None
    if not fact or catalogue is None or fact["of"] != sorted(catalogue):
        return None
    return [catalogue[reward_id] for reward_id in fact["ids"]]


def _keep(client: Client, store: str, items: Items) -> None:
    """Keep which of the merchant's rewards these are, for the next pages."""
    catalogue = _catalogue(client) if client.settings.catalogue_cache_s and sharing.is_page() else None
    ids = [text_of(item, "id") for item in items]
    if catalogue is not None and catalogue.keys() >= set(ids):
        sharing.keep_fact(_name(store), {"ids": ids, "of": sorted(catalogue)})


def _name(store: str) -> str:
    return f"pongo rewards {store}"


def _catalogue(client: Client) -> dict[str, dict[str, Any]] | None:
    """Return the merchant's rewards by id, for showing; None where they cannot be read or lack something."""

    def parse(content: Any) -> dict[str, dict[str, Any]]:
        items = {needed_text(item, "id"): item for item in objects_in(content, "rewards")}
        for item in items.values():
            price_of(client, item)
        return items

    try:
        return catalogues.known(client.config, "rewards", read=lambda: all_rewards(client), parse=parse)
    except ProviderError:
        return None


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
