"""What one point is worth as money.

Source: docs/contracts/whitelabel.md 2.7: the tenant's setting is preferred, then the program's own value,
then a test reaction, which stores nothing. Remembered for some minutes.
"""

from decimal import Decimal

from django.core.cache import cache
from django.utils import timezone

from providers.answers import number
from providers.currencies import minor_units
from providers.dates import timestamp
from providers.errors import UnexpectedAnswer
from providers.outbound.exchange import segment
from providers.types import Cart, Money
from providers.whitelabel.engine import Engine, Json, Refused, plain

REMEMBERED_S = 300
PROBE = Decimal(100)


def point_value(engine: Engine, ref: str) -> Money | None:
    """Return the worth of one point in the program's currency, None where nobody knows it."""
    key = f"whitelabel:{engine.config.program}:rate"
    known = cache.get(key)
    if known is None:
        value = _from_setting(engine) or engine.settings.point_value or _from_reaction(engine, ref)
        known = str(value or 0)
        cache.set(key, known, timeout=REMEMBERED_S)
    value = Decimal(known)
    return Money(amount=value, currency=engine.config.currency) if value > 0 else None


def preview_sale(engine: Engine, ref: str, cart: Cart) -> int | None:
    """Return what a sale of this cart would earn, as the engine's own reactors say; None where they do
    not."""
    if cart.total.currency != engine.config.currency:
        return None
    payload = engine.names.payload(
        {
            "sale_id": cart.cart_id,
            "sale_amount": sale_amount(engine, cart.total.amount),
            "sale_currency": cart.total.currency,
            "sale_store": cart.store,
            "sale_request": "preview",
            "sale_items": [
                engine.names.payload(
                    {
                        "item_sku": item.product_id,
                        "item_quantity": 1,
                        "item_amount": sale_amount(engine, item.price),
                    }
                )
                for item in cart.items
            ],
        }
    )
    points = _test(engine, engine.settings.sale_type, ref, payload)
    return None if points is None else max(points, 0)


def sale_amount(engine: Engine, amount: Decimal) -> int | float:
    """Return an amount of a sale in the unit that the tenant's reactors count in."""
    if engine.settings.amount_unit == "minor":
        return minor_units(amount, engine.config.currency)
    return plain(amount)


def _from_setting(engine: Engine) -> Decimal | None:
    name = engine.settings.rate_setting
    if not name:
        return None
    try:
        data = engine.get(f"/settings/{segment(name)}", operation="get_setting")
    except Refused:
        return None
    value = number(data.get("value") if isinstance(data, dict) else data)
    return value if value is not None and value > 0 else None


def _from_reaction(engine: Engine, ref: str) -> Decimal | None:
    """Ask what a spend worth 100 would take: tells the rate where the reactor counts in money."""
    payload = engine.names.payload({"probe_amount": plain(PROBE), "points_request": "probe"})
    points = _test(engine, engine.settings.spend_type, ref, payload)
    return PROBE / -points if points is not None and points < 0 else None


def _test(engine: Engine, kind: str, ref: str, payload: Json) -> int | None:
    body = {"type": kind, "subject": ref, "occurredAt": timestamp(timezone.now()), "payload": payload}
    try:
        data = engine.test("/events/test_reaction", body, operation="test_reaction")
    except UnexpectedAnswer:
        return None  # refused by the tenant's schema, or of another shape: then there is no answer
    found = list(_points_in(data))
    return int(sum(found)) if found else None


def _points_in(data: object) -> list[Decimal]:
    """Return every number called `points`, wherever in the answer (its shape is assumed)."""
    if isinstance(data, dict):
        own = number(data.get("points"))
        inner = [each for value in data.values() for each in _points_in(value)]
        return inner if own is None else [own, *inner]
    if isinstance(data, list):
        return [each for value in data for each in _points_in(value)]
    return []
