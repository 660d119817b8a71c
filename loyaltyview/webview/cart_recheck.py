"""NewStore's cart is read again at the tap: what was removed since the page was opened.

NewStore's cart API has products and quantities, no prices and no total. So removed items have the launch's
prices (docs/decisions/0014-the-cart-is-read-again-on-the-tap.md). Where NewStore does not answer within its
small budget, the launch's cart counts.
"""

from collections import Counter
from decimal import ROUND_DOWN, Decimal
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter as Metric

from loyaltyview.newstore.answers import HostCart
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.offers import smallest_unit
from loyaltyview.redemptions.refusals import Refusal, mint_refusal
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from providers.outbound import parallel

log = structlog.get_logger(__name__)

BUDGET_S = 0.6
DEADLINE_S = 0.7  # nothing else bounds the look-up of a host name

readings = Metric(
    "newstore_tap_carts_total", "Carts read again at a tap, by outcome.", ["program", "outcome"]
)

Units = dict[str, int]


def units_of(cart: HostCart | None) -> Units | None:
    """Return how many units of each product NewStore has in `cart`, None where it does not say."""
    if cart is None or cart.items is None:
        return None
    units: Counter[str] = Counter()
    for item in cart.items:
        units[item.product_id] += max(0, int(item.quantity.to_integral_value("ROUND_CEILING")))
    return dict(units)


def begin(launch: Launch) -> parallel.Pending | None:
    """Start to read the launch's cart while the vendor is asked. None where there is nothing to read, or
    where this request has read it already."""
    if launch.is_cart_read or not launch.has_cart or not launch.program.newstore_check_carts:
        return None
    launch.is_cart_read = True
    return parallel.start({"cart": partial(_read, launch)}, DEADLINE_S)


def finish(launch: Launch, pending: parallel.Pending | None) -> None:
    """Store what was read. Where items were removed, the launch keeps the smaller cart, and `cart_before` is
    the one that its page showed. Raises Problem when the cart can no longer be priced."""
    if pending is None:
        return
    answer = pending.results(DEADLINE_S)["cart"].value
    if not isinstance(answer, HostCart):
        is_gone = isinstance(answer, NewStoreRejected) and answer.status == 404
        readings.labels(launch.program.slug, "GONE" if is_gone else "UNREAD").inc()
        if not is_gone:
            error = answer or NewStoreUnavailable("deadline")
            note_trouble(launch.program, TroubleKind.NEWSTORE, mint_refusal(error).value)
        if is_gone:
            raise Problem(Refusal.CART_UNKNOWN, status=409)
        return
    now = units_of(answer)
    if now is None:
        return
    try:
        cart = _without_what_is_gone(launch.cart, launch.host_units, now, launch.program.currency)
    except Problem as problem:
        readings.labels(launch.program.slug, problem.code).inc()
        raise
    readings.labels(launch.program.slug, "REDUCED" if cart else "SAME").inc()
    if cart:
        log.info("cart_reduced", program=launch.program.slug, cart=launch.cart_id)
        launch.cart_before, launch.cart, launch.host_units = launch.cart, cart, now
        Launch.objects.filter(pk=launch.pk).update(cart=cart, host_units=now)


def _read(launch: Launch) -> HostCart | NewStoreError:
    try:
        return NewStoreClient(launch.program, budget_s=BUDGET_S).get_cart(launch.cart_id)
    except NewStoreError as error:
        return error


def _without_what_is_gone(
    cart: dict[str, Any], then: Units | None, now: Units, currency: str
) -> dict[str, Any] | None:
    """Return `cart` (`carts.cart_json`) as it is without what was in it `then` and is not `now`; None where
    nothing is gone, or nothing can be compared. `then` is None where NewStore did not say it at the launch:
    the launch's own items stand in. Raises Problem where what is left has no price that we know."""
    before = Counter(then) if then is not None else Counter(item["product_id"] for item in cart["items"])
    if not now and before:
        return {**cart, "total": "0", "items": []}
    gone = before - Counter(now)
    if not gone or (then is None and not before & Counter(now)):
        return None
    kept, unpriced = [], gone.copy()
    for item in cart["items"]:
        if unpriced[item["product_id"]] > 0:
            unpriced[item["product_id"]] -= 1
        else:
            kept.append(item)
    whole, rest = _sum(cart["items"]), _sum(kept)
    # What came in its place has no price here.
    if Counter(now) - before or +unpriced or whole <= 0:
        raise Problem(Refusal.CART_CHANGED)
    # In proportion, since the total may hold tax and discounts.
    unit = smallest_unit(cart["currency"] or currency)
    total = (Decimal(cart["total"]) * rest / whole).quantize(unit, ROUND_DOWN)
    return {**cart, "total": str(total), "items": kept}


def _sum(items: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(item["price"]) for item in items), Decimal(0))
