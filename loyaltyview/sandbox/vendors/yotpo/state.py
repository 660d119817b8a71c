"""The data of this Yotpo account. Plain rows; the modules that serve them have the rules."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.clock import vendor_now


@dataclass(slots=True, kw_only=True)
class HistoryItem:
    at: datetime
    action: str
    points: int
    status: str = "Approved"


@dataclass(slots=True, kw_only=True)
class Customer:
    """The next `hidden_reads` look-ups do not find the customer: Yotpo needs time to show a new one."""

    email: str
    first_name: str | None = None
    last_name: str | None = None
    phone_number: str | None = None
    third_party_id: str | None = None
    pos_account_id: str | None = None
    points_balance: int = 0
    points_earned: int = 0
    total_spend_cents: int = 0
    total_purchases: int = 0
    opt_in: bool = True
    opted_in_at: datetime | None = None
    tags: str = ""
    expires_on: str | None = None
    hidden_reads: int = 0
    history: list[HistoryItem] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Option:
    """A redemption option. `tier` is the lowest tier that may take it; `codes` are the codes of a custom
    coupon."""

    id: int
    name: str
    amount: int
    discount_type: str
    description: str = ""
    discount_amount_cents: int | None = None
    discount_percentage: int | None = None
    discount_rate_cents: int | None = None
    discount_value_cents: int | None = None
    cart_greater_than_cents: int | None = None
    variant_id: str | None = None
    is_offline: bool = True
    tier: str = ""
    codes: list[str] = field(default_factory=list)
    threshold: int = 8

    @property
    def is_custom(self) -> bool:
        return self.discount_type == "custom"

    @property
    def is_generic(self) -> bool:
        return self.discount_type.startswith("generic_")


State = Literal["pending_deduction", "deducted", "used", "cancelled"]


@dataclass(slots=True, kw_only=True)
class Redemption:
    id: int
    code_id: int
    option: Option
    customer: Customer
    points: int
    code: str
    state: State
    at: datetime


@dataclass(slots=True, kw_only=True)
class Order:
    """An order and the points that it has earned; `flags` name what was unusual about it."""

    order_id: str
    customer: Customer
    total_cents: int
    currency: str
    body: Json
    earned: int | None = None
    taken_back: int = 0
    refunds: dict[str, int] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Tier:
    id: int
    name: str
    points: int
    multiplier: Decimal


@dataclass(slots=True, kw_only=True)
class Books:
    """`clock` is the account's clock. `failed_jobs` were received and could not be applied."""

    customers: list[Customer] = field(default_factory=list)
    options: dict[int, Option] = field(default_factory=dict)
    tiers: list[Tier] = field(default_factory=list)
    redemptions: dict[int, Redemption] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    failed_jobs: list[str] = field(default_factory=list)
    clock: Callable[[], datetime] = field(default=vendor_now)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(5512001))

    def customer(self, field_name: str, value: str) -> Customer | None:
        """Return the customer whose field equals `value`; e-mails in any case."""
        for customer in self.customers:
            found = getattr(customer, field_name)
            if found == value or (field_name == "email" and found.lower() == value.lower()):
                return customer
        return None

    def redemption_of(self, code: str) -> Redemption | None:
        return next((each for each in self.redemptions.values() if each.code == code), None)

    def tier_of(self, customer: Customer) -> Tier | None:
        reached = [tier for tier in self.tiers if customer.points_earned >= tier.points]
        return reached[-1] if reached else None

    def tier_above(self, customer: Customer) -> Tier | None:
        return next((tier for tier in self.tiers if customer.points_earned < tier.points), None)

    def add_points(
        self, customer: Customer, points: int, action: str, *, earned: bool, status: str = ""
    ) -> None:
        """Change the balance and add a line to the history; `earned` also changes the lifetime points."""
        customer.points_balance += points
        if earned:
            customer.points_earned += points
        customer.history.append(
            HistoryItem(at=self.clock(), action=action, points=points, status=status or "Approved")
        )
