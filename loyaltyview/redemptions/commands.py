"""What pages, orders and administrators ask of redemptions, and for whom."""

import hashlib
import json
from dataclasses import dataclass, field

from loyaltyview.programs.models import Program
from providers.sales import SpendKind
from providers.types import Cart, Discount, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, in which store, on which device: part of every line of the trail. `name` is an associate's
    id, "worker", "provider", "order <id>" or "admin <user name>"."""

    name: str
    store_id: str = ""
    device_id: str = ""


WORKER = Actor(name="worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """One tap. `key` comes from the form and makes the tap idempotent. `points` and `discount` are what the
    associate was shown. `profile_id` binds the coupon to NewStore's customer where that is known. `is_final`:
    the page said before the tap that it cannot be undone. `cart_slot` numbers the codes that the program
    allows of this reward in this cart (`limits.free_slot`). `pin` goes to the vendor and is kept nowhere."""

    program: Program
    launch_id: str
    key: str
    cart: Cart
    member_ref: str
    kind: SpendKind
    item_id: str
    title: str
    points: int
    discount: Discount
    saving: Money
    actor: Actor
    profile_id: str = ""
    is_final: bool = False
    cart_slot: int | None = None
    pin: str = field(default="", repr=False, compare=False)


def fingerprint_of(launch_id: str, member_ref: str, kind: SpendKind, item_id: str, points: int) -> str:
    """Return a hash of what the form of a tap says, so that its key is not used for two things. Prices are no
    part of it: a reward may cost something else when a repeated tap is judged."""
    chosen = points if kind is SpendKind.POINTS else None
    return hashlib.sha256(json.dumps([launch_id, member_ref, kind, item_id, chosen]).encode()).hexdigest()


class KeyReused(Exception):
    """The same form key came with other parameters: the form is old, or was tampered with."""


class InCartAlready(Exception):
    """Another till applied this reward meanwhile: the cart has as many codes of it as the program allows."""


class AnotherTillRedeeming(Exception):
    """Another spend of this member is under way. Its outcome decides how many points remain."""
