"""The answers of calls. Times are UTC, amounts are text in major units."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from providers import types
from providers.house.api import reservations
from providers.house.api.models import Reservation
from providers.house.models import Member


class Money(BaseModel):
    amount: str
    currency: str


class Discount(BaseModel):
    """`kind` is fixed (`amount` off the cart), percent, product (one of `skus` is free), points (points as
    money) or online_only (the shop knows what it means). `minimum` is the smallest cart."""

    kind: str
    amount: Money | None = None
    percent: str | None = None
    skus: list[str] = []
    minimum: Money | None = None


class MemberRef(BaseModel):
    """`member` is the id for all other calls; it says nothing about the customer."""

    member: str
    member_number: str


class Consents(BaseModel):
    email: Literal["yes", "no", "not_asked"]
    sms: Literal["yes", "no", "not_asked"]


class Profile(MemberRef):
    first_name: str
    last_name: str
    email: str
    phone: str
    consents: Consents


class Found(BaseModel):
    members: list[Profile]


class Expiring(BaseModel):
    points: int
    at: datetime


class Tier(BaseModel):
    """`points` count towards the tier; `next_from` is where the next tier begins, null at the top."""

    name: str
    benefits: str
    points: int
    next_name: str | None
    next_from: int | None


class Balance(BaseModel):
    """`spendable` points can be spent now, `reserved` points are held by tills and carts."""

    spendable: int
    reserved: int
    expiring: list[Expiring]
    tier: Tier | None


class Lock(BaseModel):
    """Why the reward cannot be taken now: POINTS, TIER, OUT_OF_STOCK, LIMIT_REACHED, NOT_STARTED."""

    reason: str
    points_gap: int
    tier: str


class PointsRange(BaseModel):
    minimum: int
    maximum: int
    step: int
    value_per_point: str


class Reward(BaseModel):
    """`lock` is null when the member can take the reward. `points_range` is given for points as money.
    `image` is a path on this host, or empty."""

    reward_id: str
    title: str
    description: str
    terms: str
    image: str
    points: int
    discount: Discount
    points_range: PointsRange | None
    lock: Lock | None


class Rewards(BaseModel):
    rewards: list[Reward]


class Voucher(BaseModel):
    voucher_id: str
    title: str
    description: str
    terms: str
    code: str
    discount: Discount
    expires_at: datetime | None


class Vouchers(BaseModel):
    vouchers: list[Voucher]


class Movement(BaseModel):
    at: datetime
    points: int
    text: str


class History(BaseModel):
    movements: list[Movement]


class OrderPoints(BaseModel):
    """`points` is what the order earned: less than expected, where returns or a cancellation came
    before it."""

    order_id: str
    points: int


class ReturnPoints(BaseModel):
    """`points` is what was taken back now: 0 or negative."""

    return_id: str
    order_id: str
    points: int


class ReservationOut(BaseModel):
    """`state` is reserved, confirmed, released or expired. What is not confirmed by `expires_at` is given
    back. `discount` is what the cart gives for it."""

    reservation: str
    state: Literal["reserved", "confirmed", "released", "expired"]
    kind: str
    item_id: str
    title: str
    points: int
    discount: Discount
    order_id: str | None
    expires_at: datetime


class FieldError(BaseModel):
    field: str
    message: str


class ProblemOut(BaseModel):
    """A refusal (RFC 9457). `code` stays the same, `detail` is a sentence for developers. `text`, if there is
    one, is a sentence for customers, in the language of Accept-Language."""

    type: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
    points_gap: int | None = None
    text: str | None = None
    scope: str | None = None
    most_bytes: int | None = None


def member_id(member: Member) -> str:
    return f"mem_{member.pk}"


def ref_of(member: Member) -> MemberRef:
    return MemberRef(member=member_id(member), member_number=member.member_id)


def profile_of(member: Member) -> Profile:
    return Profile(
        member=member_id(member),
        member_number=member.member_id,
        first_name=member.first_name,
        last_name=member.last_name,
        email=member.email,
        phone=member.phone,
        consents=Consents(email=member.consent_email, sms=member.consent_sms),  # type: ignore[arg-type]
    )


def discount_of(discount: types.Discount) -> Discount:
    return Discount.model_validate(reservations.discount_json(discount))


def reservation_of(row: Reservation) -> ReservationOut:
    hold = row.hold
    return ReservationOut(
        reservation=f"res_{row.pk}",
        state=reservations.state_of(row),  # type: ignore[arg-type]
        kind=hold.kind,
        item_id=hold.item_id,
        title=hold.title,
        points=hold.points,
        discount=Discount.model_validate(row.discount),
        order_id=hold.order_id or None,
        expires_at=row.expires_at,
    )
