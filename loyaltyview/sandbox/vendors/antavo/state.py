"""The workspace: customers with points, events and transactions, rewards, coupons, offers, and rules."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.antavo.answers import Refusal, not_found

Json = dict[str, Any]
ACCOUNT = {"id": "main_account", "name": "Main account"}
# The workspace's own time zone: its times come with this offset.
ZONE = timezone(timedelta(hours=9, minutes=30))


def now_text() -> str:
    return vendor_now().astimezone(ZONE).isoformat(timespec="seconds")


def _is_over(expires_at: str) -> bool:
    """Return whether a time, or a date without a time, has passed in the workspace."""
    if len(expires_at) == len("2026-11-30"):
        return vendor_now().astimezone(ZONE).date().isoformat() > expires_at
    return datetime.fromisoformat(expires_at) <= vendor_now()


def new_id() -> str:
    return secrets.token_hex(12)


@dataclass(slots=True, kw_only=True)
class Event:
    action: str
    points: int = 0
    at: datetime = field(default_factory=vendor_now)
    properties: dict[str, str] = field(default_factory=dict)
    event_id: str = field(default_factory=new_id)
    is_revoked: bool = False

    def as_json(self) -> Json:
        shown = {
            "id": self.event_id,
            "action": self.action,
            "label": self.action.replace("_", " ").capitalize(),
            "points": self.points,
            "timestamp": self.at.astimezone(ZONE).isoformat(timespec="microseconds"),
            "account": ACCOUNT,
        }
        names = [{"name": name, "label": name, "value": value} for name, value in self.properties.items()]
        return {**shown, "properties": names}


@dataclass(slots=True, kw_only=True)
class Transaction:
    transaction_id: str
    status: str
    total: Decimal
    earned: int
    burned: int = 0
    refunded: Decimal = Decimal(0)
    taken: int = 0
    items: list[Json] = field(default_factory=list)
    refunded_items: dict[str, int] = field(default_factory=dict)
    at: datetime = field(default_factory=vendor_now)

    def as_json(self) -> Json:
        return {
            "id": self.transaction_id,
            "status": self.status,
            "event": "checkout",
            "created_at": self.at.astimezone(ZONE).isoformat(timespec="seconds"),
            "total": float(self.total),
            "items": self.items,
            "earned": self.earned,
            "burned": self.burned,
            "bonus": 0,
            "refunded": self.taken,
        }


@dataclass(slots=True, kw_only=True)
class Coupon:
    code: str
    customer: str
    type: str
    value: Decimal
    name: str
    pool: str = ""
    minimum: Decimal = Decimal(0)
    balance: Decimal | None = None
    status: str = "claimed"
    claimed_at: str = field(default_factory=now_text)
    redeemed_at: str | None = None
    expires_at: str | None = None

    @property
    def shown_status(self) -> str:
        """Return the status; an expired coupon has one of its own."""
        is_usable = self.status in ("claimed", "partially_redeemed")
        return "expired" if is_usable and self.expires_at and _is_over(self.expires_at) else self.status

    def as_json(self) -> Json:
        """Return the coupon as in the customer's own list: without minimum and balance."""
        return {
            "code": self.code, "status": self.shown_status, "type": self.type, "value": float(self.value),
            "currency": None, "created_at": self.claimed_at, "claimed_at": self.claimed_at,
            "redeemed_at": self.redeemed_at, "expires_at": self.expires_at, "name": self.name,
            "pool": self.pool,
        }  # fmt: skip

    def details(self) -> Json:
        balance = None if self.balance is None else float(self.balance)
        limits = {"min_amount": None, "purchase_threshold": float(self.minimum), "balance": balance}
        return {**self.as_json(), **limits, "customer": {"id": self.customer}}


@dataclass(slots=True, kw_only=True)
class Reward:
    reward_id: str
    title: str
    points: int
    type: str = "coupon"
    coupon_type: str = ""
    value: Decimal = Decimal(0)
    minimum: Decimal = Decimal(0)
    skus: str = ""
    stock: int = 1000
    max_claims: int = 0
    status: str = "active"
    exchange_rate: Decimal = Decimal(0)
    price_step: int = 0
    max_price: int = 0
    segment: str = ""
    description: str = ""


@dataclass(slots=True, kw_only=True)
class Customer:
    customer_id: str
    profile: Json = field(default_factory=dict)
    cards: list[str] = field(default_factory=list)
    status: str = "active"
    score: int = 0
    spent: int = 0
    expired: int = 0
    pending: int = 0
    reservations: dict[str, int] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    transactions: dict[str, Transaction] = field(default_factory=dict)

    @property
    def reserved(self) -> int:
        burning = sum(tx.burned for tx in self.transactions.values() if tx.status == "pending")
        return sum(self.reservations.values()) + burning

    @property
    def spendable(self) -> int:
        return self.score - self.spent - self.expired - self.reserved

    def note(self, action: str, points: int = 0, at: datetime | None = None, **properties: Any) -> Event:
        shown = {name: str(value) for name, value in properties.items() if value not in (None, "")}
        event = Event(action=action, points=points, properties=shown, at=at or vendor_now())
        self.events.append(event)
        return event


class Workspace:
    """Everything by id, and the switches of the workspace's modules."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.customers: dict[str, Customer] = {}
        self.rewards: dict[str, Reward] = {}
        self.coupons: dict[str, Coupon] = {}
        self.offers: dict[str, Json] = {}
        # (points a unit of money from, name, multiplier) in rising order.
        self.tiers: list[tuple[int, str, Decimal]] = [(0, "Member", Decimal(1))]
        self.burn_points, self.burn_amount = 20, 1
        self.accept_mode = "off"  # "manual": checkouts wait for checkout_accept
        self.suppresses_pii = False
        self.search_shape = "data"  # "list", "object"
        self.has_offers = self.has_preview = True
        self.tell: Callable[[Json], None] = lambda body: None

    def customer(self, name: str) -> Customer:
        """Return the customer of an id or `field:value`; a customer who opted out counts as unknown."""
        field_name, _, value = name.partition(":")
        for customer in self.customers.values():
            is_it = customer.profile.get(field_name) == value if value else customer.customer_id == name
            if is_it and customer.status != "opted_out":
                return customer
        raise not_found("Customer not found", 160212)

    def tier_of(self, customer: Customer) -> int:
        reached = [at for at, (threshold, *_) in enumerate(self.tiers) if threshold <= customer.score]
        return reached[-1]

    def earns(self, customer: Customer, total: Decimal) -> int:
        return int(total * self.tiers[self.tier_of(customer)][2])

    def new_coupon(self, customer: Customer, reward: Reward, value: Decimal) -> Coupon:
        coupon = Coupon(
            code=f"VC-{secrets.token_hex(4).upper()}",
            customer=customer.customer_id,
            type=reward.coupon_type,
            value=value,
            name=reward.title,
            pool=f"pool-{reward.reward_id}",
            minimum=reward.minimum,
        )
        self.coupons[coupon.code] = coupon
        return coupon

    def coupon(self, customer: Customer, code: str) -> Coupon:
        found = self.coupons.get(code)
        if found is None or found.customer != customer.customer_id:
            raise Refusal(1601, "Coupon not found")
        return found
