"""What a purchase earns: the rate of the program, times a factor for each line, times the tier's multiplier.

docs/decisions/0047-the-highest-multiplier-of-a-line.md says which factor counts. One query reads the
program's rule with the multipliers of the day; everything after it is arithmetic.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import FilteredRelation, Q

from providers.house.models import EarnRule, Member, Tier
from providers.house.models.earning import ANY
from providers.sales import Order
from providers.types import Cart

ONE, ZERO = Decimal(1), Decimal(0)
NO_PRODUCT = ""  # money that no line has


def zone_of(time_zone: str) -> ZoneInfo:
    """Return the zone in which the program's days count: UTC, as on the pages, where it names none."""
    return ZoneInfo(time_zone or "UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What earns: `amount` in all, and the shares of it by product. `at` is the time that counts."""

    amount: Decimal
    at: datetime
    shares: tuple[tuple[str, Decimal], ...] = ()
    store: str = ""


def of_cart(cart: Cart, at: datetime) -> Purchase:
    shares = tuple((item.product_id, item.price) for item in cart.items)
    return Purchase(amount=cart.total.amount, at=at, shares=shares, store=cart.store)


def of_order(order: Order) -> Purchase:
    shares = tuple((line.product_id, line.net) for line in order.lines)
    return Purchase(amount=order.earn_base.amount, at=order.placed_at, shares=shares, store=order.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A multiplier that counts on the day. `from_points` are the lifetime points of its tier."""

    value: Decimal
    products: tuple[str, ...] | None
    from_points: int
    stores: tuple[str, ...]

    def fits(self, product: str) -> bool:
        if self.products is None:
            return True
        return any(
            product.startswith(each[:-1]) if each.endswith(ANY) else product == each for each in self.products
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The program's rule of earning on one day. Without a rule nothing is earned, and nothing expires."""

    rate: Decimal = ZERO
    expiry_months: int | None = None
    inactivity_months: int | None = None
    expires_on: str = ""
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """The points of a purchase. `by_product` is kept with an order whose lines have different factors."""

    points: int
    by_product: dict[str, Any] | None = field(default=None)


def read_terms(program: str, day: date) -> Terms:
    """Return the rule with the multipliers that count on `day`, by one query."""
    of_day = FilteredRelation(
        "multipliers",
        condition=Q(multipliers__is_active=True)
        & (Q(multipliers__starts_on=None) | Q(multipliers__starts_on__lte=day))
        & (Q(multipliers__ends_on=None) | Q(multipliers__ends_on__gte=day)),
    )
    rows = list(
        EarnRule.objects.filter(program=program)
        .alias(of_day=of_day)
        .values_list(
            "points_per_unit",
            "expiry_months",
            "inactivity_months",
            "expires_on",
            "of_day__factor",
            "of_day__category__products",
            "of_day__tier__threshold",
            "of_day__stores",
        )
    )
    if not rows:
        return Terms()
    rate, expiry_months, inactivity_months, expires_on = rows[0][:4]
    return Terms(
        rate=rate,
        expiry_months=expiry_months,
        inactivity_months=inactivity_months,
        expires_on=expires_on,
        factors=tuple(_factor(*row[4:]) for row in rows if row[4] is not None),
    )


def _factor(
    value: Decimal, products: list[str] | None, threshold: int | None, stores: list[str] | None
) -> Factor:
    return Factor(
        value=value,
        products=None if products is None else tuple(products),
        from_points=threshold or 0,
        stores=tuple(stores or ()),
    )


def earned_by(member: Member, tier: Tier | None, purchase: Purchase, terms: Terms) -> Earned:
    """Return what `purchase` earns for the member, who is in `tier`: rounded down once, for all of it. The
    page's preview and the order use this function."""
    factors = [
        factor
        for factor in terms.factors
        if member.lifetime_points >= factor.from_points
        and (not factor.stores or purchase.store in factor.stores)
    ]
    by_product = {product: _highest(factors, product) for product, _money in purchase.shares}
    by_product[NO_PRODUCT] = _highest(factors, NO_PRODUCT)
    base = weigh(purchase.amount, purchase.shares, by_product.__getitem__, by_product[NO_PRODUCT])
    points = int(base * terms.rate * (tier.multiplier if tier else ONE))
    if len(set(by_product.values())) == 1:
        return Earned(points=points)
    kept = {product: str(value) for product, value in by_product.items()}
    return Earned(points=points, by_product={"base": str(base), "factors": kept})


def weigh(
    amount: Decimal,
    shares: Iterable[tuple[str, Decimal]],
    factor_of: Callable[[str], Decimal],
    rest: Decimal,
) -> Decimal:
    """Return `amount` with each share multiplied by its product's factor, and by `rest` the money that no
    share has. Shares of more than `amount` count in proportion."""
    total = weighted = ZERO
    for product, money in shares:
        if money > 0:
            total += money
            weighted += money * factor_of(product)
    amount = max(amount, ZERO)
    if total > amount:
        return weighted * amount / total
    return weighted + (amount - total) * rest


def _highest(factors: Iterable[Factor], product: str) -> Decimal:
    values = [factor.value for factor in factors if factor.fits(product)]
    return ZERO if ZERO in values else max(values, default=ONE)
