"""The calls of one account: the calls within the limit's window, the waiting taps, and whose turn it is.

Pure: every function gets the time as an argument. `budget` keeps a state for all processes and waits.

A vendor allows a number of calls in any window of some seconds. Each call is counted at the moment it is
made, so no sliding window ever holds more. A booking counts all its calls from the start, so that a page or
tap that begins can finish. Taps come first: they book ahead, in the order in which they came. A page or the
worker begins only when all its calls fit beside every booking, and leaves a part of the window free.
"""

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Use(StrEnum):
    """What a call is for."""

    TAP = "tap"
    PAGE = "page"
    WORK = "work"


# The share of a window that pages may fill, and pages and worker together; the rest is for taps.
PAGE_SHARE, SHARED_SHARE = 0.6, 0.8
# Calls that leave evenly may arrive closer together: the window is longer by this time, and by one slot.
JITTER_S = 0.15
SLOTS = 240
# How long after its turn a tap keeps an unused place.
TAP_KEPT_S = 8.0
PAGE_KEPT_S = 3.0  # longer than a page waits
BEGUN_KEPT_S = 30.0
NEAR_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most `calls` in any `window_s` seconds."""

    calls: int
    window_s: float

    @property
    def slot_s(self) -> float:
        return self.window_s / SLOTS

    @property
    def kept_s(self) -> float:
        """How long a call counts after it was made."""
        return self.window_s + JITTER_S + self.slot_s

    def share_of(self, use: Use) -> int:
        """Return how many calls of a window `use` and less urgent uses may fill together."""
        share = {Use.TAP: 1.0, Use.PAGE: PAGE_SHARE, Use.WORK: SHARED_SHARE}[use]
        return max(1, math.floor(self.calls * share + 1e-9))


@dataclass(slots=True)
class Booking:
    """`calls` that `key` may still make, from `at` on; forgotten at `ends_at`."""

    key: str
    use: Use
    calls: int
    at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """`wait_s` until the turn comes, 0 for now. `is_booked`: the place is kept until then."""

    wait_s: float
    is_booked: bool


class State:
    """Calls by use and slot, bookings in their order, and the end of a pause that the vendor asked for."""

    def __init__(self, limit: Limit, text: str = "{}") -> None:
        self.limit = limit
        data: dict[str, Any] = json.loads(text)
        if data.get("limit", [0, 0])[1] != limit.window_s:
            data = {}  # another window: its slots have another length
        self.calls: dict[Use, dict[int, int]] = {
            use: {int(slot): count for slot, count in data.get(use.value, {}).items()} for use in Use
        }
        self.bookings = [
            Booking(key, Use(use), calls, at, ends_at)
            for key, use, calls, at, ends_at in data.get("bookings", [])
        ]
        self.paused_until: float = data.get("paused_until", 0.0)
        self.seen_at: float = data.get("seen_at", 0.0)

    def to_text(self) -> str:
        data: dict[str, Any] = {
            "limit": [self.limit.calls, self.limit.window_s],
            "bookings": [[b.key, b.use.value, b.calls, b.at, b.ends_at] for b in self.bookings],
            "paused_until": self.paused_until,
            "seen_at": self.seen_at,
            **{use.value: counts for use, counts in self.calls.items()},
        }
        return json.dumps(data, separators=(",", ":"))

    def book(self, key: str, use: Use, calls: int, now: float, longest_wait_s: float) -> Turn:
        """Keep a place for `calls` calls, once per key. A tap may wait for its turn; a page and the worker
        are booked only when it is now. Without a place `wait_s` says when to ask again."""
        now = self._move_on(now)
        calls = max(1, min(calls, self.limit.share_of(use)))
        known = self._find(key)
        if known is not None:
            known.ends_at = max(known.ends_at, now + TAP_KEPT_S)
            # The tap may now be in another process, which shares no reads and must make more calls.
            known.calls = max(known.calls, calls)
            return Turn(max(0.0, known.at - now), True)
        at = self._free_at(use, calls, now)
        wait_s = at - now
        is_booked = wait_s <= (longest_wait_s if use is Use.TAP else 0.0)
        if is_booked:
            kept_s = TAP_KEPT_S if use is Use.TAP else PAGE_KEPT_S
            self.bookings.append(Booking(key, use, calls, at, at + kept_s))
        return Turn(wait_s, is_booked)

    def call(self, key: str, use: Use, now: float) -> float:
        """Count one call now and return 0, or return in how many seconds to ask again."""
        now = self._move_on(now)
        if now < self.paused_until:
            return self.paused_until - now
        booking = self._find(key)
        if booking is not None and booking.calls > 0:
            if booking.at > now + NEAR_S:
                return booking.at - now
            if self._count() >= self.limit.calls:  # earlier ones began later than expected
                return max(NEAR_S, self._leaving(now)[0][0] - now)
            booking.calls -= 1
            booking.ends_at = max(booking.ends_at, now + BEGUN_KEPT_S if use is Use.TAP else booking.ends_at)
        else:
            # One more than was booked, or none was: a tap that has begun comes first.
            at = self._free_at(use, 1, now, ahead_of_queue=booking is not None and use is Use.TAP)
            if at > now:
                return max(NEAR_S, at - now)
        slot = math.floor(now / self.limit.slot_s)
        self.calls[use][slot] = self.calls[use].get(slot, 0) + 1
        return 0.0

    def end(self, key: str, now: float) -> None:
        """Give back what `key` has booked and did not need."""
        self._move_on(now)
        self.bookings = [booking for booking in self.bookings if booking.key != key]

    def pause(self, seconds: float, now: float) -> None:
        """Pause for this long, because the vendor asks for it. All turns move by this time."""
        now = self._move_on(now)
        until = now + seconds
        if until <= self.paused_until:
            return
        self.paused_until = until
        for booking in self.bookings:
            shift = max(0.0, until - booking.at)
            booking.at += shift
            booking.ends_at += shift

    def _move_on(self, now: float) -> float:
        """Forget calls that have left the window; return the time, which never goes back."""
        now = self.seen_at = max(now, self.seen_at)
        first = math.floor((now - self.limit.kept_s) / self.limit.slot_s)
        for counts in self.calls.values():
            for slot in [slot for slot in counts if slot <= first]:
                del counts[slot]
        self.bookings = [booking for booking in self.bookings if booking.ends_at > now]
        return now

    def _find(self, key: str) -> Booking | None:
        return next((booking for booking in self.bookings if booking.key == key), None)

    def _count(self, *uses: Use) -> int:
        return sum(sum(self.calls[use].values()) for use in uses or Use)

    def _free_at(self, use: Use, calls: int, now: float, *, ahead_of_queue: bool = False) -> float:
        """Return when `calls` more fit: now, or when enough have left the window."""
        limit, at = self.limit, max(now, self.paused_until)
        booked = [] if ahead_of_queue else self.bookings
        checks = [(tuple(Use), limit.calls)]
        if use is Use.PAGE:
            checks.append(((Use.PAGE,), limit.share_of(Use.PAGE)))
        if use is not Use.TAP:
            checks.append(((Use.PAGE, Use.WORK), limit.share_of(Use.WORK)))
        else:
            at = max([at, *(booking.at for booking in booked if booking.use is Use.TAP)])
        for uses, most in checks:
            waiting = sum(booking.calls for booking in booked if booking.use in uses)
            too_many = self._count(*uses) + waiting + calls - most
            if too_many > 0:
                at = max(at, self._when_left(too_many, self._leaving(now, uses, booked)))
        return at

    def _leaving(
        self, now: float, uses: tuple[Use, ...] = tuple(Use), booked: list[Booking] | None = None
    ) -> list[tuple[float, int]]:
        """Return when how many calls leave the window, soonest first: those made, then those booked."""
        slot_s, kept_s = self.limit.slot_s, self.limit.kept_s
        made = [(slot * slot_s + kept_s, count) for use in uses for slot, count in self.calls[use].items()]
        to_come = [
            (max(booking.at, now) + kept_s, booking.calls)
            for booking in booked or []
            if booking.use in uses and booking.calls
        ]
        return sorted(made + to_come)

    @staticmethod
    def _when_left(count: int, leaving: list[tuple[float, int]]) -> float:
        for at, calls in leaving:
            count -= calls
            if count <= 0:
                return at
        return math.inf
