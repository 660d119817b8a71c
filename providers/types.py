"""The frozen dataclasses between LoyaltyView and a vendor's adapter: cart, member, rewards, deliveries.

Money is `Decimal` in major units with its ISO-4217 currency; points are `int`; times are aware UTC;
phones are E.164. A vendor value that we do not know becomes UNKNOWN and keeps its raw text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An amount in major units (12.50) and its ISO-4217 currency."""

    amount: Decimal
    currency: str


# --- The cart and the member --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CartItem:
    """One unit in the cart (NewStore lists each unit by itself). `price` is what one unit costs now."""

    item_id: str
    product_id: str
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """The cart as the till showed it. `total` is the amount still to pay; `store` is the vendor's store
    id."""

    cart_id: str
    total: Money
    items: tuple[CartItem, ...] = ()
    store: str = ""


class QueryKind(StrEnum):
    """The kind of text that the associate typed, derived from its form."""

    EMAIL = "email"
    PHONE = "phone"
    MEMBER_ID = "member_id"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberQuery:
    """A normalised look-up: e-mail in lower case, phone in E.164, ids and codes stripped. `is_typed`: a
    person typed it and sees who is found, so letters that look alike may be meant."""

    kind: QueryKind
    value: str
    is_typed: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiring:
    """Points that expire at `at` unless they are spent before."""

    points: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Points. `spendable` can be spent now; `pending` will become spendable; `reserved` is held."""

    spendable: int
    pending: int = 0
    reserved: int = 0
    expiring: tuple[Expiring, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """The member's level and the way to the next one.

    `progress` and `next_threshold` are in `unit` ("points", or a currency for spend-based tiers);
    `next_name` is empty at the top. `benefits` is what the level gives, one benefit a line.
    """

    name: str
    next_name: str = ""
    progress: Decimal = Decimal(0)
    threshold: Decimal = Decimal(0)
    next_threshold: Decimal = Decimal(0)
    unit: str = "points"
    benefits: str = ""


class Consent(StrEnum):
    """The answer to "may we write to you". Not asked is not no."""

    YES = "yes"
    NO = "no"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    email: Consent = Consent.NOT_ASKED
    sms: Consent = Consent.NOT_ASKED


class EnrolmentField(StrEnum):
    """What a program may ask beside name, contact and consents. Each is optional for the customer."""

    BIRTHDAY = "birthday"
    REFERRAL_CODE = "referral_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Birthday:
    """Month and day, and the year where the customer said it."""

    month: int
    day: int
    year: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Referral:
    """The code with which this member's friends join. `can_enter`: the member may still say with whose code
    they joined themselves."""

    code: str
    can_enter: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A customer in the vendor's program. `ref` is the vendor's key for every later call;
    `member_id` is the number on the customer's card. `has_pin`: the vendor says that it asks for the
    customer's PIN when points are spent. `birthday` and `joined_at`, since when they are a member, are given
    where the vendor says them with the member."""

    ref: str
    member_id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    balance: Balance
    tier: Tier | None = None
    consents: Consents = field(default_factory=Consents)
    has_pin: bool = False
    referral: Referral | None = None
    birthday: Birthday | None = None
    joined_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProfile:
    """A customer's data at enrolment; e-mail or phone is given. `birthday` and `referral_code` only where the
    provider asks for them (`LoyaltyProvider.enrolment_fields`)."""

    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    store: str = ""
    birthday: Birthday | None = None
    referral_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAlarm:
    """What an administrator must look at. `subject` tells one alarm from another, and stays while its cause
    does; `detail` carries no personal data."""

    subject: str
    detail: str


# --- Rewards and vouchers -----------------------------------------------------------------------


class DiscountKind(StrEnum):
    FIXED = "fixed"  # `amount` off the cart
    PERCENT = "percent"  # `percent` off the cart
    PRODUCT = "product"  # one unit of the cheapest of `skus` in the cart is free
    PRICE = "price"  # `amount` is the new price: of one unit of `skus`, or of the cart without them
    POINTS = "points"  # points as money: amount = points * the vendor's rate
    ONLINE_ONLY = "online_only"  # free shipping and other discounts that a till coupon cannot express
    GIFT_CARD = "gift_card"  # money to pay with; `amount`, where known, is what is left; never redeemable
    UNKNOWN = "unknown"  # a vendor value we do not know; shown, never redeemable


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """The discount of a reward or voucher. `minimum` is the smallest cart total it applies to.

    `skus` limits any kind to these products: FIXED and PRICE to one unit (the cheapest in the cart), PERCENT
    to all units. `stores`, unless empty, are the vendor's ids of the only stores where it is valid.
    `category`, unless empty, names products that a cart does not show: then it is shown, never redeemable.
    """

    kind: DiscountKind
    amount: Money | None = None
    percent: Decimal | None = None
    skus: tuple[str, ...] = ()
    minimum: Money | None = None
    stores: tuple[str, ...] = ()
    category: str = ""
    raw: str = ""


class LockReason(StrEnum):
    """The vendor's reason why a reward cannot be used now. We add reasons of the cart."""

    POINTS = "POINTS"  # `points_gap` more points
    TIER = "TIER"  # from tier `tier`
    OUT_OF_STOCK = "OUT_OF_STOCK"
    LIMIT_REACHED = "LIMIT_REACHED"
    NOT_STARTED = "NOT_STARTED"
    EXPIRED = "EXPIRED"
    ONLINE_ONLY = "ONLINE_ONLY"
    OTHER = "OTHER"  # `text` is the vendor's own sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """Why a reward is locked. `points_gap` may be given with any reason: the points that are missing, too."""

    reason: LockReason
    points_gap: int = 0
    tier: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRange:
    """For points as money: how many points may be spent, and what one point is worth."""

    minimum: int
    maximum: int
    step: int
    value_per_point: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """A reward that the program offers for points. `lock` is None when the member may take it now.
    `is_final` means that the vendor cannot take it back once spent. `description` is one line; `terms` may
    have several. `image` is a path on our own host: the page loads no picture from elsewhere."""

    reward_id: str
    title: str
    points: int
    discount: Discount
    description: str = ""
    terms: str = ""
    image: str = ""
    lock: Lock | None = None
    is_final: bool = False
    points_range: PointsRange | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """A voucher that the member already owns and can use now, without points. `description` is one line;
    `terms` may have several. `is_offer`: it is a discount that is always on, and using it uses nothing up.
    Its spend is of kind OFFER."""

    voucher_id: str
    title: str
    discount: Discount
    description: str = ""
    terms: str = ""
    code: str = ""
    expires_at: datetime | None = None
    lock: Lock | None = None
    is_final: bool = False
    is_offer: bool = False


# --- The rest -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStore:
    store_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """A vendor's delivery as it came; header names in lower case."""

    headers: Mapping[str, str]
    body: bytes


class WebhookName(StrEnum):
    """The deliveries that we act on. All others keep the vendor's name."""

    MEMBER_CHANGED = "member_changed"
    SPEND_CANCELLED = "spend_cancelled"  # `provider_ref` is that of the spend
    LOW_STOCK = "low_stock"  # `provider_ref` names the reward
    CATALOGUE_CHANGED = "catalogue_changed"  # rewards, tiers or rules of the program, the same for everybody


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEvent:
    """The content of a delivery, as a hint: state is read again before we act on it. `event_id` is
    the vendor's, the same when it delivers again; `name` is a WebhookName or the vendor's own word."""

    event_id: str
    name: str
    member_ref: str = ""
    provider_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """The answer to "Test connection": which account, how fast."""

    account: str
    latency_ms: int
