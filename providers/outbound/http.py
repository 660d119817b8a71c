"""HTTP to a vendor: pooled, signed, bounded in time and size, and honest about what may have happened.

Reads are tried again (each attempt built and signed anew) until their deadline; writes never are.
Whatever `requests` raises becomes exactly one of ours (`http_errors`).
"""

import json as jsonlib
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import requests
from requests import exceptions as rex
from urllib3 import exceptions as uex

from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.outbound import sharing
from providers.outbound.breaker import Breaker, BreakerOpen
from providers.outbound.budget import Budget, OwnLimit, is_tap
from providers.outbound.deadline import remaining_s
from providers.outbound.http_errors import READ, WRITE, error_class
from providers.outbound.lenient_json import read_json
from providers.outbound.transport import attempt_ends_at, is_refused, session_for

CRASHED = "crashed"  # the outcome of a programming error, in `sign` for example

LONGEST_RETRY_AFTER_S = 3600.0
SHORTEST_ATTEMPT_S = 0.05
CHUNK_BYTES = 65_536
TURNS_OF_A_TAP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one call, in seconds and bytes. The page's deadline, if nearer, cuts reads short.
    A write waits longer: giving up on it creates an unknown outcome."""

    connect_s: float = 1.0
    read_total_s: float = 5.0
    write_total_s: float = 10.0
    attempts: int = 3
    max_bytes: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the vendor answered. Header names are matched without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body, fractions as Decimal; raise UnexpectedAnswer for anything but JSON."""
        try:
            return read_json(self.body)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise UnexpectedAnswer(f"{self.status}: not JSON") from error


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
    """Return the error that an answer's status stands for, None where the adapter has to look.

    An adapter whose vendor uses a status differently wraps this and passes its own as `judge`.
    """
    status = answer.status
    if status in (401, 403):
        return AuthFailed(str(status))
    if status == 429:
        return RateLimited("429", retry_after_s=_retry_after_s(answer.headers))
    if status >= 500 or status == 408:
        return Unavailable(str(status)) if kind == READ else OutcomeUnknown(str(status))
    if status < 200 or 300 <= status < 400:
        return UnexpectedAnswer(str(status))
    return None


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Read Retry-After (seconds or a date) or ratelimit-reset (seconds); 1 where neither can be read."""
    text = headers.get("Retry-After") or headers.get("ratelimit-reset") or "1"
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            seconds = 1.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S) if math.isfinite(seconds) else 1.0


def segment(value: str) -> str:
    """Quote `value` as one segment of a path. Raise Rejected(INVALID_INPUT) for "", "." and "..", which no
    quoting keeps from naming another address."""
    if value in ("", ".", ".."):
        raise Rejected(RejectReason.INVALID_INPUT)
    return quote(value, safe="")


def sign_nothing(_request: requests.PreparedRequest) -> None:
    """For vendors that need no more than the headers given to the session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorSession:
    """All calls of one program to one vendor. Cheap to create; the connections outlive it.

    `sign` sees each prepared request (method, url, headers, body as they go out) and adds credentials.
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
    sleep: Callable[[float], None] = time.sleep

    def read(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call that changes nothing, tried again while its deadline allows.

        `path` follows `base_url`; put ids into it by `segment`. `operation` is the call's name in logs
        and metrics ("get_member"). Raises Unavailable, RateLimited (`retry_after_s` is beyond the
        deadline), AuthFailed, UnexpectedAnswer; other statuses below 500 are returned. Inside
        `providers.outbound.sharing` an equal read of some seconds ago is answered without a call.
        """
        key = self._key(method, path, params, json, form)
        answer: Answer = sharing.shared(
            key,
            lambda: self._read(method, path, operation, params, json, form, headers),
            lambda answer: 200 <= answer.status < 300,
        )
        return answer

    def prime(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        member: str,
        params: Mapping[str, str | int] | None = None,
    ) -> None:
        """Have the next such read of `member` answered with `body`: a look-up brought the same record."""
        answer = Answer(status=200, headers={}, body=body)
        sharing.prime(self._key(method, path, params, None, None), answer, member)

    def _key(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        json: Any,
        form: Mapping[str, str] | None,
    ) -> sharing.Key:
        parts = (sorted(each.items()) if each else [] for each in (params, form))
        return (self.program, self.vendor, self.base_url, method, path, repr([*parts, json]))

    def _read(
        self,
        method: str,
        path: str,
        operation: str,
        params: Mapping[str, str | int] | None,
        json: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Answer:
        ends_at = time.monotonic() + min(self.limits.read_total_s, remaining_s())
        build = self._builder(method, path, params, json, form, headers)
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return self._attempt(READ, operation, build, ends_at)
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

    def write(
        self,
        method: str,
        path: str,
        *,
        operation: str,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Make a call that changes something: done at most once, whatever happens; not cut by the page's
        deadline. Raises Unavailable (nothing reached the vendor), RateLimited, AuthFailed, OutcomeUnknown,
        UnexpectedAnswer (as good as unknown); other statuses below 500 are returned. Otherwise as `read`.
        """
        build = self._builder(method, path, params, json, form, headers)
        for _try in range(TURNS_OF_A_TAP - 1):
            try:
                return self._attempt(WRITE, operation, build, time.monotonic() + self.limits.write_total_s)
            except OwnLimit:
                raise
            except RateLimited as error:
                # Nothing was done. A tap takes its turn once more, when the vendor's pause is over.
                if self.budget is None or not is_tap() or error.retry_after_s > self.limits.write_total_s:
                    raise
        return self._attempt(WRITE, operation, build, time.monotonic() + self.limits.write_total_s)

    def _builder(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        json: Any,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> Callable[[], requests.PreparedRequest]:
        """Return what makes a new, newly signed request for each attempt."""
        if not path.startswith("/"):  # "@host" behind the address would lead to another one
            raise Unavailable(f"{method}: a path must begin with a slash")
        all_headers = {**self.headers, **(headers or {})}
        body: Any = form
        if json is not None:
            body = jsonlib.dumps(json, allow_nan=False).encode()
            all_headers.setdefault("Content-Type", "application/json")

        def build() -> requests.PreparedRequest:
            request = requests.Request(
                method, self.base_url.rstrip("/") + path, params=params, data=body, headers=all_headers
            )
            prepared = session_for(self.program, self.vendor).prepare_request(request)
            self.sign(prepared)
            return prepared

        return build

    def _attempt(
        self, kind: str, operation: str, build: Callable[[], requests.PreparedRequest], ends_at: float
    ) -> Answer:
        self._admit(operation, ends_at)
        started_at = time.monotonic()
        if kind == WRITE:  # what it waited for its turn is not taken from its time
            ends_at = started_at + self.limits.write_total_s
        outcome = CRASHED
        try:
            answer = self._send(kind, operation, build, ends_at)
            error = self.judge(answer, kind)
            if error is not None:
                error.detail = f"{operation}: {error.detail}"
                error.args = (error.detail,)
                if isinstance(error, RateLimited) and self.budget is not None:
                    self.budget.pause(error.retry_after_s)
                raise error
            outcome = "ok"
        except ProviderError as error:
            outcome = type(error).__name__
            raise
        finally:
            self._report(kind, operation, outcome, time.monotonic() - started_at)
        return answer

    def _admit(self, operation: str, ends_at: float) -> None:
        """Raise unless there is time left, the vendor is alive, and our share of its limit is not spent."""
        left_s = ends_at - time.monotonic() - SHORTEST_ATTEMPT_S
        if left_s < 0:
            raise Unavailable(f"{operation}: deadline")
        if self.breaker is not None:
            self.breaker.check()
        if self.budget is not None:
            try:
                self.budget.take(left_s)
            except RateLimited:
                if self.breaker is not None:
                    self.breaker.abandoned()
                raise

    def _send(
        self, kind: str, operation: str, build: Callable[[], requests.PreparedRequest], ends_at: float
    ) -> Answer:
        try:
            request = build()
        except rex.RequestException as error:
            raise Unavailable(f"{operation}: {type(error).__name__}") from error
        token = attempt_ends_at.set(ends_at)
        left_s = max(ends_at - time.monotonic(), SHORTEST_ATTEMPT_S)
        try:
            with session_for(self.program, self.vendor).send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(min(self.limits.connect_s, left_s), left_s),
            ) as response:
                body = bytearray()
                for chunk in response.iter_content(CHUNK_BYTES):
                    body += chunk
                    if len(body) > self.limits.max_bytes:
                        raise UnexpectedAnswer(f"{operation}: answer above {self.limits.max_bytes} bytes")
                return Answer(status=response.status_code, headers=response.headers, body=bytes(body))
        except (rex.RequestException, uex.HTTPError) as error:
            # The vendor's address may carry personal data, so only the kind of trouble goes into our text.
            what = "private address refused" if is_refused(error) else type(error).__name__
            raise error_class(error, kind)(f"{operation}: {what}") from error
        finally:
            attempt_ends_at.reset(token)

    def _report(self, kind: str, operation: str, outcome: str, seconds: float) -> None:
        if self.breaker is not None:
            if outcome in ("Unavailable", "OutcomeUnknown"):
                self.breaker.failed()
            elif outcome == CRASHED:
                self.breaker.abandoned()
            else:
                self.breaker.succeeded()
        for observer in observers:
            observer(
                Observation(
                    vendor=self.vendor,
                    program=self.program,
                    operation=operation,
                    kind=kind,
                    outcome=outcome,
                    seconds=seconds,
                )
            )
