"""Rewards of the Display API, points as money by burn rates, offers for the cart, and why something cannot be
taken now.

`_actions.complete` is there only while the member may claim: that decides, the rest explains. An offer costs
no points: its claim makes a coupon, and the discount is the till's to give (docs/contracts/antavo.md 5.6).
"""

from decimal import ROUND_CEILING, Context
from typing import Any

from django.utils.translation import gettext as _

from providers import clock
from providers.antavo import members
from providers.antavo.client import Client, of_member
from providers.antavo.discounts import discount_of, reward_terms, store_ids
from providers.antavo.fields import listed, moment, number, rows, table, text, whole
from providers.antavo.refusals import Refused
from providers.antavo.settings import CouponTerms
from providers.dates import end_of, start_of
from providers.outbound.parallel import together
from providers.types import Cart, Discount, DiscountKind, Lock, LockReason, Money, PointsRange, Reward

POINTS_AS_MONEY = "points"
OFFER = "offer:"
# The price of these types is only an example; the member says how many points.
DYNAMIC = ("dynamic", "dynamic_coupon")
# Rounded up: 7 points at 200 for 7 must be worth 200, not 199.99.
UP = Context(prec=28, rounding=ROUND_CEILING)


def list_rewards(client: Client, ref: str, cart: Cart) -> tuple[Reward, ...]:
    """Return everything that points buy, and the offers for this cart, as far as the vendor judges."""
    customer, answer, offers = together(
        lambda: members.read(client, ref),
        lambda: _read_rewards(client, ref),
        lambda: list_offers(client, ref, cart),
    )
    spendable = members.balance_of(client, customer).spendable
    above = members.tiers_above(client, customer)
    language = text(customer.get("language"))
    found = [_reward(client, row, spendable, above, language) for row in answer]
    return (*_points_as_money(client, customer, spendable), *found, *offers)


def _read_rewards(client: Client, ref: str) -> list[dict[str, Any]]:
    params: dict[str, str | int] = {"fields": "claims,custom_data", "limit": 100}
    return listed(client.get(of_member(ref, "activities", "rewards"), "list_rewards", params))


def _reward(
    client: Client, row: dict[str, Any], spendable: int, above: frozenset[str], language: str
) -> Reward:
    currency = client.config.currency
    points = whole(row.get("points"))
    span, discount = None, discount_of(reward_terms(client, row), currency, store_ids(row))
    if text(row.get("type")) in DYNAMIC and number(row.get("exchange_rate")) > 0:
        span = _dynamic_range(row, spendable, currency)
        points = span.minimum
        discount = Discount(
            kind=DiscountKind.POINTS,
            amount=span.value_per_point,
            stores=store_ids(row),
            raw=text(row["type"]),
        )
    return Reward(
        reward_id=text(row.get("id")),
        title=text(row.get("title"), language) or text(row.get("id")),
        description=text(row.get("description"), language),
        points=points,
        discount=discount,
        lock=_lock(client, row, points, spendable, _tier_of(client, row, above)),
        points_range=span,
    )


def _dynamic_range(row: dict[str, Any], spendable: int, currency: str) -> PointsRange:
    """Points of a dynamic coupon: 100 points at rate 1 are worth one unit of money."""
    step = max(whole(row.get("price_step")), 1)
    most = min(whole(row.get("max_price")) or spendable, spendable)
    value = UP.divide(number(row.get("exchange_rate")), 100)
    return PointsRange(
        minimum=step,
        maximum=most - most % step,
        step=step,
        value_per_point=Money(amount=value, currency=currency),
    )


def _points_as_money(client: Client, customer: dict[str, Any], spendable: int) -> tuple[Reward, ...]:
    """Return one reward for the burn rate in the program's currency, none without it."""
    currency = client.config.currency
    for rate in rows(members.account_of(client, customer) or customer, "burn_rates"):
        points, amount = whole(rate.get("points")), number(rate.get("amount"))
        if text(rate.get("currency")) != currency or points <= 0 or amount <= 0:
            continue
        worth = Money(amount=UP.divide(amount, points), currency=currency)
        span = PointsRange(
            minimum=points, maximum=spendable - spendable % points, step=points, value_per_point=worth
        )
        gap = points - spendable
        return (
            Reward(
                reward_id=POINTS_AS_MONEY,
                title=_("Pay with points"),
                points=points,
                discount=Discount(kind=DiscountKind.POINTS, amount=worth),
                lock=Lock(reason=LockReason.POINTS, points_gap=gap) if gap > 0 else None,
                points_range=span,
            ),
        )
    return ()


def _tier_of(client: Client, row: dict[str, Any], above: frozenset[str]) -> str:
    """Return the tier that the member lacks for this reward, as far as the program's settings say."""
    tier = client.settings.reward_tiers.get(text(row.get("id")), "")
    return tier if tier in above else ""


def _lock(client: Client, row: dict[str, Any], points: int, spendable: int, tier: str) -> Lock | None:
    """What the member cannot change comes first, then the tier, then the points. A reward of a segment that
    costs more than the member has says its points only: Antavo does not tell the two apart."""
    if table(row.get("_actions")).get("complete"):
        return None
    status = text(row.get("status")).lower()
    claims = table(row.get("claims")).get("claims")
    if status == "scheduled" or (not status and _is_before(client, row)):
        return Lock(reason=LockReason.NOT_STARTED)
    if status == "expired" or (not status and _is_after(client, row)):
        return Lock(reason=LockReason.EXPIRED)
    if status in ("", "active"):
        if row.get("stock") is not None and whole(row.get("stock")) <= 0:
            return Lock(reason=LockReason.OUT_OF_STOCK)
        if whole(row.get("max_claims")) and whole(claims) >= whole(row.get("max_claims")):
            return Lock(reason=LockReason.LIMIT_REACHED)
        gap = max(0, points - spendable)
        if tier:
            return Lock(reason=LockReason.TIER, tier=tier, points_gap=gap)
        if gap:
            return Lock(reason=LockReason.POINTS, points_gap=gap)
    return Lock(reason=LockReason.OTHER)


def _is_before(client: Client, row: dict[str, Any]) -> bool:
    starts_at = start_of(row.get("starts_at"), client.config, moment)
    return starts_at is not None and starts_at > clock.now()


def _is_after(client: Client, row: dict[str, Any]) -> bool:
    ends_at = end_of(row.get("ends_at"), client.config, moment)
    return ends_at is not None and ends_at <= clock.now()


def list_offers(client: Client, ref: str, cart: Cart) -> tuple[Reward, ...]:
    """Return the offers for this cart, lowest weight first; none where the module is off. Offers that miss
    money or a product in the cart are not locked: their minimum and their products say so."""
    if not client.settings.has_offers or not cart.items:
        return ()
    body: dict[str, Any] = {"customer": ref, "eligible_only": False, "cart": cart_body(cart)}
    if cart.store:
        body["store"] = cart.store
    try:
        answer = client.ask("/offers/", "list_offers", body)
    except Refused as refused:
        if refused.status == 404:
            return ()
        raise
    found = sorted(listed(answer), key=lambda row: number(row.get("weight")))
    return tuple(_offer(row, cart) for row in found)


def cart_body(cart: Cart) -> dict[str, Any]:
    """Return the cart as Antavo's offers and points preview take it: units of one product at one price as
    one item."""
    lines: dict[tuple[str, Any], int] = {}
    for item in cart.items:
        lines[item.product_id, item.price] = lines.get((item.product_id, item.price), 0) + 1
    return {
        "total": cart.total.amount,
        "items": [
            {"product_id": product, "quantity": count, "price": price, "subtotal": price * count}
            for (product, price), count in lines.items()
        ],
    }


def _offer(row: dict[str, Any], cart: Cart) -> Reward:
    discount = _offer_discount(row, cart.total.currency)
    misses_money = number(row.get("min_total")) > cart.total.amount
    misses_product = bool(discount.skus) and not {item.product_id for item in cart.items} & set(discount.skus)
    is_within_reach = bool(row.get("is_eligible")) or misses_money or misses_product
    return Reward(
        reward_id=OFFER + text(row.get("id")),
        title=text(row.get("card_title")) or text(row.get("name")),
        description=text(row.get("card_description")),
        points=0,
        discount=discount,
        lock=None if is_within_reach else Lock(reason=LockReason.OTHER),
    )


def _offer_discount(row: dict[str, Any], currency: str) -> Discount:
    """Return the discount: on the cart, or on the products that are listed as eligible. Categories, lists
    and combined offers cannot be judged from a cart's product ids."""
    discount = table(row.get("discount"))
    kind, value = text(discount.get("type")), number(discount.get("value"))
    items = rows(row, "eligible_items")
    skus = tuple(text(item.get("id")) for item in items if text(item.get("type")) == "product")
    scope = text(row.get("type"))
    minimum = number(row.get("min_total"))
    if scope not in ("cart", "item") or (scope == "item" and (not skus or len(skus) != len(items))):
        return Discount(kind=DiscountKind.UNKNOWN, raw=f"{scope} {kind}")
    skus = skus if scope == "item" else ()
    if kind == "fixed_price" and value >= 0:
        smallest = Money(amount=minimum, currency=currency) if minimum > 0 else None
        price = Money(amount=value, currency=currency)
        return Discount(kind=DiscountKind.PRICE, amount=price, skus=skus, minimum=smallest, raw=kind)
    types = {"fixed_discount": "amount", "percent_discount": "percentage"}
    terms = CouponTerms(type=types.get(kind, kind), value=value, minimum=minimum, skus=skus)
    return discount_of(terms, currency)
