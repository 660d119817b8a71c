"""The interface that every loyalty vendor's adapter implements.

An adapter is one package with one public class. Inside it uses the vendor's words, outside ours
(`providers.types`, `providers.errors`). Reads may be repeated; `spend` never is.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial, wraps
from typing import Any, ClassVar

from providers.currencies import decimals_of
from providers.errors import Rejected, RejectReason, SettingsError, Unsupported
from providers.movements import NEWEST, History
from providers.outbound import catalogues
from providers.outbound.budget import Budget
from providers.outbound.deadline import leased_step
from providers.outbound.sharing import changed
from providers.sales import Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.settings import SettingSpec, VendorSettings, specs_of, validated
from providers.texts import named_by
from providers.types import (
    Cart,
    CheckResult,
    Consents,
    EnrolmentField,
    Member,
    MemberProfile,
    MemberQuery,
    ProviderAlarm,
    ProviderStore,
    Reward,
    Voucher,
    WebhookEvent,
    WebhookRequest,
)


class Capability(StrEnum):
    """What a vendor can do. Pages and saga ask for these, never for a vendor's name."""

    HOLD = "hold"  # spend reserves; confirm takes
    RELEASE_POINTS = "release_points"  # points of a reward can be given back
    RELEASE_VOUCHER = "release_voucher"  # a used voucher can be given back
    VARIABLE_POINTS = "variable_points"  # points as money
    EARN_PREVIEW = "earn_preview"
    PHONE_LOOKUP = "phone_lookup"
    EMAIL_LOOKUP = "email_lookup"
    CODE_LOOKUP = "code_lookup"
    ENROL = "enrol"
    CONSENT_EMAIL = "consent_email"
    CONSENT_SMS = "consent_sms"
    CONSENT_CHANGE = "consent_change"  # a member's answer can be changed later
    TIERS = "tiers"
    HISTORY = "history"
    STORES = "stores"
    WEBHOOKS = "webhooks"
    CANCELS_SPENDS = "cancels_spends"  # may cancel a spend by itself, and sends a webhook then
    PARTIAL_RETURN = "partial_return"
    ONLINE_RETURN = "online_return"  # returns of orders that the web shop reported itself
    PARTIAL_RELEASE = "partial_release"  # a part of the spent points can be given back
    ANONYMOUS_SALES = "anonymous_sales"  # takes sales without a member, where the program asks for it
    ENROL_WITH_ORDER = "enrol_with_order"  # takes new members with the order that they pay
    PIN = "pin"  # may ask for the member's PIN when something is spent


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderConfig:
    """The configuration of an adapter. `program` is the slug; `settings` passed `validate_settings`;
    `time_zone` is "" where the program names none."""

    program: str
    currency: str
    country: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    webhook_secret: str = ""
    time_zone: str = ""


# The writes about one member, and who that is: of the first argument, or what it is.
WRITES: dict[str, Callable[[Any], str]] = {
    "spend": lambda intent: intent.member_ref,
    "release": lambda spend: spend.member_ref,
    "release_part": lambda spend: spend.member_ref,
    "keep_with_customer": lambda spend: spend.member_ref,
    "confirm": lambda spend: spend.member_ref,
    "record_order": lambda order: order.member_ref,
    "close_order": lambda order: order.member_ref,
    "enrol_with_order": lambda order: order.member_ref,
    "record_return": lambda ret: ret.member_ref,
    "cancel_order": lambda order: order.member_ref,
    "change_consents": lambda ref: ref,
    "enter_referral": lambda ref: ref,
    "note_member": lambda ref: ref,
}


# What is called while a row's lease is held.
LEASED = (*WRITES, "find_spend")


def _leased(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def leased(*args: Any, **kwargs: Any) -> Any:
        with leased_step():
            return method(*args, **kwargs)

    return leased


def _noting(write: Callable[..., Any], member_of: Callable[[Any], str]) -> Callable[..., Any]:
    @wraps(write)
    def noting(self: "LoyaltyProvider", about: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return write(self, about, *args, **kwargs)
        finally:
            # After any outcome: earlier reads may be outdated.
            config: ProviderConfig | None = getattr(self, "config", None)  # absent in a test's double
            if config is not None and not self.is_local and (ref := member_of(about)):
                changed(config.program, ref)

    return noting


def _reading_anew(check: Callable[..., CheckResult]) -> Callable[..., CheckResult]:
    @wraps(check)
    def reading_anew(self: "LoyaltyProvider") -> CheckResult:
        if not self.is_local:
            catalogues.drop(self.config.program)
        return check(self)

    return reading_anew


class LoyaltyProvider(ABC):
    """One vendor for one program. Instances are cheap, hold no state of a request, and are thread-safe."""

    kind: ClassVar[str]
    capabilities: ClassVar[frozenset[Capability]]
    settings_class: ClassVar[type[VendorSettings]] = VendorSettings
    setting_specs: ClassVar[tuple[SettingSpec, ...]] = ()  # those of `settings_class`
    # True when calls only touch our own database: pages then call in the request's own thread.
    is_local: ClassVar[bool] = False
    # The most decimals of an amount that the vendor's numbers can represent.
    most_decimals: ClassVar[int] = 3
    # True when look-ups by code and by member id are the same call: pages then make it once.
    finds_codes_as_ids: ClassVar[bool] = False
    # True when `get_history` knows only what went through our own calls (`providers.journal.history`).
    has_our_history: ClassVar[bool] = False
    # How many calls a page makes for a member, and a tap for its spend, when no earlier read can be used.
    calls_of_page: ClassVar[int] = 1
    calls_of_tap: ClassVar[int] = 1

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the adapter's methods. Every write ends the sharing of reads about its member
        (`providers.outbound.sharing`). A method that is called under a lease ends before the lease. A test of
        the connection drops what is kept of the vendor's catalogues."""
        super().__init_subclass__(**kwargs)
        if "settings_class" in cls.__dict__:
            cls.setting_specs = specs_of(cls.settings_class)
        for name in LEASED:
            if name in cls.__dict__:
                setattr(cls, name, _leased(cls.__dict__[name]))
        if "check" in cls.__dict__:
            cls.check = _reading_anew(cls.__dict__["check"])  # type: ignore[method-assign]
        for name, member_of in WRITES.items():
            if name in cls.__dict__:
                setattr(cls, name, _noting(cls.__dict__[name], member_of))

    @classmethod
    def validate_settings(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return `given` with defaults filled in; raise SettingsError for what is not allowed. Called when a
        program is saved or loaded, never in a request."""
        settings = validated(cls.setting_specs, given)
        cls.settings_class.read(settings).check()
        return settings

    @classmethod
    def check_currency(cls, currency: str) -> None:
        """Raise SettingsError for a currency whose amounts the vendor cannot represent exactly. Called when a
        program is saved, loaded or tested, never in a request."""
        decimals = decimals_of(currency)
        if decimals > cls.most_decimals:
            limit = f"{cls.kind} takes amounts with at most {cls.most_decimals}"
            raise SettingsError("currency", f"{currency} has {decimals} decimals, {limit}")

    @property
    def lists_follow_cart(self) -> bool:
        """Whether the list of rewards is made for the goods of one cart, not only for its store."""
        return False

    @property
    def budget(self) -> Budget | None:
        """The budget of the account's calls, None where they are not counted."""
        return None

    def reading(self) -> AbstractContextManager[None]:
        """Called around the reads of one page or tap, where they are made one after the other (`is_local`):
        what several of them need may be read once."""
        return nullcontext()

    # --- Reads: may be repeated; raise Unavailable, RateLimited, AuthFailed, UnexpectedAnswer ------

    @abstractmethod
    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        """Called when the associate types or scans. Return every exact match (none: empty, at most 20).
        Compare the answer with the query: vendors match partially, and a near match is another customer."""

    def find_refs(self, query: MemberQuery) -> tuple[str, ...]:
        """Called for orders. Return the refs of the members that `find_members` returns. Override it where a
        ref costs less than the whole member."""
        return tuple(member.ref for member in self.find_members(query))

    @abstractmethod
    def get_member(self, ref: str) -> Member:
        """Called on page load. Raise Rejected(MEMBER_NOT_FOUND) when the member is gone."""

    @abstractmethod
    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        """Called on page load. Return all rewards, locked ones with reason and exact gap.
        Apply only the vendor's limits (points, tier, stock); we add those of the cart."""

    @abstractmethod
    def list_vouchers(self, ref: str) -> tuple[Voucher, ...]:
        """Called on page load. Return only vouchers of this member that are not used yet; drop other members'
        vouchers even when the vendor returns them."""

    def find_voucher(self, ref: str, code: str) -> Voucher:
        """Called when the associate types or scans a voucher's code. Return it with its lock, if any; raise
        Rejected (REWARD_NOT_FOUND, ALREADY_USED, EXPIRED, NOT_ALLOWED for another member's) otherwise.
        Use nothing. The default searches the member's own vouchers."""
        found = named_by(code, self.list_vouchers(ref), lambda voucher: voucher.code)
        if found is None:
            raise Rejected(RejectReason.REWARD_NOT_FOUND)
        return found

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        """Called when the associate opens the history. Return the newest `limit` movements at or before
        `until`, newest first. A redemption stands at the time when it was made, whatever came of it later."""
        raise Unsupported("get_history")

    def preview_earn(self, ref: str, cart: Cart) -> int | None:
        """Called on page load. Return the points this cart would earn, None when it cannot be said. The
        cart's total is what its order will earn on (`Order.earn_base`); its items are shares of that."""
        return None

    @abstractmethod
    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        """Called after an unknown outcome, by page and worker, any number of times. Answer DID_NOT only when
        it is certain that the spend did not happen and can no longer happen."""

    def list_stores(self) -> tuple[ProviderStore, ...]:
        """Called by administrators to map stores."""
        raise Unsupported("list_stores")

    @abstractmethod
    def check(self) -> CheckResult:
        """Called by "Test connection" in admin. Reads only; `outbound.catalogues` were dropped before."""

    # --- The dangerous write ----------------------------------------------------------------------

    @abstractmethod
    def spend(self, intent: SpendIntent) -> Spend:
        """Called once per intent, when its coupon exists and has not been shown. Take or hold the points,
        or use the voucher. Must not be repeated inside.
        Raise Rejected (nothing happened), Unavailable (nothing reached the vendor),
        OutcomeUnknown or UnexpectedAnswer (it may have happened)."""

    # --- Writes that are idempotent for us: repeating them changes nothing more -------------------

    @abstractmethod
    def release(self, spend: Spend) -> None:
        """Called on undo, abandoned cart, cancelled order. Already released is success.
        Raise Unsupported where the capability is absent."""

    def keep_with_customer(self, spend: Spend) -> bool:
        """Called when a spend that cannot be given back was not used after all: abandoned cart, cancelled
        order. Return whether the customer keeps what was bought and can use it another time; False (the
        default) means that they are owed a replacement. May be repeated."""
        return False

    def release_part(self, spend: Spend, points: int, key: str) -> None:
        """Called when a part of a confirmed spend's goods came back and the program gives points back in
        proportion. Give back `points` of it once per `key`; in sum never more than the spend took, and a
        later `release` gives back only what is left. Raise Rejected where nothing is confirmed."""
        raise Unsupported("release_part")

    @abstractmethod
    def confirm(self, spend: Spend, order: Order) -> None:
        """Called when an order carried the code. Already confirmed is success."""

    def enrol(self, profile: MemberProfile, consents: Consents) -> Member:
        """Called by the enrolment form. Create the member, or return the one that exists."""
        raise Unsupported("enrol")

    def enrolment_fields(self) -> frozenset[EnrolmentField]:
        """Called when the enrolment form is shown and when it is sent. Return what the program asks beside
        name, contact and consents; no call to the vendor."""
        return frozenset()

    def enter_referral(self, ref: str, code: str) -> None:
        """Called when a member says later with whose code they joined, where `Member.referral` says that they
        can. Raise Rejected(INVALID_INPUT) with a `text` for a code that is not taken."""
        raise Unsupported("enter_referral")

    def change_consents(self, ref: str, consents: Consents) -> Member:
        """Called when a member answers anew, a withdrawal included. NOT_ASKED leaves an answer as it is."""
        raise Unsupported("change_consents")

    @abstractmethod
    def record_order(self, order: Order) -> PointsChange:
        """Called when an order is completed. Earn once per `order_id`; a repetition returns the first
        answer.

        With ANONYMOUS_SALES it is also called for an order without a member, whose `member_ref` is empty, and
        so are `record_return` and `cancel_order`. These move no points. They do nothing where the program
        does not ask for such sales."""

    def enrol_with_order(self, order: Order, profile: MemberProfile, consents: Consents) -> Member:
        """Called when the order of a customer is completed who asked for it at the till, where `enrol` was
        not called. Enrol them with the order, which has no `member_ref`, and return the member, or the one
        that exists. `record_order` follows with their ref and says what it earned. May be repeated.

        Where it failed and the customer's answers are deleted, `record_return` and `cancel_order` are called
        with an empty `member_ref`. These are also called for orders that this never saw."""
        raise Unsupported("enrol_with_order")

    def close_order(self, order: Order) -> None:  # noqa: B027 - most vendors need nothing
        """Called when an order that used `spends` is completed and earns nothing, so that `record_order` is
        not called. For a vendor that takes held points with the order itself. May be repeated."""

    @abstractmethod
    def record_return(self, ret: Return) -> PointsChange:
        """Called for each processed return. Take back earned points pro rata, once per `return_id`,
        in sum never more than the order earned; all that is left where the return `is_complete`.
        `points` is negative or zero."""

    @abstractmethod
    def cancel_order(self, order: Order) -> PointsChange:
        """Called when a whole order is cancelled. Take back all that it earned; unknown order: nothing."""

    # --- Webhooks ---------------------------------------------------------------------------------

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        """Verify and normalise a vendor's delivery; no I/O. Raise AuthFailed for a wrong signature,
        UnexpectedAnswer for a body that does not parse."""
        raise Unsupported("parse_webhook")

    def maintain(self) -> None:  # noqa: B027 - most vendors need nothing
        """Called by the worker each minute, by one worker at a time, for what a vendor needs regularly:
        queued calls sent, expired points taken. Must be quick when nothing is due. May be repeated."""

    def alarms(self) -> tuple[ProviderAlarm, ...]:
        """Called by the worker every ten minutes, after `maintain`: what an administrator must look at, for
        as long as that is so. An alarm that is no longer returned is closed. Reads our own rows only."""
        return ()

    @partial(_noting, member_of=WRITES["note_member"])  # noqa: B027 - most vendors keep nothing
    def note_member(self, ref: str) -> None:
        """Called by the worker when a delivery said that this member changed. For what an adapter keeps of
        members; the default keeps nothing. May be repeated, in any order."""

    # --- What an adapter keeps in our own database, and for how long: no call to the vendor ---------

    @classmethod
    def forget_old(cls, before: datetime) -> int:
        """Called daily by the worker, once for all programs, also for those that left this vendor. Delete
        what was finished before that time, never a row whose outcome is open, never a member's money; return
        how many. The default keeps no rows. May be repeated."""
        return 0

    def former_refs(self, ref: str) -> tuple[str, ...]:
        """Called before a member is erased. Return the refs of cards that were merged into this member; the
        default knows none."""
        return ()

    def erase_member(self, ref: str, pseudonym: str) -> int:
        """Called in a transaction when a member asks to be erased from our database. Delete what says who
        they are, and put `pseudonym` (at most 31 characters, in upper case) wherever a row must stay and
        names `ref`; return how many rows that were. Raise Rejected(NOT_ALLOWED) while something of theirs is
        under way. The default keeps no rows. May be repeated."""
        return 0
