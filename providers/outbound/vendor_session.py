"""The calls of one program to one vendor: pooled, signed, within the vendor's budget.

Reads are tried again (each attempt built and signed anew) until their deadline; writes never. An error says
whether a write may have happened.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import requests

from providers.errors import (
    AuthFailed,
    Busy,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)
from providers.outbound import sharing
from providers.outbound.breaker import Breaker, BreakerOpen
from providers.outbound.budget import Budget, OwnLimit, is_tap
from providers.outbound.deadline import remaining_s, step_remaining_s
from providers.outbound.exchange import SHORTEST_ATTEMPT_S, Answer, Call, exchange, prepare
from providers.outbound.faults import CallFailed, Fault

READ, WRITE = "read", "write"
# A write with less time left is not started: it would end with an unknown outcome.
SHORTEST_WRITE_S = 1.0
CRASHED = "crashed"  # the outcome of a programming error, in `sign` for example

TURNS_OF_A_TAP = 3
LONGEST_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one call, in seconds and bytes. The page's deadline, if nearer, cuts reads short.
    A write waits longer: ending it early creates an unknown outcome."""

    connect_s: float = 1.0
    read_total_s: float = 5.0
    write_total_s: float = 10.0
    attempts: int = 3
    # Pauses before a write is made again that the vendor refused as busy or as one too many: it was not done.
    busy_pauses_s: tuple[float, ...] = ()
    max_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One attempt: what was called, how it ended ("ok", or the name of the error's
    class), how long it took."""

    vendor: str
    program: str
    operation: str
    kind: str
    outcome: str
    seconds: float


observers: list[Callable[[Observation], None]] = []


def add_observer(observer: Callable[[Observation], None]) -> None:
    """Have `observer` called after every attempt, in the thread that made it. It must be quick."""
    observers.append(observer)


def judge_status(answer: Answer, kind: str) -> ProviderError | None:
    """Return the error for an answer's status, None where the adapter decides.

    An adapter whose vendor uses a status differently wraps this and passes its own as `judge`.
    """
    status = answer.status
    if status in (401, 403):
        return AuthFailed(str(status))
    if status == 429:
        wait_s = answer.retry_after_s("Retry-After", "ratelimit-reset")
        return RateLimited("429", retry_after_s=1.0 if wait_s is None else wait_s)
    if status >= 500 or status == 408:
        return Unavailable(str(status)) if kind == READ else OutcomeUnknown(str(status))
    if status < 200 or 300 <= status < 400:
        return UnexpectedAnswer(str(status))
    if status < 300 and answer.body.lstrip().startswith(b"<"):
        return UnexpectedAnswer(f"{status}: a page")  # a proxy's, such as one to sign in
    return None


def sign_nothing(_request: requests.PreparedRequest) -> None:
    """For vendors that need only the session's headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSession:
    """All calls of one program to one vendor. Cheap to create; connections are kept between sessions.

    `sign` sees each prepared request (method, url, headers, body as they go out) and adds credentials. With
    `is_scarce` the account allows few calls: what a page reads of a member serves other processes, too.
    """

    vendor: str
    program: str
    base_url: str
    sign: Callable[[requests.PreparedRequest], None] = sign_nothing
    headers: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    budget: Budget | None = None
    breaker: Breaker | None = None
    judge: Callable[[Answer, str], ProviderError | None] = judge_status
    is_scarce: bool = False
    sleep: Callable[[float], None] = time.sleep

    def read(self, call: Call) -> Answer:
        """Make a call that changes nothing, tried again while its deadline allows.

        Raises Unavailable, RateLimited (`retry_after_s` is beyond the deadline), AuthFailed,
        UnexpectedAnswer; other statuses below 500 are returned. Inside `providers.outbound.sharing` an
        equal read of some seconds ago is answered without a call.
        """
        answer: Answer = sharing.shared(
            self._key(call),
            lambda: self._read(call),
            lambda answer: 200 <= answer.status < 300,
            for_all=self.is_scarce,
        )
        return answer

    def prime(self, call: Call, body: bytes, *, member: str) -> None:
        """Let the next such read of `member` return `body`: a look-up returned the same record."""
        sharing.prime(self._key(call), Answer(status=200, headers={}, body=body), member)

    def write(self, call: Call) -> Answer:
        """Make a call that changes something: done at most once, whatever happens; not cut by the page's
        deadline, but by the step's. Raises Unavailable (nothing reached the vendor), RateLimited,
        AuthFailed, OutcomeUnknown, UnexpectedAnswer (as good as unknown); other statuses below 500 are
        returned.
        """
        for pause_s in self.limits.busy_pauses_s:
            try:
                return self._write(call)
            except Busy:
                self.sleep(pause_s)
            except RateLimited as error:
                if error.retry_after_s > LONGEST_PATIENCE_S:
                    raise
                self.sleep(error.retry_after_s)
        return self._write(call)

    def _write(self, call: Call) -> Answer:
        for _try in range(TURNS_OF_A_TAP - 1):
            try:
                return self._attempt(WRITE, call, self._write_ends_at())
            except OwnLimit:
                raise
            except RateLimited as error:
                # Nothing was done. A tap takes its turn once more, when the vendor's pause is over.
                if self.budget is None or not is_tap() or error.retry_after_s > self.limits.write_total_s:
                    raise
        return self._attempt(WRITE, call, self._write_ends_at())

    def _key(self, call: Call) -> sharing.Key:
        parts = (sorted(each.items()) if each else [] for each in (call.params, call.form))
        return (self.program, self.vendor, self.base_url, call.method, call.path, repr([*parts, call.json]))

    def _read(self, call: Call) -> Answer:
        ends_at = time.monotonic() + min(self.limits.read_total_s, remaining_s())
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return self._attempt(READ, call, ends_at)
            except BreakerOpen:
                raise
            except Unavailable as error:
                pause_s = 0.05 * 2**attempt * (0.5 + random.random())  # noqa: S311 - jitter, not a secret
                if isinstance(error, RateLimited):
                    pause_s = max(pause_s, error.retry_after_s)
                if attempt == self.limits.attempts or time.monotonic() + pause_s >= ends_at:
                    raise
            self.sleep(pause_s)
        raise AssertionError("limits.attempts is at least 1")

    def _attempt(self, kind: str, call: Call, ends_at: float) -> Answer:
        """Make one attempt. Nothing is sent without time left, to a silent vendor, or beyond our budget."""
        shortest_s = min(SHORTEST_WRITE_S, self.limits.write_total_s / 2)
        if kind == READ:
            shortest_s = SHORTEST_ATTEMPT_S
        left_s = ends_at - time.monotonic() - shortest_s
        if left_s < 0:
            raise Unavailable(f"{call.operation}: deadline")
        with self.breaker.watching(is_silence) if self.breaker else nullcontext():
            if self.budget is not None:
                self.budget.take(left_s)
            if kind == WRITE:  # the wait for its turn is not part of its time
                ends_at = self._write_ends_at()
            with self._observed(kind, call.operation):
                try:
                    answer = self._send(call, ends_at)
                except CallFailed as failed:
                    raise error_of(failed, kind, call.operation) from failed
                if (error := self.judge(answer, kind)) is not None:
                    error.detail = f"{call.operation}: {error.detail}"
                    error.args = (error.detail,)
                    if isinstance(error, RateLimited) and self.budget is not None:
                        self.budget.pause(error.retry_after_s)
                    raise error
                return answer

    def _write_ends_at(self) -> float:
        return time.monotonic() + min(self.limits.write_total_s, step_remaining_s())

    def _send(self, call: Call, ends_at: float) -> Answer:
        system, limits = (self.program, self.vendor), self.limits
        request = prepare(system, self.base_url, call, self.headers)
        self.sign(request)
        return exchange(
            system, request, ends_at=ends_at, connect_s=limits.connect_s, max_bytes=limits.max_bytes
        )

    @contextmanager
    def _observed(self, kind: str, operation: str) -> Iterator[None]:
        started_at, outcome = time.monotonic(), CRASHED
        try:
            yield
            outcome = "ok"
        except ProviderError as error:
            outcome = type(error).__name__
            raise
        finally:
            seen = Observation(
                vendor=self.vendor,
                program=self.program,
                operation=operation,
                kind=kind,
                outcome=outcome,
                seconds=time.monotonic() - started_at,
            )
            for observer in observers:
                observer(seen)


def is_silence(error: Exception) -> bool | None:
    """Return whether an error means that the vendor is silent; None where no call was made."""
    if isinstance(error, OwnLimit) or not isinstance(error, ProviderError):
        return None
    return type(error) in (Unavailable, OutcomeUnknown)


def error_of(failed: CallFailed, kind: str, operation: str) -> ProviderError:
    """Return what a failed call means: a write that may have arrived has an unknown outcome."""
    detail = f"{operation}: {failed.detail}"
    if failed.fault is Fault.BAD_ANSWER:
        return UnexpectedAnswer(detail)
    if failed.fault is Fault.NO_ANSWER and kind == WRITE:
        return OutcomeUnknown(detail)
    return Unavailable(detail)
