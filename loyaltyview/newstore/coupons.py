"""Minting a coupon code for a discount: NewStore's Loyalty Coupon API.
Source: docs/contracts/newstore.md 4.0.

A code that was never shown expires by itself, so minting is harmless and may be repeated. NewStore remembers
which name belongs to a voucherId. Both are derived from what defines the discount, the label included: a
renamed reward is another voucher, and no permanent mismatch.
"""

import hashlib
import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.conf import settings

from loyaltyview.newstore.answers import list_in, object_of
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnexpected
from loyaltyview.programs.models import Program
from loyaltyview.work import clock

log = structlog.get_logger(__name__)

VOUCHERS = uuid.UUID("6a1d4cf0-5f0b-4b5c-9d3f-0f5ad1b1c7c2")  # our UUIDv5 namespace; it must never change
CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
LABEL_LENGTH = 80
LARGEST_AMOUNT = Decimal(10) ** 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponRequest:
    """The discount to mint: exactly one of `amount` (major units of `currency`) and `percent` (0..100).

    `reference` is the reward's or voucher's id, `label` its title (no personal data). `minimum` is the
    smallest cart total; `profile_id`, when given, the only customer who may use the code.
    """

    reference: str
    label: str
    amount: Decimal | None
    percent: Decimal | None
    currency: str
    minimum: Decimal | None
    profile_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedCode:
    """A code NewStore made. `expires_at` is counted from before the call: never later than NewStore's."""

    code: str
    expires_at: datetime


def mint_code(program: Program, request: CouponRequest) -> MintedCode:
    """Make one code and return it. Takes at most 6 s, one repetition included; may be repeated.

    Raises NewStoreError: NewStoreRejected for a discount that a code cannot express, NewStoreUnexpected
    for a code that may stand for another discount.
    """
    voucher = _voucher(program, request)
    expires_at = clock.now() + timedelta(minutes=settings.CODE_LIFE_MINUTES)
    answer = NewStoreClient(program).call("POST", "/v0/promotions/loyalty", body={"vouchers": [voucher]})
    try:
        body = object_of(answer)
        for warning in list_in(body, "warnings"):
            _judge_warning(warning, voucher["voucherId"])
        codes = body.get("codes")
        if not isinstance(codes, list) or len(codes) != 1:
            raise NewStoreUnexpected("not exactly one code")
        if not isinstance(codes[0], str) or not CODE.fullmatch(codes[0]):
            raise NewStoreUnexpected("an answer that is not a coupon code")
    except NewStoreError as error:
        error.request_id = error.request_id or answer.request_id
        log.error(
            "mint_untrusted",
            program=program.slug,
            voucher=voucher["voucherId"],
            detail=error.detail,
            newstore_request_id=error.request_id,
        )
        raise
    return MintedCode(code=codes[0], expires_at=expires_at)


def coupon_name(program: Program, request: CouponRequest) -> str:
    """Return the name under which NewStore keeps this discount. Raises NewStoreRejected for a discount that
    a code cannot express."""
    return str(_voucher(program, request)["name"])


def _voucher(program: Program, request: CouponRequest) -> dict[str, Any]:
    kind, value = _kind_and_value(request)
    minimum = request.minimum if request.minimum is not None else Decimal(0)
    if not minimum.is_finite() or not 0 <= minimum < LARGEST_AMOUNT:
        raise NewStoreRejected("a minimum that is negative or infinite")
    label = " ".join("".join(c if c.isprintable() else " " for c in request.label).split())[:LABEL_LENGTH]
    parts = (
        program.slug,
        request.reference,
        label,
        kind,
        _plain(value),
        request.currency,
        _plain(minimum),
    )
    # Length-prefixed, so that no two lists of parts give the same text.
    voucher_id = uuid.uuid5(VOUCHERS, "".join(f"{len(part)}:{part}" for part in parts))
    unit = request.currency if kind == "Fixed" else "%"
    digest = hashlib.sha256(voucher_id.bytes).hexdigest()[:10]
    voucher: dict[str, Any] = {
        "voucherId": str(voucher_id),
        "name": f"{label} - {_plain(value)} {unit} ({digest})",
        "discount": value,
        "type": kind,
        "level": "Cart",
        # Sent even without a minimum: it is what keeps the code from working in another currency.
        "currencies": [{"code": request.currency, "minimumCartValue": minimum}],
    }
    if request.profile_id:
        voucher["consumers"] = [request.profile_id]
    return voucher


def _kind_and_value(request: CouponRequest) -> tuple[str, Decimal]:
    value = request.percent if request.amount is None else request.amount
    if value is None or (request.amount is not None and request.percent is not None):
        raise NewStoreRejected("neither or both of amount and percent")
    if not value.is_finite() or not 0 < value < LARGEST_AMOUNT:
        raise NewStoreRejected("a discount that is not above zero, or infinite")
    if request.amount is not None:
        return "Fixed", value
    if value > 100:
        raise NewStoreRejected("more than 100 percent")
    return "Percentage", value


def _judge_warning(warning: dict[str, Any], voucher_id: str) -> None:
    if warning.get("code") == "voucher_mismatch":
        raise NewStoreUnexpected("voucher_mismatch: NewStore knows this voucher under another name")
    log.warning("mint_warning", voucher=voucher_id, warning=str(warning.get("code"))[:100])


def _plain(value: Decimal) -> str:
    """Return 10, 10.0 and 10.00 as the same text."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
