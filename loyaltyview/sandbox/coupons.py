"""Loyalty coupons: codes made on request, valid for 15 minutes and one order.

Source: docs/contracts/newstore.md 4.0. What it marks as assumed (code shape, single use, which step refuses)
is assumed here too.
"""

import re
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, faults, promotions_error, read_json
from loyaltyview.sandbox.clock import Clock
from loyaltyview.sandbox.sample import smallest_unit

CODE_LIFE = timedelta(minutes=15)
CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
MAX_CONSUMERS = 1000

_VOUCHER = {
    "voucherId": "string*",
    "name": "string*",
    "discount": "number*",
    "type": "string*",
    "level": "string*",
    "currencies": "array",
    "consumers": "array",
}


@dataclass(slots=True, kw_only=True)
class Coupon:
    """One code. `discount` is in major units of the cart's currency, or a percentage.

    `minimums` maps each currency that it is valid for to the least cart value; empty means any currency.
    """

    code: str
    voucher_id: str
    name: str
    kind: str
    discount: Decimal
    minimums: dict[str, Decimal]
    consumers: frozenset[str]
    created_at: datetime
    cart_id: str = ""
    order_id: str = ""
    is_active: bool = True
    clock: Clock = field(default_factory=Clock)

    @property
    def expires_at(self) -> datetime:
        return self.created_at + CODE_LIFE

    def is_expired(self) -> bool:
        return self.clock.now() >= self.expires_at

    def refusal(self, *, cart_id: str, remaining: Decimal, currency: str, profile_id: str) -> str:
        """Return why this cart may not use the code, in a sentence for the associate; empty when it may."""
        if self.order_id:
            return "This code was already used."
        if not self.is_active:
            return "This code was switched off."
        if self.cart_id not in ("", cart_id):
            return "This code is in another cart."
        if self.is_expired():
            return "This code has expired."
        if self.minimums and currency not in self.minimums:
            return f"This code is not valid in {currency}."
        if remaining < self.minimums.get(currency, Decimal(0)):
            least = self.minimums[currency].quantize(smallest_unit(currency))
            return f"The cart must be at least {least:f} {currency}."
        if self.consumers and profile_id not in self.consumers:
            return "This code belongs to another customer."
        return ""


@dataclass(slots=True)
class CouponBook:
    """All codes of the tenant, and the ids and names of vouchers so far."""

    lock: threading.RLock
    clock: Clock = field(default_factory=Clock)
    codes: dict[str, Coupon] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def create_loyalty(self, request: Request) -> Response:
        """`POST /v0/promotions/loyalty`: all vouchers are made, or none."""
        body = read_json(request, promotions_error)
        causes = faults(body, {"vouchers": "array*"})
        vouchers = body.get("vouchers")
        if isinstance(vouchers, list):
            if not vouchers:
                causes.append("vouchers: must not be empty")
            for index, voucher in enumerate(vouchers):
                causes += _voucher_faults(voucher, f"vouchers[{index}].")
        if causes:
            raise promotions_error(400, "invalid request", causes)
        with self.lock:
            for voucher in body["vouchers"]:
                owner = next((id for id, name in self._names.items() if name == voucher["name"]), None)
                if owner not in (None, voucher["voucherId"]):
                    raise promotions_error(400, "invalid request", ["name: must be unique"])
            warnings = [w for voucher in body["vouchers"] if (w := self._mismatch(voucher))]
            codes = [self.add(voucher).code for voucher in body["vouchers"]]
        return answer({"codes": codes, "warnings": warnings}, 201)

    def search(self, request: Request) -> Response:
        """`GET /v0/promotions/coupon?page=&count=&name=`: the older list, with the codes of each voucher."""
        wanted, page, count = (request.args.get(key, "") for key in ("name", "page", "count"))
        if not page.isdecimal() or not count.isdecimal() or not int(page) or not 0 < int(count) <= 1000:
            raise promotions_error(400, "invalid request", ["page and count must be positive numbers"])
        with self.lock:
            names = {id: name for id, name in self._names.items() if wanted in ("", name)}
            codes = {id: [_listed(c) for c in self.codes.values() if c.voucher_id == id] for id in names}
            coupons = [{"id": id, "name": name, "codes": codes[id]} for id, name in names.items()]
        start = (int(page) - 1) * int(count)
        return answer({"items": [{"coupon": coupon} for coupon in coupons[start : start + int(count)]]})

    def change_code(self, request: Request, coupon_id: str, code_id: str) -> Response:
        """`PATCH /v0/promotions/coupon/{couponId}/code/{codeId}`: switches a code on or off."""
        body = read_json(request, promotions_error)
        shape = {"id": "string*", "name": "string*", "redemptions": "number*", "active": "boolean*"}
        if found := faults(body, shape):
            raise promotions_error(400, "invalid request", found)
        with self.lock:
            coupon = next((c for c in self.codes.values() if _listed(c)["id"] == code_id), None)
            if coupon is None or coupon.voucher_id != coupon_id:
                raise promotions_error(404, "not found")
            coupon.is_active = body["active"]
            return answer(_listed(coupon))

    def add(self, voucher: Json) -> Coupon:
        """Make a code for a voucher that was checked before."""
        coupon = Coupon(
            code="".join(secrets.choice(CODE_ALPHABET) for _ in range(10)),
            voucher_id=voucher["voucherId"],
            name=voucher["name"],
            kind="fixed" if voucher["type"] == "Fixed" else "percentage",
            discount=Decimal(voucher["discount"]),
            minimums={
                currency["code"]: Decimal(currency["minimumCartValue"])
                for currency in voucher.get("currencies", [])
            },
            consumers=frozenset(voucher.get("consumers", [])),
            created_at=self.clock.now(),
            clock=self.clock,
        )
        with self.lock:
            self._names.setdefault(coupon.voucher_id, coupon.name)
            self.codes[coupon.code] = coupon
        return coupon

    def _mismatch(self, voucher: Json) -> Json | None:
        if self._names.get(voucher["voucherId"], voucher["name"]) == voucher["name"]:
            return None
        return {
            "code": "voucher_mismatch",
            "ref": voucher["voucherId"],
            "kind": "voucher",
            "message": "a voucher with this id and another name exists",
        }


def _listed(coupon: Coupon) -> Json:
    return {
        "id": f"k-{coupon.code.lower()}",
        "name": coupon.code,
        "redemptions": 1 if coupon.order_id else 0,
        "active": coupon.is_active,
    }


def _voucher_faults(voucher: object, where: str) -> list[str]:
    if not isinstance(voucher, dict):
        return [f"{where[:-1]}: must be object"]
    found = faults(voucher, _VOUCHER, where)
    if found:
        return found
    found += [f"{where}{name}: must not be empty" for name in ("voucherId", "name") if not voucher[name]]
    if voucher["type"] not in ("Fixed", "Percentage"):
        found.append(f"{where}type: must be Fixed or Percentage")
    if voucher["level"] != "Cart":
        found.append(f"{where}level: must be Cart")
    discount = Decimal(voucher["discount"])
    if discount <= 0 or (voucher["type"] == "Percentage" and discount > 100):
        found.append(f"{where}discount: out of range")
    for index, currency in enumerate(voucher.get("currencies", [])):
        found += _currency_faults(currency, f"{where}currencies[{index}].")
    consumers = voucher.get("consumers", [])
    if len(consumers) > MAX_CONSUMERS:
        found.append(f"{where}consumers: at most {MAX_CONSUMERS}")
    if not all(isinstance(consumer, str) and consumer for consumer in consumers):
        found.append(f"{where}consumers: must be strings")
    return found


def _currency_faults(currency: object, where: str) -> list[str]:
    if not isinstance(currency, dict):
        return [f"{where[:-1]}: must be object"]
    found = faults(currency, {"code": "string*", "minimumCartValue": "number*"}, where)
    if found:
        return found
    if not re.fullmatch("[A-Z]{3}", currency["code"]):
        found.append(f"{where}code: must be an ISO 4217 code")
    if currency["minimumCartValue"] < 0:
        found.append(f"{where}minimumCartValue: must not be negative")
    return found
