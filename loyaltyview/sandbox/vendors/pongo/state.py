"""The merchant's data in memory, and the callback for each change to a customer."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from loyaltyview.sandbox.clock import vendor_now
from loyaltyview.sandbox.vendors.pongo.sample import PEOPLE, REWARDS, STORES, Reward, Store
from loyaltyview.sandbox.vendors.pongo.validation import Json, not_found

VALID_DAYS = 30


def now_text() -> str:
    return vendor_now().isoformat(timespec="seconds")


@dataclass(slots=True, kw_only=True)
class Won:
    """One reward that a customer owns."""

    reward: Reward
    hash: str = field(default_factory=lambda: secrets.token_hex(20))
    coupon_code: str | None = None
    received_at: str = field(default_factory=now_text)
    expires_at: str = field(
        default_factory=lambda: (vendor_now() + timedelta(days=VALID_DAYS)).isoformat(timespec="seconds")
    )
    used_at: str | None = None
    is_locked: bool = False

    def as_json(self) -> Json:
        return {
            "id": self.reward.reward_id,
            "hash": self.hash,
            "name": self.reward.name,
            "type": self.reward.type,
            "value": self.reward.value,
            "external_id": self.reward.external_id,
            "min_order_amount": self.reward.min_order_amount,
            "coupon_code": self.coupon_code,
            "points": self.reward.points,
            "received_at": self.received_at,
            "expires_at": self.expires_at,
            "is_used": self.used_at is not None,
            "used_at": self.used_at,
            "is_locked": self.is_locked,
        }


@dataclass(slots=True, kw_only=True)
class Customer:
    customer_id: str
    phone: str
    points: int = 0
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    gender: str | None = None
    birthday: str | None = None
    sms: bool | None = None
    mail: bool | None = None
    pin: str | None = None
    tags: list[str] = field(default_factory=list)
    store: Store | None = None
    won: list[Won] = field(default_factory=list)

    def as_json(self) -> Json:
        store = {"id": self.store.public_id, "slug": self.store.slug} if self.store else None
        asked = [flag for flag in (self.sms, self.mail) if flag is not None]
        return {
            "id": self.customer_id,
            "international_phone_number": self.phone,
            "email": self.email,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "gender": self.gender,
            "birthday": self.birthday,
            "points": self.points,
            "has_optin": any(asked) if asked else None,
            "has_optin_sms": self.sms,
            "has_optin_email": self.mail,
            "tags": self.tags,
            "has_pin": self.pin is not None,
            "store": store,
        }


@dataclass(slots=True, kw_only=True)
class Order:
    pongo_id: str
    order_id: str
    store: Store
    customer: Customer | None
    points: int
    body: Json
    status: str = "closed"


class Book:
    """All data. `tell(event, customer)` is called after each change to a customer's profile."""

    def __init__(self) -> None:
        self.tell: Callable[[str, Customer], None] = lambda _event, _customer: None
        self.stores = list(STORES)
        self.rewards = {reward.reward_id: reward for reward in REWARDS}
        self.customers: dict[str, Customer] = {}
        self.orders: dict[tuple[str, str], Order] = {}
        for person in PEOPLE:
            customer = Customer(
                customer_id=person.customer_id,
                phone=person.phone,
                points=person.points,
                email=person.email,
                first_name=person.first_name,
                last_name=person.last_name,
                sms=person.sms,
                mail=person.mail,
                tags=list(person.tags),
                pin=person.pin,
                store=self.stores[0],
            )
            self.customers[customer.customer_id] = customer
            for reward_id in person.owned:
                self.give(customer, self.rewards[reward_id])

    def give(self, customer: Customer, reward: Reward) -> Won:
        """Give the customer one more of `reward`; a voucher gets its code."""
        code = None
        if reward.type.startswith("voucher_"):
            code = f"PNG-{secrets.token_hex(3).upper()}"
        won = Won(reward=reward, coupon_code=code)
        customer.won.append(won)
        return won

    def customer(self, customer_id: str) -> Customer:
        """Return the customer with this id; raise Refused(404)."""
        found = self.customers.get(customer_id)
        if found is None:
            raise not_found()
        return found

    def by_phone(self, digits: str) -> Customer | None:
        return next((c for c in self.customers.values() if digits and c.phone == digits), None)

    def store(self, slug: str) -> Store | None:
        return next((store for store in self.stores if store.slug == slug), None)

    def add_customer(self, phone: str) -> Customer:
        customer = Customer(customer_id=f"cust_{secrets.token_hex(5)}", phone=phone)
        self.customers[customer.customer_id] = customer
        return customer

    def fill(self, customer: Customer, body: Json) -> None:
        """Set what `body` says of the customer; points are a difference."""
        for name in ("email", "first_name", "last_name", "gender", "birthday", "pin", "tags"):
            if body.get(name) is not None:
                setattr(customer, name, body[name])
        if body.get("has_optin") is not None:
            customer.sms = customer.mail = body["has_optin"]
        if body.get("has_optin_sms") is not None:
            customer.sms = body["has_optin_sms"]
        if body.get("has_optin_email") is not None:
            customer.mail = body["has_optin_email"]
        customer.points += body.get("points") or 0
