"""Reads of the same thing within seconds are one read: between the calls of a page, between equal requests at
the same moment, and between a page and the tap that follows.

Only inside `sharing`, which pages open: the worker and every write always read for themselves. Kept in this
process. A write to a member (`changed`) ends the sharing about them in all processes.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from providers import clock
from providers.errors import ProviderError, Unavailable
from providers.outbound import member_rows
from providers.outbound.deadline import remaining_s
from providers.outbound.member_rows import MemberRow

Key = tuple[Any, ...]

PAGE_S = 3.0  # how old a read may be that a page shows
TAP_S = 30.0  # how old a read may be for judging a tap: the vendor checks the spend itself
SPARE_S = 3.0  # until the tap reads
FACT_S = 86400.0  # how old a fact may be that a page shows
KEPT_AT_MOST = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose reads are shared, how old they may be, and since which change of the member (`row`). An empty
    member stands for a look-up: the member is not known yet."""

    max_age_s: float
    program: str
    member: str = ""
    row: MemberRow = field(default_factory=MemberRow)

    @property
    def number(self) -> int | None:
        return self.row.number if self.member else None


@dataclass(frozen=True, slots=True)
class _Kept:
    """`number` is None for the result of a look-up: it had no member."""

    answer: Any
    at: float
    member: str
    number: int | None


@dataclass(frozen=True, slots=True, eq=False)
class _UnderWay:
    """A read that other threads wait for. `number` as in `Scope`, None for a look-up."""

    number: int | None
    result: "Future[Any]"


_scope: ContextVar[Scope | None] = ContextVar("sharing", default=None)
_kept: OrderedDict[Key, _Kept] = OrderedDict()
_under_way: dict[Key, _UnderWay] = {}
_lock = threading.Lock()


@contextmanager
def sharing(program: str, member: str = "", *, max_age_s: float) -> Iterator[None]:
    """Share the reads of this block. One statement for a member; without a database nothing is shared."""
    row = member_rows.load(program, member) if member else MemberRow()
    scope = None
    if row is not None:
        scope = Scope(max_age_s=max_age_s, program=program, member=member, row=row)
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def alone() -> Iterator[None]:
    """Share nothing in this block: its reads prove the outcome of a write."""
    token = _scope.set(None)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def lasting(max_age_s: float) -> Iterator[None]:
    """Share the reads of this block for longer, where the block around it shares: for what hardly changes,
    such as a name. A change of the member ends it as ever."""
    scope = _scope.get()
    token = _scope.set(scope and replace(scope, max_age_s=max(max_age_s, scope.max_age_s)))
    try:
        yield
    finally:
        _scope.reset(token)


def is_page() -> bool:
    """Return whether the reads made here are for showing a page: nothing is decided by them."""
    scope = _scope.get()
    return scope is not None and scope.max_age_s <= PAGE_S


def changed(program: str, member: str) -> None:
    """The member was written to, or a vendor says so: read again from now on, in every process. A look-up of
    this process may have found the member, or is about to, and is made again, too."""
    with _lock:
        for key in [key for key, each in _under_way.items() if key[0] == program and each.number is None]:
            del _under_way[key]
        for key in [key for key, kept in _kept.items() if key[0] == program and kept.member in (member, "")]:
            del _kept[key]
    member_rows.note_change(program, member)


def fact(name: str, max_age_s: float = FACT_S) -> Any:
    """Return what a page may still show of the scope's member, kept by `keep_fact` within that time and since
    the last change of the member; None for nothing, and for everything but a page: a tap reads."""
    scope = _scope.get()
    if scope is None or not is_page():
        return None
    at, content = scope.row.facts.get(name, (0.0, None))
    return content if clock.now().timestamp() - at < min(max_age_s, FACT_S) else None


def keep_fact(name: str, content: Any) -> None:
    """Keep what seldom changes about the scope's member, such as which rewards they may have, for the pages
    of a day. `content` is of JSON's types, small, and no personal data: it is stored unsealed."""
    scope = _scope.get()
    if scope is None or not scope.member:
        return
    now = clock.now().timestamp()
    at, known = scope.row.facts.get(name, (0.0, None))
    if known == content and now - at < FACT_S / 2:
        return
    scope.row.facts[name] = (now, content)
    member_rows.keep_facts(scope.program, scope.member, scope.row)


def shared(
    key: Key, read: Callable[[], Any], is_worth_keeping: Callable[[Any], bool] = lambda _answer: True
) -> Any:
    """Return what `read` returns, or what an equal call returned within the scope's age, if that one was
    kept. `key` names the call, beginning with the program. Raises the errors of `read`."""
    scope = _scope.get()
    if scope is None:
        return read()
    with _lock:
        kept = _kept.get(key)
        if kept is not None and _is_good(kept, scope):
            # The result of a look-up belongs to the member from here on, so the tap may use it, too.
            _kept[key] = replace(kept, member=scope.member, number=scope.number)
            return kept.answer
        first = _under_way.get(key)
        # One that began before the last change of the member is of no use.
        if first is None or first.number != scope.number:
            first, ours = None, _UnderWay(scope.number, Future())
            _under_way[key] = ours
    if first is not None:
        return _wait(first.result, read)
    started_at = time.monotonic()
    try:
        answer = read()
    except BaseException as error:
        _end(key, ours)
        ours.result.set_exception(error)
        ours.result.exception()  # there may be no other waiting thread
        raise
    if is_worth_keeping(answer) and _under_way.get(key) is ours:
        _keep(key, _Kept(answer, started_at, scope.member, scope.number))
    _end(key, ours)
    ours.result.set_result(answer)
    return answer


def is_known(program: str, member: str) -> bool:
    """Return whether this process read the member recently enough for a tap."""
    since = time.monotonic() - TAP_S + SPARE_S
    with _lock:
        return any(
            kept.member == member and kept.at > since for key, kept in _kept.items() if key[0] == program
        )


def prime(key: Key, answer: Any, member: str) -> None:
    """Keep `answer` as the result of the call `key`: a look-up returned the same record."""
    scope = _scope.get()
    if scope is not None:
        _keep(key, _Kept(answer, time.monotonic(), member, None))


def forget_all() -> None:
    """Forget everything that is kept in this process."""
    with _lock:
        _kept.clear()


def _is_good(kept: _Kept, scope: Scope) -> bool:
    age_s = time.monotonic() - kept.at
    if age_s > scope.max_age_s or kept.member not in ("", scope.member):
        return False
    # A look-up had no number: its result is valid for the next page.
    return kept.number == scope.number or (kept.number is None and age_s <= PAGE_S)


def _wait(first: "Future[Any]", read: Callable[[], Any]) -> Any:
    try:
        return first.result(max(0.0, min(remaining_s(), 60.0)))
    except TimeoutError as error:
        raise Unavailable("deadline") from error
    except ProviderError:
        raise
    except BaseException:
        return read()  # a programming error of the other thread is not ours


def _keep(key: Key, kept: _Kept) -> None:
    with _lock:
        _kept.pop(key, None)
        _kept[key] = kept
        while len(_kept) > KEPT_AT_MOST:
            _kept.popitem(last=False)


def _end(key: Key, ours: _UnderWay) -> None:
    with _lock:
        if _under_way.get(key) is ours:
            del _under_way[key]
