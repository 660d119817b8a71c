"""How a sale is told to the vendor once: as an event of the tenant's own type, or as an order to Receipts.

Source: docs/contracts/whitelabel.md 2.7, 2.11. Receipts stores the order and reports ORDER_PLACED to the
engine, whose reactors decide the points. Both ways carry our request id. Before anything is sent again, the
events are looked through for it.
"""

from typing import Any

from providers.dates import timestamp
from providers.errors import RejectReason
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteState
from providers.journal.spending import Found, Made
from providers.journal.states import note
from providers.sales import Order
from providers.whitelabel import events
from providers.whitelabel.client import Client, Json, rejecting
from providers.whitelabel.members import login_of
from providers.whitelabel.release import OFFER
from providers.whitelabel.settings import RECEIPTS
from providers.whitelabel.worth import sale_amount

PLACED = "ORDER_PLACED"  # the engine's own type; nobody can report it
SOURCE = "LoyaltyView"
REACTED = "reacted"  # in `Write.detail` of a sale whose report was answered with its reactions run
SEEN = "events"  # what `Write.shown_before` holds: the ids of the orders that the engine knew before


def report_once(client: Client, sale: Write, order: Order) -> None:
    """Tell the vendor of the sale, unless it was told before. Raises as `journal.delivery.deliver`."""
    is_receipt = client.settings.sales == RECEIPTS
    deliver(
        sale,
        lambda: _place(client, sale, order) if is_receipt else _report(client, sale, order),
        lambda: look_for_sale(client, sale),
        client.settled_after,
        before=lambda: {SEEN: _placed_before(client, sale)} if is_receipt else {},
    )


def look_for_sale(client: Client, sale: Write) -> Found:
    """Look for the event of the sale, however it was reported."""
    request = request_of(sale)
    if SEEN not in (sale.shown_before or {}):
        return events.find_request(client, sale, client.settings.sale_type, "sale_request", request)
    found = events.find_event(client, sale, PLACED, lambda event: _request_in(client, event) == request)
    if found.made or not found.is_complete or not sale.member_ref:
        return found
    # Another order of the member came meanwhile, and it does not say whose it is: a person decides.
    seen = (sale.shown_before or {})[SEEN]
    unnamed = events.find_event(
        client,
        sale,
        PLACED,
        lambda event: not _request_in(client, event) and events.event_id(event) not in seen,
    )
    return Found(is_complete=not unnamed.made)


def earned_points(client: Client, sale: Write, *, is_patient: bool) -> int | None:
    """Return what a reported sale earned, asking the engine until it is known."""
    if not sale.member_ref:
        return 0
    if sale.points is None and sale.state == WriteState.DONE and not sale.vendor_ref:
        # Receipts answered with its order; the event comes after it.
        for made in look_for_sale(client, sale).made:
            note(sale, vendor_ref=made.ref)
    if sale.points is None and sale.vendor_ref:
        if sale.detail.get(REACTED):
            points = events.reaction_points(client, sale.vendor_ref)
        elif is_patient:
            points = events.settled_points(client, sale.vendor_ref)
        else:
            points = events.moved_points(client, sale.vendor_ref)
        if points is not None:
            note(sale, points=max(points, 0))
    return sale.points


def is_new_member(sale: Write, order: Order) -> bool:
    """Return whether the sale was planned without a member, not sent, and has one now."""
    return bool(order.member_ref) and not sale.member_ref and sale.state == WriteState.PLANNED


def request_of(write: Write) -> str:
    """Return the request id by which the event of `write` is found again."""
    return f"{write.kind}-{write.key}"


def _report(client: Client, sale: Write, order: Order) -> Made:
    kind, executor = client.settings.sale_type, order.associate_id
    payload = _payload(client, order, request_of(sale))
    with rejecting(RejectReason.INVALID_INPUT):
        event = events.report(client, kind, sale.member_ref, payload, executor=executor, at=order.placed_at)
    detail = {REACTED: True} if events.says_reacted(client, event) else {}
    return Made(ref=events.event_id(event), detail=detail)


def _place(client: Client, sale: Write, order: Order) -> Made:
    body = _receipt(client, sale, order)
    with rejecting(RejectReason.INVALID_INPUT):
        client.send("/orders", body, operation="place_order", base_url=client.settings.receipts_api)
    return Made(ref="")


def _payload(client: Client, order: Order, request: str) -> Json:
    """Return the tenant's payload of a sale. No personal data: events outlive the member's account."""
    return client.names.payload(
        {
            "sale_id": order.order_id,
            "sale_amount": sale_amount(client, order.earn_base.amount),
            "sale_currency": order.earn_base.currency,
            "sale_store": order.store,
            "sale_associate": order.associate_id,
            "sale_request": request,
            "sale_items": _items(client, order, "item"),
            "sale_benefits": _discounts(client, order),
        }
    )


def _receipt(client: Client, sale: Write, order: Order) -> Json:
    """Return the body of an order. A sale without a member has no submitter, or the tenant's common one."""
    values: dict[str, Any] = {
        "receipt_id": order.order_id,
        "receipt_placed_at": timestamp(order.placed_at),
        "receipt_total": sale_amount(client, order.earn_base.amount),
        "receipt_currency": order.earn_base.currency,
        "receipt_store": order.store,
        "receipt_associate": order.associate_id,
        "receipt_source": SOURCE,
        "receipt_request": request_of(sale),
        "receipt_items": _items(client, order, "receipt_item"),
        "receipt_discounts": _discounts(client, order),
    }
    named = {name: value for name, value in values.items() if value != ""}
    submitter = login_of(client, sale.member_ref) if sale.member_ref else client.settings.anonymous_submitter
    return client.nested({**({"receipt_submitter": submitter} if submitter else {}), **named})


def _items(client: Client, order: Order, name: str) -> list[Json]:
    return [
        client.names.payload(
            {
                f"{name}_sku": line.product_id,
                f"{name}_quantity": line.quantity,
                f"{name}_amount": sale_amount(client, line.net),
            }
        )
        for line in order.lines
    ]


def _discounts(client: Client, order: Order) -> list[Json]:
    """Return the benefits and always-on offers that were used in the order."""
    names = {"burned": "benefit_id", OFFER: "offer_id"}
    used = ((spend, name) for spend in order.spends for key, name in names.items() if key in spend.memo)
    return [client.names.payload({name: spend.provider_ref}) for spend, name in used]


def _placed_before(client: Client, sale: Write) -> list[str]:
    """Return the ids of the newest orders that the engine knows of the member."""
    if not sale.member_ref:
        return []
    filters = {"filter_subject": sale.member_ref, "filter_type": PLACED}
    rows = client.rows("/events", operation="list_events", filters=filters, limit=events.PAGE)
    return [events.event_id(row) for row in rows]


def _request_in(client: Client, event: Json) -> str:
    return client.names.text(events.payload_of(event), "placed_request")
