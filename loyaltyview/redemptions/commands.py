"""What the pages ask the saga for."""

from dataclasses import dataclass

from loyaltyview.programs.models import Program
from providers.types import Cart, Discount, Money, SpendKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does it, where, on what: written into every line of the audit trail.
    `name` is an associate's id, "worker", "order <id>" or an administrator's user name."""

    name: str
    store_id: str = ""
    device_id: str = ""


WORKER = Actor(name="worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemRequest:
    """One tap. `key` comes from the form and makes the tap idempotent; `points` and `discount` are what
    the associate was shown; `profile_id` (NewStore's customer) binds the coupon to her when known;
    `is_final`: the page said before the tap that it cannot be undone; `cart_slot`: which of the codes that
    the program allows of this reward in this cart (`limits.free_slot`)."""

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


class KeyReused(Exception):
    """The same form key came with other parameters: an old or tampered form."""


class InCartAlready(Exception):
    """The cart has as many codes of this reward as the program allows: another till applied one meanwhile."""


class AnotherTillRedeeming(Exception):
    """Another spend of this member is under way; its outcome decides what is left."""
