"""Reading a launch: each shape that the host app uses becomes a `LaunchContext` or a `LaunchError`.

Three shapes (docs/contracts/newstore.md 1): the query string, `window.NEWSTORE`, and a JSON fragment. The
latter two are posted by the launch page's script. A value is taken from what was posted if it is there, else
from the query string. Nothing in it is authenticated: everything is a bounded, well-formed hint.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import unquote

from loyaltyview.newstore.context import LaunchContext, LaunchItem
from loyaltyview.newstore.errors import LaunchError
from loyaltyview.newstore.http import parse_json
from loyaltyview.newstore.theme import read_theme
from loyaltyview.programs.models import Program
from providers.texts import plain_of

# Our name -> the host's names, the first one present counts. NewStore does not document the names inside
# the query's `cart`, and retailers can rename those of the fragment ("Data Key").
KEYS: Mapping[str, tuple[str, ...]] = {
    "token": ("securityToken", "token"),
    "external_identity": ("externalIdentity",),
    "cart_id": ("cartId",),
    "customer_email": ("customerEmail",),
    "profile_id": ("profileId", "customerId"),
    "loyalty_id": ("loyaltyId", "loyalty_id"),
    "store_id": ("storeId", "store"),
    "associate_id": ("associateId",),
    "currency": ("currency", "currencyCode"),
    "cart_total": ("cartTotal", "totalRemainingAmount", "remainingAmount"),
    "items": ("items",),
    "selected_coupons": ("selectedCoupons",),
    # Inside an item, a selected coupon, a store object.
    "item_id": ("itemId", "id"),
    "product_id": ("productId", "product_id"),
    "price": ("price",),
    "coupon_code": ("code", "couponCode"),
    "store_object_id": ("storeId", "id", "store_id"),
    # Inside `theme.color` and `dimensions`. NewStore does not say which of its colours means what.
    "accent": ("accent", "primary", "blue500"),
    "good": ("green500",),
    "warn": ("orange500",),
    "bad": ("red500",),
    "inset_top": ("safeAreaInsetTop",),
    "inset_bottom": ("safeAreaInsetBottom",),
}

MAX_TEXT = 262_144
MAX_ITEMS = 500
MAX_COUPONS = 50
MAX_ID = 100
MAX_EMAIL = 254
MAX_LOYALTY_ID = 200
MAX_CODE = 64
MAX_AMOUNT = Decimal("9999999999.99")
FINEST = Decimal("0.001")  # the smallest unit of any currency has three decimals
TOKEN = re.compile(r"[A-Za-z0-9._-]{1,128}")
CART_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")  # stands in a path: not "." or ".."

LAUNCH_FIELDS = tuple(name for name in LaunchContext.__dataclass_fields__ if name in KEYS)
CART_FIELDS = ("cart_total", "currency", "items", "selected_coupons")
Keys = Mapping[str, tuple[str, ...]]
Flat = dict[str, Any]


def keys_of(program: Program) -> Keys:
    """Return the names that the program's app uses; a name it sets takes the place of the usual ones."""
    own = program.newstore_launch_keys.items()
    return {**KEYS, **{name: (given,) if isinstance(given, str) else tuple(given) for name, given in own}}


def read_query(params: Mapping[str, str], keys: Keys = KEYS) -> LaunchContext:
    """Return the launch of the documented query string `token, externalIdentity, cart, store`.

    `params` are percent-decoded once (Django's request.GET). Without a cart's id or total it is a launch from
    a customer's profile, if it names one. Raises LaunchError: TOKEN_MISSING, TOKEN_MALFORMED, CART_MISSING,
    CART_MALFORMED, TOTAL_MALFORMED, CURRENCY_MALFORMED.
    """
    if not params.get("cart"):
        raise LaunchError("CART_MISSING")
    cart = _parse_object(str(params["cart"]))
    if cart is None:
        raise LaunchError("CART_MALFORMED", "cart is neither JSON nor base64 of it")
    return _context(_over(cart, _query_values(params, keys), keys), keys)


def has_readable_cart(params: Mapping[str, str]) -> bool:
    """Whether the query string's cart can be read. The app's encoding of it is not documented; an unreadable
    cart is ignored in favour of what only the page's script sees (docs/contracts/newstore.md 1.2)."""
    return _parse_object(str(params.get("cart") or "")) is not None


def read_posted(text: str, params: Mapping[str, str] | None = None, keys: Keys = KEYS) -> LaunchContext:
    """Return the launch that the page's script posted: JSON text of `window.NEWSTORE` or of the fragment.

    `params` is the query string of the same launch: it fills in what was not posted.
    Raises LaunchError: as `read_query`, and CONTEXT_MALFORMED.
    """
    posted = _parse_object(text)
    if posted is None:
        raise LaunchError("CONTEXT_MALFORMED", "the posted context is not an object")
    values: Flat = {}
    if params:
        # A cart that does not parse is ignored here: the posted context may be complete.
        blob = _parse_object(str(params.get("cart") or "")) or {}
        values = _over(blob, _query_values(params, keys), keys)
    props = posted.get("contextProps")
    is_form = isinstance(props, dict) and isinstance(props.get("formData"), dict)
    if isinstance(props, dict):
        # A customer's extended attributes lie flat in formData: none of them may be taken for the token.
        top_only = (*keys["token"], *keys["external_identity"])
        for part in (props.get("formData"), props.get("cart")):
            inner = part if isinstance(part, dict) else {}
            values = _over(values, {name: inner[name] for name in inner if name not in top_only}, keys)
    values = _over(values, posted, keys)
    if is_form and _first(values, keys["token"]) is None:
        # Without a token there is no cart to hand over to: a field named like one of a cart's is an
        # attribute.
        of_cart = {own for name in CART_FIELDS for own in keys[name]}
        values = {name: value for name, value in values.items() if name not in of_cart}
    return _context(values, keys, is_form=is_form)


def _query_values(params: Mapping[str, str], keys: Keys) -> Flat:
    """Return the parameters besides the cart, each under the first of its names."""
    documented = {"token": "token", "external_identity": "externalIdentity", "store_id": "store"}
    values = {
        keys[field][0]: next((params[name] for name in (*keys[field], own) if params.get(name)), "")
        for field, own in documented.items()
        if keys[field]
    }
    return {name: value for name, value in values.items() if value}


def _over(values: Flat, source: Flat, keys: Keys) -> Flat:
    """Return `values` updated with `source`. A value that `source` gives is removed under its other names, so
    that the later source wins."""
    given = {name: value for name, value in source.items() if value not in (None, "")}
    hidden = {
        name
        for field in LAUNCH_FIELDS
        for name in keys[field]
        if any(other in given for other in keys[field])
    }
    return {**{name: value for name, value in values.items() if name not in hidden}, **given}


def _parse_object(text: str) -> Flat | None:
    """Return the JSON object in `text`: plain, percent-encoded once more, or base64 (standard or urlsafe)."""
    if len(text) > MAX_TEXT:
        return None
    for candidate in (text, unquote(text), _from_base64(text)):
        try:
            parsed = parse_json(candidate)
        except ValueError:
            continue
        if isinstance(parsed, dict):
            return parsed
    return None


def _from_base64(text: str) -> str:
    # A "+" in a query string arrives as a space.
    plain = unquote(text).strip().replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _context(values: Flat, keys: Keys, *, is_form: bool = False) -> LaunchContext:
    """`is_form`: posted from a page about one customer, which may be a new one without a name yet."""
    token = _first(values, keys["token"])
    if token is not None and (not isinstance(token, str) or not TOKEN.fullmatch(token)):
        raise LaunchError("TOKEN_MALFORMED")
    cart_id = _text(values, keys["cart_id"], MAX_ID)
    if cart_id and not CART_ID.fullmatch(cart_id):
        raise LaunchError("CART_MALFORMED", "a cart id with unusual characters")
    total = _first(values, keys["cart_total"])
    customer = (*keys["profile_id"], *keys["customer_email"], *keys["loyalty_id"])
    is_cart = total is not None or not (is_form or _first(values, customer))
    # A launch from a cart must lead back to it; a launch from a profile has nothing to hand over.
    if is_cart and token is None:
        raise LaunchError("TOKEN_MISSING")
    if is_cart and not cart_id:
        raise LaunchError("CART_MISSING", "no cart id")
    identity = _first(values, keys["external_identity"])
    currency = _text(values, keys["currency"], MAX_ID).upper()
    if currency and not re.fullmatch(r"[A-Z]{3}", currency):
        raise LaunchError("CURRENCY_MALFORMED")
    return LaunchContext(
        token=token or "",
        # `identity.read_identity` checks it.
        external_identity=identity if isinstance(identity, str) else "",
        cart_id=cart_id,
        customer_email=_hint(values, keys["customer_email"], MAX_EMAIL),
        profile_id=_hint(values, keys["profile_id"], MAX_ID),
        loyalty_id=_hint(values, keys["loyalty_id"], MAX_LOYALTY_ID),
        store_id=_store_id(values, keys),
        associate_id=_hint(values, keys["associate_id"], MAX_ID),
        currency=currency,
        cart_total=None if total is None else _left_to_pay(_amount(total, "TOTAL_MALFORMED")),
        items=_items(_first(values, keys["items"]), keys),
        selected_coupons=_coupons(_first(values, keys["selected_coupons"]), keys),
        theme=read_theme(values, keys),
    )


def _first(values: Flat, names: tuple[str, ...]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _text(values: Flat, names: tuple[str, ...], length: int) -> str:
    value = _first(values, names)
    if value is None:
        return ""
    text = plain_of(value, length)
    if not text:
        raise LaunchError("CART_MALFORMED", f"{names[0]} is not a text of at most {length} characters")
    return text


def _hint(values: Flat, names: tuple[str, ...], length: int) -> str:
    """Return an optional value; an unreadable one counts as missing."""
    return plain_of(_first(values, names), length)


def _store_id(values: Flat, keys: Keys) -> str:
    """Return the store's id. `store` has no documented format (an id, or JSON that holds one), so one that
    cannot be read is no reason to refuse the launch: NewStore's cart names the store too."""
    store = _first(values, keys["store_id"])
    if isinstance(store, str) and store.lstrip().startswith("{"):
        store = _parse_object(store)
    if isinstance(store, dict):
        return _hint(store, keys["store_object_id"], MAX_ID)
    return plain_of(store, MAX_ID)


def _amount(value: Any, code: str) -> Decimal:
    """Return money in major units: a JSON number or its text. The price of goods that come back in an
    exchange is negative."""
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,20})?", value.strip()):
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise LaunchError(code, "not a number")
    amount = Decimal(value)
    if not -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        raise LaunchError(code, "too large")
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -3:
        # An app that counts in floats sends 184.49999999999997.
        amount = amount.quantize(FINEST, ROUND_HALF_UP)
    return amount


def _left_to_pay(total: Decimal) -> Decimal:
    """Return 0 for a total below zero (goods come back) and for "-0"."""
    return total if total > 0 else Decimal(0)


def _items(value: Any, keys: Keys) -> tuple[LaunchItem, ...]:
    """Return the cart's units, except those without a price and those that come back: neither can be a free
    product."""
    items = []
    for entry in _entries(value, MAX_ITEMS, "items"):
        if not isinstance(entry, dict):
            raise LaunchError("CART_MALFORMED", "an item is not an object")
        price = _first(entry, keys["price"])
        product_id = _hint(entry, keys["product_id"], MAX_ID)
        amount = None if price is None else _amount(price, "CART_MALFORMED")
        if amount is None or amount < 0 or not product_id:
            continue
        item_id = _hint(entry, keys["item_id"], MAX_ID)
        items.append(LaunchItem(item_id=item_id, product_id=product_id, price=amount))
    return tuple(items)


def _coupons(value: Any, keys: Keys) -> tuple[str, ...]:
    """Return the codes that the cart already has, without repeats; elements are texts or objects."""
    codes = []
    for entry in _entries(value, MAX_COUPONS, "selectedCoupons"):
        if isinstance(entry, str):
            codes.append(_text({"code": entry}, ("code",), MAX_CODE))
        elif isinstance(entry, dict):
            codes.append(_text(entry, keys["coupon_code"], MAX_CODE))
        else:
            raise LaunchError("CART_MALFORMED", "a selected coupon is neither text nor object")
    return tuple(dict.fromkeys(code for code in codes if code))


def _entries(value: Any, limit: int, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > limit:
        raise LaunchError("CART_MALFORMED", f"{name} is not a list of at most {limit}")
    return value
