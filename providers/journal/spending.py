"""A spend is sent once, and found again when its answer was lost (docs/decisions/0009).

A vendor's package subclasses `SpendWay`, once for each way in which its spends are made. `spend` and `find`
are the same for all: they alone know in which order rows are committed and what an outcome is judged by.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from django.db import IntegrityError, transaction
from django.db.models import Q

from providers import clock
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.journal.booking import locked
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal, advance
from providers.sales import Finding, Spend, SpendFinding, SpendIntent, SpendKind

CANNOT_TELL = SpendFinding(finding=Finding.CANNOT_TELL)
DID_NOT = SpendFinding(finding=Finding.DID_NOT)
# A write that ends so certainly changed nothing at the vendor.
NOTHING_HAPPENED = (Rejected, Unavailable, AuthFailed, Unsupported)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a write made at the vendor: the vendor's reference, and what of it is kept (`detail` is added to
    the row's, `exclusive_key` and `points` replace the row's)."""

    ref: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    exclusive_key: str | None = None
    points: int | None = None

    def keep(self, write: Write, /, **fields: Any) -> None:
        """Move `write` from SENT to DONE with this and `fields`. What others noted in its `detail` since it
        was read stays. Raises IntegrityError as `advance`."""
        optional = {"exclusive_key": self.exclusive_key, "points": self.points}
        fields |= {name: value for name, value in optional.items() if value is not None}
        fields["vendor_ref"] = self.ref
        if not self.detail:
            advance(write, WriteState.SENT, WriteState.DONE, **fields)
        elif not self._add_detail(write, Q(detail=write.detail), fields) and write.state == WriteState.SENT:
            with locked(write) as row:
                write.detail = row.detail
                self._add_detail(write, Q(), fields)

    def _add_detail(self, write: Write, only: Q, fields: Mapping[str, Any]) -> bool:
        detail = {**write.detail, **self.detail}
        return advance(write, WriteState.SENT, WriteState.DONE, only, **fields, detail=detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What looking for a write at the vendor brought.

    `made` is everything that is new since it was sent and could be it. `is_complete` is False where it could
    not all be seen, or something besides says that it may have happened. `is_certain` says that it did not
    happen and no longer can, however short a time ago it was sent.
    """

    made: tuple[Made, ...] = ()
    is_complete: bool = True
    is_certain: bool = False


class SpendWay(ABC):
    """How one vendor makes a spend, recognises it again, and says it in our words. Instances are cheap and
    belong to one program."""

    # After so long no call can be under way any more: what the vendor does not show then never happened.
    settled_after: timedelta
    # False where a spend that waits for its order has taken its points already.
    holds_points: ClassVar[bool] = True
    journal: Journal

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        """Check what can be checked without a row; return columns of the row: `detail`, `waits_for_order`,
        `exclusive_key`, and `shown_before` where nothing has to be read for it: then `before` is not called.
        Called again when another write took `exclusive_key` meanwhile. May read. Raise Rejected, Unsupported
        and what a read raises."""
        return {}

    @abstractmethod
    def before(self, write: Write, intent: SpendIntent) -> Any:
        """Return, as JSON and never None, what the vendor shows now that the spend would change: it is
        committed, and `look` compares with it. Raise what a read raises: then nothing is sent."""

    @abstractmethod
    def send(self, write: Write, intent: SpendIntent) -> Made:
        """Make the write, once. Raise Rejected, Unavailable, AuthFailed (nothing happened), OutcomeUnknown or
        UnexpectedAnswer (it may have happened; also where what is read after the write fails)."""

    @abstractmethod
    def look(self, write: Write, intent: SpendIntent) -> Found:
        """Look for the spend at the vendor, among what is new since `write.shown_before`. Raise what a read
        raises."""

    def is_of_another(self, write: Write, ref: str) -> bool:
        """Return whether another spend of ours made, or used, what `ref` names."""
        return self.journal.is_of_another(write, ref)

    def finish(self, write: Write) -> None:  # noqa: B027 - most ways need nothing
        """Called when the spend is known to have happened, for what is worth doing besides. May run twice.
        The spend stands whatever it raises, so it should raise nothing."""

    def describe(self, write: Write) -> Spend:
        """Return a spend that stands, in the words of the interface."""
        return Spend(
            key=write.key,
            member_ref=write.member_ref,
            kind=SpendKind(write.item_kind),
            provider_ref=write.vendor_ref,
            points=write.points or 0,
            is_held=self.holds_points and write.waits_for_order,
            memo={name: value for name, value in write.detail.items() if isinstance(value, str)},
        )


def spend(way: SpendWay, intent: SpendIntent) -> Spend:
    """Make the spend, once for `intent.key`; see `LoyaltyProvider.spend`. The same key again returns the
    spend that it made."""
    known = way.journal.get(WriteKind.SPEND, intent.key)
    if known:
        return _repeated(way, known)
    write, is_new = _open(way, intent)
    if not is_new:
        return _repeated(way, write)
    if write.state == WriteState.PLANNED:
        _begin(way, write, intent)
    try:
        made = way.send(write, intent)
    except NOTHING_HAPPENED:
        advance(write, WriteState.SENT, WriteState.VOID)
        raise
    if not _take(write, made):
        raise OutcomeUnknown(f"the key is {write.state}")
    way.finish(write)
    return way.describe(write)


def find(way: SpendWay, intent: SpendIntent) -> SpendFinding:
    """Say what became of `intent`; see `LoyaltyProvider.find_spend`. DID_NOT is final: the key is closed, and
    a call that has not begun by then is refused."""
    write, _is_new = way.journal.open(WriteKind.SPEND, intent.key, **_columns(intent), state=WriteState.VOID)
    if write.state == WriteState.PLANNED:
        # Sending begins by a step out of PLANNED: of the two exactly one comes first.
        advance(write, WriteState.PLANNED, WriteState.VOID)
    if write.state == WriteState.SENT:
        _settle(way, write, intent)
    if write.state == WriteState.DONE:
        return SpendFinding(finding=Finding.HAPPENED, spend=way.describe(write))
    return CANNOT_TELL if write.state == WriteState.SENT else DID_NOT


def _settle(way: SpendWay, write: Write, intent: SpendIntent) -> None:
    """Move a spend whose outcome is not known on, where the vendor shows enough to be certain."""
    # Judged before the vendor is asked: what arrives in between shows in the answer.
    is_settled = is_past(write, way.settled_after)
    found = way.look(write, intent)
    made = [each for each in found.made if not way.is_of_another(write, each.ref)]
    if len(made) == 1 and found.is_complete:
        if _take(write, made[0], way):
            way.finish(write)
    elif not made and (found.is_certain or (found.is_complete and is_settled)):
        advance(write, WriteState.SENT, WriteState.VOID)
    # Several: the member bought the same elsewhere at the same moment, and a person has to look.


def is_past(write: Write, after: timedelta) -> bool:
    """Return whether `write` was sent longer ago than that, by the database's clock."""
    return write.sent_at is not None and clock.now() > write.sent_at + after


def _open(way: SpendWay, intent: SpendIntent) -> tuple[Write, bool]:
    """Return the row of `intent` and whether this call made it."""
    for _ in range(2):  # what another spend takes while this one is planned shows in a second plan
        columns = {**_columns(intent), **way.plan(intent)}
        if "shown_before" in columns:
            columns |= {"state": WriteState.SENT, "sent_at": clock.now()}
        try:
            return way.journal.add(WriteKind.SPEND, intent.key, **columns), True
        except IntegrityError:
            if known := way.journal.get(WriteKind.SPEND, intent.key):
                return known, False
    raise Rejected(RejectReason.ALREADY_USED, "another spend has it")


def _begin(way: SpendWay, write: Write, intent: SpendIntent) -> None:
    """Commit what the vendor shows before; from then on the spend may have been sent."""
    try:
        before = way.before(write, intent)
    except ProviderError:
        advance(write, WriteState.PLANNED, WriteState.VOID)
        raise
    if not advance(write, WriteState.PLANNED, WriteState.SENT, shown_before=before, sent_at=clock.now()):
        # Somebody asked meanwhile what became of it, and was told that nothing was spent.
        raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {write.state}")


def _columns(intent: SpendIntent) -> dict[str, Any]:
    return {
        "member_ref": intent.member_ref,
        "item_kind": intent.kind.value,
        "item_id": intent.item_id,
        "points": intent.points,
        "store": intent.cart.store,
    }


def _repeated(way: SpendWay, write: Write) -> Spend:
    if write.state == WriteState.DONE:
        return way.describe(write)
    if write.state in (WriteState.PLANNED, WriteState.SENT):
        raise OutcomeUnknown("this spend was begun before")
    raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {write.state}")


def _take(write: Write, made: Made, way: SpendWay | None = None) -> bool:
    """Note what the spend made; return whether it stands. With `way` only what no other spend of ours has
    taken meanwhile is noted: the member's spends are locked in one order, so of two that find the same thing
    one waits."""
    if not made.ref:
        raise UnexpectedAnswer("a spend without the vendor's reference")
    if way is None and made.exclusive_key is None:  # nothing that another could have
        made.keep(write)
        return write.state == WriteState.DONE
    try:
        with transaction.atomic():
            if way:
                spends = way.journal.writes(WriteKind.SPEND, member_ref=write.member_ref)
                list(spends.select_for_update())
                if way.is_of_another(write, made.ref):
                    return False
            made.keep(write)
    except IntegrityError:
        write.refresh_from_db()
        return False
    return write.state == WriteState.DONE
