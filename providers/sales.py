"""The frozen dataclasses of what was spent, sold and brought back; see `providers.types` for units."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from providers.types import Cart, Discount, Money

# --- Spending -----------------------------------------------------------------------------------


class SpendKind(StrEnum):
    REWARD = "reward"
    VOUCHER = "voucher"
    POINTS = "points"
    OFFER = "offer"  # a discount that is always on: nothing is spent, and it can always be taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendIntent:
    """One spend that we are about to make, or whose answer was lost.

    `key` is ours, unique for ever and safe in URLs; we send it wherever the vendor accepts a key.
    `item_id` is the reward's or voucher's id; `points` the price the associate was shown.
    `code` is the NewStore coupon that will carry the discount. `requested_at` bounds `find_spend`.
    `pin` is what the customer has just typed, "" for nothing. It is stored and logged nowhere: `spend` sends
    it, and `find_spend` never has it.
    """

    key: str
    member_ref: str
    kind: SpendKind
    item_id: str
    points: int
    discount: Discount
    cart: Cart
    code: str
    requested_at: datetime
    pin: str = field(default="", repr=False, compare=False)


OWN_CODE = "own_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """A spend the vendor made. `provider_ref` is its name for it; `is_held` means that the points are
    reserved until `confirm`; `memo` is the data that the adapter needs for release and confirm. Under
    OWN_CODE it may have the code that the vendor shows the customer for this, which no till takes."""

    key: str
    member_ref: str
    kind: SpendKind
    provider_ref: str
    points: int
    is_held: bool = False
    memo: Mapping[str, str] = field(default_factory=dict)


class Finding(StrEnum):
    """The answer to "did that spend happen"."""

    HAPPENED = "happened"
    DID_NOT = "did_not"
    CANNOT_TELL = "cannot_tell"  # not yet, or never: ask again later


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendFinding:
    """`spend` is given exactly when `finding` is HAPPENED."""

    finding: Finding
    spend: Spend | None = None


# --- Orders and returns -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """`net` is the amount that the line earns on: after discounts, tax by the program's rule."""

    item_id: str
    product_id: str
    quantity: int
    net: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A completed sale. `earn_base` is the money that earns points; `spends` were used in it. `member_ref` is
    empty for a sale without a member.
    `store` is the vendor's store id; `currency` that of every amount."""

    order_id: str
    external_id: str
    member_ref: str
    placed_at: datetime
    earn_base: Money
    lines: tuple[OrderLine, ...] = ()
    spends: tuple[Spend, ...] = ()
    store: str = ""
    associate_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """Goods that came back. `return_id` is its own id: one order can have several returns.
    `net` is the part of the order's earn base that came back. `reported_as` is the id under which another
    system (the web shop) reported the order to the vendor; empty when we reported it by `order_id`.
    `is_complete` means that the whole order is back: all points that are left of it must be taken back."""

    return_id: str
    order_id: str
    member_ref: str
    returned_at: datetime
    net: Money
    order_earn_base: Money
    lines: tuple[OrderLine, ...] = ()
    store: str = ""
    reported_as: str = ""
    is_complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsChange:
    """The change of the balance by a recorded order or return; None where the vendor decides later."""

    points: int | None
