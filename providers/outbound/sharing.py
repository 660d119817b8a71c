"""Reads of the same thing within seconds are one read: between the calls of a page, between equal requests at
the same moment, and between a page and the tap that follows.

Only inside `sharing`, which pages open: the worker and every write always read for themselves. Kept in this
process; where the vendor allows few calls also for the others, sealed in the member's row (`for_all`). A
write to a member (`changed`) ends the sharing about them in all processes.
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

from django.conf import settings

from providers import clock
from providers.errors import ProviderError, Unavailable
from providers.outbound import behind, member_rows
from providers.outbound.deadline import remaining_s
from providers.outbound.exchange import Answer
from providers.outbound.member_rows import MemberRow, Read

Key = tuple[Any, ...]

PAGE_S = 3.0  # how old a read may be that a page shows
TAP_S = 30.0  # how old a read may be for judging a tap: the vendor checks the spend itself
SPARE_S = 3.0  # until the tap reads
FACT_S = 86400.0  # how old a fact may be that a page shows
KEPT_AT_MOST = 3000
TEXT = ("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whose reads are shared, how old they may be, and since which change of the member (`row`). An empty
    member stands for a look-up: the member is not known yet."""

    max_age_s: float
    program: str
    member: str = ""
    is_page: bool = False
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


@dataclass(frozen=True, slots=True)
class _ToStore:
    """What is to be stored of the scope's member."""

    scope: Scope
    has_facts: bool
    has_reads: bool


_scope: ContextVar[Scope | None] = ContextVar("sharing", default=None)
_kept: OrderedDict[Key, _Kept] = OrderedDict()
_under_way: dict[Key, _UnderWay] = {}
_to_store: dict[tuple[str, str], _ToStore] = {}  # by program and member
_taken_over: OrderedDict[tuple[str, str], Any] = OrderedDict()  # `reads_at` by program and member
_lock = threading.Lock()


@contextmanager
def sharing(program: str, member: str = "", *, max_age_s: float) -> Iterator[None]:
    """Share the reads of this block. One statement for a member; without a database nothing is shared."""
    row = member_rows.load(program, member) if member else MemberRow()
    scope = None
    if row is not None:
        _take_over(program, member, row)
        is_page = max_age_s <= PAGE_S
        scope = Scope(max_age_s=max_age_s, program=program, member=member, is_page=is_page, row=row)
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
    return scope is not None and scope.is_page


def changed(program: str, member: str) -> None:
    """The member was written to, or a vendor says so: read again from now on, in every process. A look-up of
    this process may have found the member, or is about to, and is made again, too."""
    with _lock:
        for key in [key for key, each in _under_way.items() if key[0] == program and each.number is None]:
            del _under_way[key]
        for key in [key for key, kept in _kept.items() if key[0] == program and kept.member in (member, "")]:
            del _kept[key]
    member_rows.note_change(program, member)


def change_of(program: str, member: str) -> str:
    """Return a name of the member's last change, the same until the next one; "" for none within a day."""
    return member_rows.change_of(program, member)


def erase(program: str, member: str) -> None:
    """Forget everything about the member, as `changed`: they are erased."""
    with _lock:
        for key in [key for key, kept in _kept.items() if key[0] == program and kept.member in (member, "")]:
            del _kept[key]
        _to_store.pop((program, member), None)
    member_rows.erase(program, member)


def forget_facts(program: str, member: str) -> None:
    """Let the next page read what `keep_fact` has kept of the member."""
    member_rows.forget_facts(program, member)


def fact(name: str, max_age_s: float = FACT_S) -> Any:
    """Return what a page may still show of the scope's member, kept by `keep_fact` within that time; None for
    nothing, and for everything but a page: a tap reads. The adapter compares it with what it reads anyway,
    such as the tier. Our writes do not end it."""
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
    _store(scope, has_facts=True)


def shared(
    key: Key,
    read: Callable[[], Any],
    is_worth_keeping: Callable[[Any], bool] = lambda _answer: True,
    *,
    for_all: bool = False,
) -> Any:
    """Return what `read` returns, or what an equal call returned within the scope's age, if that one was
    kept. `key` names the call, beginning with the program. With `for_all` an Answer about a member is kept
    for the other processes, too. Raises the errors of `read`."""
    scope = _scope.get()
    if scope is None:
        return read()
    with _lock:
        kept = _kept.get(key)
        if kept is not None and _is_good(kept, scope):
            # The result of a look-up belongs to the member from here on, so the tap may use it, too.
            _kept[key] = replace(kept, member=scope.member, number=scope.number)
        else:
            kept = None
        first = _under_way.get(key)
        # One that began before the last change of the member is of no use.
        if kept is None and (first is None or first.number != scope.number):
            first, ours = None, _UnderWay(scope.number, Future())
            _under_way[key] = ours
    if kept is not None:
        if for_all and kept.number != scope.number and _has_other_processes():
            _store(scope, has_reads=True)
        return kept.answer
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
    if for_all and _has_other_processes():
        _store(scope, has_reads=True)
    return answer


def is_known(program: str, member: str) -> bool:
    """Return whether the member was read recently enough for a tap. Outside of `sharing` another process may
    have read them: this asks the database where this process has not."""
    if _is_known(program, member):
        return True
    if _scope.get() is not None or not _has_other_processes():
        return False
    if (row := member_rows.load(program, member)) is not None:
        _take_over(program, member, row)
    return _is_known(program, member)


def _is_known(program: str, member: str) -> bool:
    since = time.monotonic() - TAP_S + SPARE_S
    with _lock:
        return any(
            kept.member == member and kept.at > since for key, kept in _kept.items() if key[0] == program
        )


def _has_other_processes() -> bool:
    return bool(settings.VENDOR_BUDGETS == "database")


def _store(scope: Scope, *, has_facts: bool = False, has_reads: bool = False) -> None:
    """Have what a page or tap reads of its member stored once, behind it."""
    if not scope.member:
        return
    key = (scope.program, scope.member)
    with _lock:
        earlier = _to_store.get(key)
        if earlier is not None:
            has_facts, has_reads = has_facts or earlier.has_facts, has_reads or earlier.has_reads
        _to_store[key] = _ToStore(scope, has_facts, has_reads)
    if earlier is None and not behind.write(lambda: _store_now(key)):
        with _lock:
            _to_store.pop(key, None)


def _store_now(key: tuple[str, str]) -> None:
    with _lock:
        what = _to_store.pop(key, None)
    if what is None:
        return
    now, now_s, row = time.monotonic(), clock.now().timestamp(), what.scope.row
    with _lock:
        reads = [
            Read(name, now_s - (now - kept.at), kept.answer.status, kept.answer.body.decode(*TEXT))
            for name, kept in _kept.items()
            if (name[0], kept.member, kept.number) == (*key, row.number)
            and isinstance(kept.answer, Answer)
            and now - kept.at < TAP_S
        ]
    reads_at = member_rows.keep(*key, row, has_facts=what.has_facts, reads=reads if what.has_reads else ())
    _note_taken(*key, reads_at)


def _take_over(program: str, member: str, row: MemberRow) -> None:
    """Keep here what other processes have read of the member, unless this one has it, or read it later."""
    if row.reads_at is None or _taken_over.get((program, member)) == row.reads_at:
        return
    now, now_s = time.monotonic(), clock.now().timestamp()
    for read in row.reads():
        at = now - abs(now_s - read.at)  # the clock may have been set back, or another machine's is ahead
        known = _kept.get(read.key)
        if known is None or known.at < at:
            answer = Answer(status=read.status, headers={}, body=read.body.encode(*TEXT))
            _keep(read.key, _Kept(answer, at, member, row.number))
    _note_taken(program, member, row.reads_at)


def _note_taken(program: str, member: str, reads_at: Any) -> None:
    with _lock:
        _taken_over[program, member] = reads_at
        while len(_taken_over) > KEPT_AT_MOST:
            _taken_over.popitem(last=False)


def prime(key: Key, answer: Any, member: str) -> None:
    """Keep `answer` as the result of the call `key`: a look-up returned the same record."""
    scope = _scope.get()
    if scope is not None:
        _keep(key, _Kept(answer, time.monotonic(), member, None))


def forget_all() -> None:
    """Forget everything that is kept in this process."""
    with _lock:
        _kept.clear()
        _taken_over.clear()
        _to_store.clear()


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
