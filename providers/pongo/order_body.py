"""The JSON of an order (docs/contracts/pongo.md 5.1): cents everywhere, and the sum of its lines is its
amount.

NewStore spreads a cart's discount over the lines, Pongo wants it on the line of its reward. So a free
product's line costs nothing, and a voucher gets a separate line with a negative amount. The other lines share
the rest in proportion to the amounts paid for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from providers.currencies import hundredths
from providers.journal.models import Write
from providers.sales import Order, OrderLine

WHOLE_SALE = "sale"  # the line of an order whose lines are not known


@dataclass(slots=True, kw_only=True)
class Line:
    """One line of the body. `weight` is the amount paid for it, in cents; `reward` marks a free product."""

    line_id: str
    sku: str
    quantity: int
    weight: int
    reward: str = ""
    cents: int = 0


def order_body(
    order: Order,
    rewards: Sequence[Write],
    names: Mapping[str, str],
    newcomer: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the body for `order`, in which exactly `rewards` were used. A `newcomer` is enrolled by it."""
    total = hundredths(order.earn_base.amount, order.earn_base.currency)
    lines = [_line(line, order.earn_base.currency) for line in order.lines if line.quantity > 0]
    if not lines:
        lines = [Line(line_id=order.order_id, sku=WHOLE_SALE, quantity=1, weight=total)]
    vouchers = [reward for reward in rewards if not _mark_free(lines, reward)]
    payable = [line for line in lines if not line.reward] or lines
    _share(payable, total + sum(reward.detail["saving_cents"] for reward in vouchers))
    written = [_written(line, names) for line in lines]
    written += [_voucher_line(reward, names) for reward in vouchers]
    return {
        "order_id": order.order_id,
        names["order.channel"]: names["value.channel"],
        names["order.delivery_mode"]: names["value.delivery_mode"],
        "loyalty_store_slug": order.store,
        names["order.amount"]: total,
        "reward_ids": [reward.detail["reward"] for reward in rewards],
        names["order.status"]: names["value.status"],
        names["order.created_at"]: order.placed_at.astimezone(UTC).isoformat(timespec="seconds"),
        names["order.delivery_status"]: names["value.delivery_status"],
        "lines": written,
        "customer": dict(newcomer) if newcomer else {names["order.customer_id"]: order.member_ref},
        "payments": [{"method": names["value.payment_method"], "amount": total}],
    }


def void_body(store: str, status: str, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the body that takes a whole order back."""
    return {
        "loyalty_store_slug": store,
        names["order.status"]: status,
        names["order.delivery_status"]: names["value.delivery_status_cancelled"],
    }


def _line(line: OrderLine, currency: str) -> Line:
    weight = max(0, hundredths(line.net, currency))
    return Line(line_id=line.item_id, sku=line.product_id, quantity=line.quantity, weight=weight)


def _mark_free(lines: list[Line], reward: Write) -> bool:
    """Move one unit that fits the reward to a separate free line; False when there is none."""
    fitting = [line for line in lines if line.sku in reward.detail["skus"] and not line.reward]
    if not fitting:
        return False
    chosen = min(fitting, key=lambda line: line.weight // line.quantity)
    if chosen.quantity > 1:
        unit = chosen.weight // chosen.quantity
        rest = Line(
            line_id=f"{chosen.line_id}-rest",
            sku=chosen.sku,
            quantity=chosen.quantity - 1,
            weight=chosen.weight - unit,
        )
        lines.append(rest)
        chosen.quantity, chosen.weight = 1, unit
    chosen.reward = reward.detail["reward"]
    return True


def _share(lines: Sequence[Line], total: int) -> None:
    """Give the lines `total` cents in proportion to their weights, to the cent."""
    weights = [line.weight for line in lines]
    if not sum(weights):
        weights = [line.quantity for line in lines]
    given, seen = 0, 0
    for line, weight in zip(lines, weights, strict=True):
        seen += weight
        line.cents = total * seen // sum(weights) - given
        given += line.cents


def _written(line: Line, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": line.line_id,
        "sku": line.sku,
        "name": line.sku,
        "quantity": line.quantity,
        names["order.line_amount"]: line.cents,
        "reward_id": line.reward or None,
    }


def _voucher_line(reward: Write, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"reward-{reward.pk}",
        "sku": reward.detail["reward"],
        "name": reward.detail["reward"],
        "quantity": 1,
        names["order.line_amount"]: -reward.detail["saving_cents"],
        "reward_id": reward.detail["reward"],
    }
