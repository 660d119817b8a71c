"""What a sale earns on: one rule for the page's preview, for orders and for what returns take back.

Pure functions, no I/O. A price is what the shop shows: with tax inside where the price method says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import models
from django.utils.translation import gettext_lazy as _


class EarnOn(models.TextChoices):
    """Which money of a sale earns points."""

    PRICE = "price", _("Prices as the shop shows them")
    WITH_TAX = "with_tax", _("Always with tax")
    WITHOUT_TAX = "without_tax", _("Always without tax")


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """One line of a sale or cart. `price` and `discount` are for the whole line; `tax` is its part of the
    price, or what comes on top of it. None means that it is not known."""

    price: Decimal
    discount: Decimal = Decimal(0)
    tax: Decimal | None = None


def earns_with_tax(earn_on: str, *, is_tax_included: bool) -> bool:
    """Return whether the money that earns contains tax."""
    return is_tax_included if earn_on == EarnOn.PRICE else earn_on == EarnOn.WITH_TAX


def sale_line_base(line: PricedLine, earn_on: str, *, is_tax_included: bool) -> Decimal:
    """As `line_base` for a line of an order, whose tax is given wherever `needs_tax`."""
    base = line_base(line, earn_on, is_tax_included=is_tax_included)
    if base is None:
        raise ValueError("the tax of the line is missing")
    return base


def needs_tax(earn_on: str, *, is_tax_included: bool) -> bool:
    """Return whether what earns differs from the price by the tax."""
    return earns_with_tax(earn_on, is_tax_included=is_tax_included) != is_tax_included


def line_base(line: PricedLine, earn_on: str, *, is_tax_included: bool | None) -> Decimal | None:
    """Return what `line` earns on; None when that depends on a tax that is not known.

    A cart knows neither its tax nor its price method (`is_tax_included` is None). The price is then a lower
    bound of what an order with tax earns on.
    """
    paid = line.price - line.discount
    if earn_on == EarnOn.PRICE:
        return paid
    if earn_on == EarnOn.WITH_TAX:
        return paid + (line.tax or 0) if is_tax_included is False else paid
    if is_tax_included is False:
        return paid
    return None if is_tax_included is None or line.tax is None else paid - line.tax


def earn_base(line_bases: Iterable[Decimal]) -> Decimal:
    """Return what a sale with these lines earns on, never below zero."""
    return max(sum(line_bases, Decimal(0)), Decimal(0))
