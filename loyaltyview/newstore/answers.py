"""What NewStore's REST API answers, as frozen dataclasses. Source: docs/contracts/newstore.md 7 and 8.4.

A field of a wrong type, or a required field that is missing, raises NewStoreUnexpected.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from loyaltyview.newstore.errors import NewStoreUnexpected
from loyaltyview.newstore.http import Answer
from providers.texts import plain

MAX_TEXT = 8192  # the longest value an extended attribute may have


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCartItem:
    """One line of the cart; NewStore's cart API knows no prices."""

    item_id: str
    product_id: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCart:
    """The cart as NewStore has it. `store_id` is empty for a cart of another channel than a store,
    `customer_id` (a profile id) while no customer is attached; `items` is None where the answer lists
    none."""

    cart_id: str
    store_id: str
    associate_id: str
    customer_id: str
    currency: str
    channel_type: str
    state: str
    items: tuple[HostCartItem, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A NewStore customer. `attributes` are the extended attributes with a text value;
    `updated_at` is NewStore's own text, because a write must send it back unchanged."""

    profile_id: str
    display_id: str
    email: str
    first_name: str
    last_name: str
    full_name: str
    phone: str
    store_id: str
    updated_at: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the answer's body, which must be a JSON object."""
    if not isinstance(answer.body, dict):
        raise NewStoreUnexpected("the answer is not an object", answer.request_id)
    return answer.body


def list_in(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the list of objects under `key`; absent or null is empty."""
    value = body.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise NewStoreUnexpected(f"{key} is not a list of objects")
    return value


def cart_from(body: Mapping[str, Any]) -> HostCart:
    """Return the cart of `GET /checkout/carts/{id}`."""
    channel_type = _text(body, "channel_type")
    return HostCart(
        cart_id=_text(body, "id", required=True),
        store_id=_text(body, "channel_id") if channel_type.upper() == "STORE" else "",
        associate_id=_text(body, "associate_id"),
        customer_id=_text(body, "customer_id"),
        currency=_text(body, "currency", required=True),
        channel_type=channel_type,
        state=_text(body, "state"),
        items=None
        if body.get("items") is None
        else tuple(
            HostCartItem(
                item_id=_text(item, "id"),
                product_id=_text(item, "product_id", required=True),
                quantity=_number(item, "quantity"),
            )
            for item in list_in(body, "items")
        ),
    )


def profile_from(body: Mapping[str, Any]) -> Profile:
    """Return the profile of the Customer Profile API, version 2."""
    return Profile(
        profile_id=_text(body, "id", required=True),
        display_id=_text(body, "display_id"),
        email=_text(body, "email"),
        first_name=_text(body, "first_name"),
        last_name=_text(body, "last_name"),
        full_name=_text(body, "full_name"),
        phone=_text(body, "phone_number"),
        store_id=_text(body, "store_id"),
        updated_at=_as_sent(body, "updated_at"),
        attributes={
            name: value["value"]
            for name, value in attributes_in(body).items()
            if isinstance(value.get("value"), str)
        },
    )


def attributes_in(body: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the profile's whole map of extended attributes, as it must be sent back."""
    value = body.get("extended_attributes")
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise NewStoreUnexpected("extended_attributes is not a map of objects")
    return value


def _text(body: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    value = body.get(key)
    if value is not None and (not isinstance(value, str) or len(value) > MAX_TEXT):
        raise NewStoreUnexpected(f"{key} is not a text")
    text = plain(value or "")
    if required and not text:
        raise NewStoreUnexpected(f"{key} is missing")
    return text


def _as_sent(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
        raise NewStoreUnexpected(f"{key} is missing or no text")
    return value


def _number(body: Mapping[str, Any], key: str) -> Decimal:
    value = body.get(key, 1)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise NewStoreUnexpected(f"{key} is not a number")
    return Decimal(value)
