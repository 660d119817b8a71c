"""The bodies of calls."""

from typing import Literal

from pydantic import Field

from providers.house.api.calls.fields import (
    Amount,
    Answer,
    Body,
    CartKey,
    Code,
    Day,
    Email,
    ItemId,
    MemberId,
    MemberNumber,
    MoneyIn,
    Name,
    Phone,
    Reference,
    Time,
    example,
)


class Search(Body):
    """What to find members by: exactly one of the three."""

    model_config = example({"email": "mia@example.com"})

    member_number: MemberNumber | None = None
    email: Email | None = None
    phone: Phone | None = None


class ConsentAnswers(Body):
    """The answers to “may we write to you”. An answer that is left out stays as it is."""

    model_config = example({"email": "yes"})

    email: Answer | None = None
    sms: Answer | None = None


class Enrolment(Body):
    """A new member: an e-mail address or a phone number at least. `birthday` and `referral_code` are taken
    where the program asks for them."""

    model_config = example({"email": "mia@example.com", "first_name": "Mia", "consents": {"email": "yes"}})

    email: Email | None = None
    phone: Phone | None = None
    first_name: Name = ""
    last_name: Name = ""
    birthday: Day | None = None
    referral_code: Code | None = None
    consents: ConsentAnswers = ConsentAnswers()


class LineIn(Body):
    """One line of an order or return. `total` is what the line earns on, in the same currency."""

    line_id: Reference
    product_id: Reference
    quantity: int = Field(ge=1, le=100_000)
    total: Amount


class OrderIn(Body):
    """An order that is paid. `total` is what it earns on: after discounts, without what the program's rule
    leaves out. Lines are needed only where the program's rules ask for products."""

    model_config = example(
        {
            "order_id": "W-1001",
            "member": "mem_12",
            "placed_at": "2026-05-04T12:30:00Z",
            "total": {"amount": "80.00", "currency": "USD"},
            "lines": [{"line_id": "1", "product_id": "TOTE-01", "quantity": 2, "total": "80.00"}],
        }
    )

    order_id: Reference
    member: MemberId
    placed_at: Time
    total: MoneyIn
    lines: list[LineIn] = Field(default=[], max_length=500)
    store: str = Field(default="", pattern=r"^[!-~]{0,100}$")


class ReturnIn(Body):
    """Goods that came back. `total` is their part of the order's total; `is_complete` says that nothing of
    the order is left, so that every point goes back."""

    model_config = example(
        {
            "return_id": "R-1",
            "order_id": "W-1001",
            "member": "mem_12",
            "returned_at": "2026-05-09T09:00:00+02:00",
            "total": {"amount": "40.00", "currency": "USD"},
        }
    )

    return_id: Reference
    order_id: Reference
    member: MemberId
    returned_at: Time
    total: MoneyIn
    is_complete: bool = False
    lines: list[LineIn] = Field(default=[], max_length=500)


class CancellationIn(Body):
    """An order that is cancelled as a whole."""

    model_config = example({"order_id": "W-1001", "member": "mem_12"})

    order_id: Reference
    member: MemberId


class CodeIn(Body):
    """A code that the customer typed in the cart, in any spelling."""

    model_config = example({"code": "WELCOME-7Q2M"})

    code: Code


class ReservationIn(Body):
    """What a cart reserves. `points` is the price that the customer saw: 0 for a voucher."""

    model_config = example(
        {
            "key": "cart-7-line-1",
            "member": "mem_12",
            "kind": "reward",
            "item_id": "five-off",
            "points": 100,
            "minutes": 30,
        }
    )

    key: CartKey
    member: MemberId
    kind: Literal["reward", "points", "voucher"]
    item_id: ItemId
    points: int = Field(ge=0, le=100_000_000)
    minutes: int = Field(default=30, ge=1, le=1440)


class ConfirmationIn(Body):
    """The order that carries what was reserved."""

    model_config = example({"order_id": "W-1001"})

    order_id: Reference
