"""The launch's cart as the program sees it, and as its order will earn on it
(docs/decisions/0003-what-earns.md)."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from loyaltyview.programs.earn_base import PricedLine, earn_base, line_base
from loyaltyview.programs.models import Store
from loyaltyview.programs.program_cache import store_by_id
from loyaltyview.redemptions.models import IN_CART, Redemption
from loyaltyview.redemptions.offers import smallest_unit
from loyaltyview.webview.applied_redemptions import foreign_codes
from loyaltyview.webview.models import Launch
from providers.types import Cart, CartItem, Money

STORE_CHANNEL = "store"
NEWEST_CARTS = 1_000  # in which an administrator's page looks for products


def cart_of(launch: Launch, store: Store | None, data: dict[str, Any] | None = None) -> Cart:
    """Return the launch's cart (or `data`, an earlier one of it) with the vendor's store id; one without id
    and total where there is none to redeem in. A host that names no currency means the program's."""
    data = data or launch.cart
    currency = data["currency"] or launch.program.currency
    return Cart(
        cart_id=launch.cart_id if launch.has_cart else "",
        total=Money(amount=Decimal(data["total"] or 0), currency=currency),
        items=tuple(
            CartItem(item_id=item["item_id"], product_id=item["product_id"], price=Decimal(item["price"]))
            for item in data["items"]
        ),
        store=store.provider_store if store else "",
    )


def store_of(launch: Launch) -> Store | None:
    """Return the launch's store, None for one that the program does not list."""
    return store_by_id(launch.program_id, launch.store_id)


def earning_cart(launch: Launch, whole: Cart, left: Cart, rows: Collection[Redemption]) -> Cart | None:
    """Return the cart whose total is what its order will earn on, and whose items are their shares of it.
    `left` is what `rows`, the redemptions in the cart, leave of `whole`. None where the order will earn
    nothing, or where the cart has too little information."""
    program, currency = launch.program, whole.total.currency
    if not _will_be_found(launch, rows):
        return None
    if not launch.has_cart or currency != program.currency or STORE_CHANNEL not in program.report_channels:
        return None
    taken = sum((row.saving for row in rows if _counts(row, currency)), Decimal(0))
    most = _most_paid(launch, whole, left, taken)
    if most is None or most <= 0:
        return None
    lines = _lines(whole, most)
    bases = [line_base(line, program.earn_on, is_tax_included=None) for line in lines]
    known = [base for base in bases if base is not None]
    if len(known) < len(bases):
        return None
    items = whole.items and tuple(
        replace(item, price=base) for item, base in zip(whole.items, known, strict=True)
    )
    return replace(whole, total=replace(whole.total, amount=earn_base(known)), items=items)


def _will_be_found(launch: Launch, rows: Collection[Redemption]) -> bool:
    """Whether the order will name the member: as its customer, or by a reward of theirs. A member who was
    looked up for another customer's cart, or for a cart without a customer, earns nothing else in it."""
    return launch.is_customer or any(
        row.state in IN_CART and row.member_ref == launch.member_ref for row in rows
    )


def _counts(row: Redemption, currency: str) -> bool:
    return row.state in IN_CART and row.currency == currency


def _most_paid(launch: Launch, whole: Cart, left: Cart, taken: Decimal) -> Decimal | None:
    """Return what the goods cost after every discount: the smaller of what the total and the prices say.

    A total may contain tax on top of the prices, or things that earn nothing. Prices may contain the
    discounts of codes in the cart or not: they do where they add up to the total.
    """
    if not whole.items:
        return left.total.amount
    prices = _sum(whole.items)
    if prices == whole.total.amount:
        return left.total.amount
    if prices < whole.total.amount and foreign_codes(launch):
        return None  # The discount of a code that is not ours is hidden behind what was added.
    return min(left.total.amount, prices - taken)


def _lines(cart: Cart, most: Decimal) -> list[PricedLine]:
    """Return the items' lines. They share what was taken off them by price, and add up to `most`."""
    if not cart.items:
        return [PricedLine(price=most)]
    unit, total = smallest_unit(cart.total.currency), _sum(cart.items)
    off, seen, given = total - most, Decimal(0), Decimal(0)
    lines = []
    for item in cart.items:
        seen += item.price
        share = off - given if seen == total else (off * seen / total).quantize(unit, ROUND_DOWN) - given
        given += share
        lines.append(PricedLine(price=item.price, discount=share))
    return lines


def _sum(items: Iterable[CartItem]) -> Decimal:
    return sum((item.price for item in items), Decimal(0))


def products_in_carts(program: str) -> set[str]:
    """Return the product ids in the newest carts of the program with this slug."""
    newest = (
        Launch.objects.filter(program__slug=program).order_by("-created_at").values_list("cart", flat=True)
    )
    return {str(item["product_id"]) for cart in newest[:NEWEST_CARTS] for item in cart["items"]}
