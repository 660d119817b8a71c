"""What chosen cards take off the cart together, and what stands in the way of the others.

Counted with the functions that judge a tap (`tap_request`), in the order in which the taps are made: points
as money last, they fill what the others leave. What the page offered travels with the page, signed, so that
counting asks the vendor nothing (docs/decisions/0032-the-server-counts-what-a-choice-saves.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core import signing
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyaltyview.redemptions.offers import (
    CartReason,
    after,
    cart_reason,
    of_unit,
    points_as_money,
    saving_in,
    units_of,
)
from loyaltyview.redemptions.serialization import discount_from_json, discount_to_json
from loyaltyview.redemptions.stacking import StackingRule
from loyaltyview.webview import formats
from loyaltyview.webview.cards import Card
from loyaltyview.webview.member_offers import PointsChoice, is_offered, points_choice
from loyaltyview.webview.models import Launch
from providers.types import Cart, Discount, Money, PointsRange

SALT = "loyaltyview.choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A card that can be chosen, as the page showed it. `pick` is the value of its box."""

    pick: str
    points: int
    discount: Discount
    is_final: bool
    points_range: PointsRange | None = None

    @property
    def kind(self) -> str:
        """The kind of spend."""
        return self.pick.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one item takes. `saving` is None for a number of points that the stepper does not offer."""

    points: int
    saving: Money | None
    choice: PointsChoice | None = None


class Obstacle(Exception):
    """The item cannot be applied with the others; its text says why."""


@dataclass(slots=True)
class Left:
    """What the items so far leave of cart, points and codes; `kinds` are the items' own."""

    cart: Cart
    points: int
    codes: int | None = None
    kinds: tuple[str, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the choice is counted from: the cart, the points, what `rule` lets share the cart, and how many
    codes are in it."""

    cart: Cart
    spendable: int
    rule: StackingRule
    codes_in_cart: int = 0

    def left(self) -> Left:
        most = self.rule.codes_per_cart
        codes = max(most - self.codes_in_cart, 0) if most else None
        return Left(cart=self.cart, points=self.spendable, codes=codes)


def sign_offers(launch: Launch, cards: Iterable[Card], spendable: int) -> str:
    """Return what the page offers as signed text; `read_offers` reads it."""
    items = [
        [
            card.pick,
            card.offer.points,
            discount_to_json(replace(card.offer.discount, raw="")),
            card.is_final,
            _range_to_json(card.offer.points_range),
        ]
        for card in cards
    ]
    return signing.dumps([launch.pk, spendable, items], salt=SALT, compress=True)


def read_offers(launch: Launch, signed: str) -> tuple[list[Item], int]:
    """Return the items and the spendable points. Raises signing.BadSignature for what no page of this launch
    offered."""
    launch_id, spendable, rows = signing.loads(signed, salt=SALT, max_age=settings.LAUNCH_MINUTES * 60)
    if launch_id != launch.pk:
        raise signing.BadSignature("another launch")
    items = [
        Item(
            pick=pick,
            points=points,
            discount=discount_from_json(discount),
            is_final=is_final,
            points_range=_range_from_json(span),
        )
        for pick, points, discount, is_final, span in rows
    ]
    return items, spendable


def with_units(items: Iterable[Item], chosen: dict[str, str], cart: Cart) -> list[Item]:
    """Return `items`, each for the product that is chosen to be free, by the value of its box."""
    return [
        replace(item, discount=of_unit(item.discount, unit))
        if (unit := chosen.get(item.pick, "")) in units_of(item.discount, cart)
        else item
        for item in items
    ]


def in_order(items: Iterable[Item]) -> list[Item]:
    """Return `items` in the order in which their taps are made (`taps.read_taps`)."""
    return sorted(items, key=lambda item: item.points_range is not None)


def count(items: Iterable[Item], wanted: dict[str, int], start: Start) -> dict[str, Taken]:
    """Return what each of `items` takes, in their order. `wanted` are the points of the steppers. Raises
    Obstacle where one of them cannot be applied with the others."""
    left = start.left()
    return {item.pick: _take(item, wanted.get(item.pick, 0), left, start.rule) for item in in_order(items)}


def obstacle_of(item: Item, chosen: Iterable[Item], wanted: dict[str, int], start: Start) -> str:
    """Return why `item` cannot be chosen together with `chosen`, "" where it can."""
    try:
        count([*chosen, item], wanted, start)
    except Obstacle as obstacle:
        return str(obstacle)
    return ""


def _take(item: Item, wanted: int, left: Left, rule: StackingRule) -> Taken:
    """Return what `item` takes of `left`, and take it."""
    _check_beside(item, left, rule)
    reason, _gap = cart_reason(item.discount, left.cart)
    if reason is CartReason.CART_EMPTY:
        raise Obstacle(_("Nothing is left to pay with this choice"))
    if reason is CartReason.MINIMUM and item.discount.minimum:
        least = formats.money(item.discount.minimum)
        raise Obstacle(_("Needs %(money)s left in the cart") % {"money": least})
    if item.points_range:
        taken = _take_points(item.points_range, wanted, left)
    else:
        taken = _take_discount(item, reason, left)
    saving = taken.saving or replace(left.cart.total, amount=Decimal(0))
    left.cart = after(left.cart, item.discount, saving)
    left.points -= taken.points
    left.is_whole = False
    left.kinds += (item.kind,)
    return taken


def _check_beside(item: Item, left: Left, rule: StackingRule) -> None:
    if left.codes is not None:
        if not left.codes:
            raise Obstacle(_("The program allows no more codes in this cart"))
        left.codes -= 1
    if not all(rule.allows(item.kind, kind) for kind in left.kinds):
        raise Obstacle(_("The program does not allow this together with what is chosen"))


def _take_points(span: PointsRange, wanted: int, left: Left) -> Taken:
    choice = points_choice(span, left.points, left.cart)
    if choice is None:
        raise _too_many(span.minimum - left.points) if left.points < span.minimum else _too_much(left)
    points = min(wanted or choice.minimum, choice.maximum)
    if not is_offered(points, choice):
        return Taken(points=0, saving=None, choice=choice)
    worth = points_as_money(points, span)
    saving = replace(worth, amount=min(worth.amount, left.cart.total.amount))
    return Taken(points=points, saving=saving, choice=choice)


def _take_discount(item: Item, reason: CartReason | None, left: Left) -> Taken:
    if item.points > left.points:
        raise _too_many(item.points - left.points)
    if reason is not None:
        raise Obstacle(_("Its product is chosen already"))
    saving, is_capped = saving_in(item.discount, left.cart)
    if is_capped and not left.is_whole:
        raise _too_much(left)
    return Taken(points=item.points, saving=saving)


def _too_many(points: int) -> Obstacle:
    text = ngettext(
        "%(number)s point too many with this choice", "%(number)s points too many with this choice", points
    )
    return Obstacle(text % {"number": formats.number(points)})


def _too_much(left: Left) -> Obstacle:
    money = formats.money(left.cart.total)
    return Obstacle(_("The cart takes only %(money)s more with this choice") % {"money": money})


def _range_to_json(span: PointsRange | None) -> list[Any] | None:
    if span is None:
        return None
    value = span.value_per_point
    return [span.minimum, span.maximum, span.step, str(value.amount), value.currency]


def _range_from_json(data: list[Any] | None) -> PointsRange | None:
    if data is None:
        return None
    minimum, maximum, step, amount, currency = data
    value = Money(amount=Decimal(amount), currency=currency)
    return PointsRange(minimum=minimum, maximum=maximum, step=step, value_per_point=value)
