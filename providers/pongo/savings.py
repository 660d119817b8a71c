"""What a reward takes off a cart, as the order's own line says it."""

from decimal import Decimal

from providers.currencies import hundredths
from providers.types import Discount, DiscountKind, SpendIntent


def saving_minor(intent: SpendIntent) -> int:
    """Return in cents what the discount takes off this cart: the amount of its line in the order."""
    discount, total = intent.discount, intent.cart.total
    return hundredths(max(Decimal(0), min(_worth(discount, intent), total.amount)), total.currency)


def _worth(discount: Discount, intent: SpendIntent) -> Decimal:
    if discount.kind is DiscountKind.PERCENT and discount.percent is not None:
        return intent.cart.total.amount * discount.percent / 100
    if discount.kind is DiscountKind.PRODUCT:
        prices = [item.price for item in intent.cart.items if item.product_id in discount.skus]
        return min(prices, default=Decimal(0))
    return discount.amount.amount if discount.amount else Decimal(0)
