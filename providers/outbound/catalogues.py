"""Catalogues: what a vendor's account says to everybody, such as rewards, options, tiers and settings of the
program. Read once for all members, tills and processes.
See docs/decisions/0057-catalogues-are-program-data.md.

An adapter asks for one by one function:

    options = catalogues.known(config, "options", read=lambda: ask_vendor(), parse=options_of)

`read` makes the calls and returns content that JSON can hold. `parse` turns that into the adapter's own
objects, and raises UnexpectedAnswer for what it cannot read: such content is never kept. The name has at most
100 characters; what differs by store has the store in its name. Nothing about a single member belongs here,
because the content is stored unsealed.

How old it may be depends on who asks:

    a page: inside `sharing` with PAGE_S    Up to FRESH it is used. Up to BEHIND it is used, too, and one
                                            process reads it anew meanwhile. Then the page reads it itself.
                                            While the vendor is away or the quota is short: up to USABLE.
    everybody else: taps, the worker        TAP_S, as for reads of a member, because the discount of a tap
                                            comes from it.

`drop` ends it in all processes: when an administrator tests the connection, and when a delivery says that it
changed (`WebhookName.CATALOGUE_CHANGED`). Changed settings of the program make it unusable at once.
"""

import json
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

import structlog
from django.db import DatabaseError
from django.db.models import Q, QuerySet
from django.utils.crypto import salted_hmac

from providers import clock
from providers.errors import ProviderError, Unavailable, UnexpectedAnswer
from providers.models import KeptCatalogue
from providers.outbound import behind, sharing
from providers.outbound.deadline import remaining_s
from providers.retention import delete_in_steps

log = structlog.get_logger(__name__)

T = TypeVar("T")

FRESH = timedelta(minutes=5)
BEHIND = timedelta(hours=1)
USABLE = timedelta(days=1)
FOR_A_TAP = timedelta(seconds=sharing.TAP_S)
LOOK_S = 1.0  # how often a process looks whether another one has read anew
LEASE = timedelta(seconds=30)  # a failed read behind the page is tried again after it
OTHERS_READ_S = 1.5  # how long a page waits for the read of another process
POLL_S = 0.05
KEPT_AT_MOST = 1000
sleep = time.sleep


class Config(Protocol):
    """A program's configuration (`providers.base.ProviderConfig`)."""

    @property
    def program(self) -> str: ...


Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known(Generic[T]):
    """A catalogue in this process. `looked_at` (monotonic) is when the database had this version."""

    config: Config
    version: str
    read_at: datetime
    content: T
    looked_at: float

    @property
    def age(self) -> timedelta:
        """A read in the future was made before a clock was set back: it counts as old."""
        return abs(clock.now() - self.read_at)


_known: OrderedDict[Key, _Known[Any]] = OrderedDict()
_reading: dict[Key, threading.Lock] = {}
_next_try: dict[Key, float] = {}  # when this process may read behind a page again
_lock = threading.Lock()


def known(
    config: Config,
    name: str,
    *,
    read: Callable[[], Any],
    parse: Callable[[Any], T],
    for_a_tap: timedelta = FOR_A_TAP,
) -> T:
    """Return the catalogue of that name. A longer `for_a_tap` is for what gives a tap neither price nor
    worth. Raises the errors of `read` and `parse`, and Unavailable when the page's deadline ends while
    another thread reads."""
    catalogue = _Catalogue(config=config, name=name, read=read, parse=parse)
    limit = FRESH if sharing.is_page() else for_a_tap
    found = catalogue.look()
    if found is not None and found.age <= limit:
        return found.content
    if found is None or not sharing.is_page():
        return catalogue.read_once(limit)
    if found.age <= BEHIND:
        if _next_try.get(catalogue.key, 0.0) <= time.monotonic():
            _next_try[catalogue.key] = time.monotonic() + LEASE.total_seconds()
            behind.start(catalogue.read_behind)
        return found.content
    try:
        return catalogue.read_once(limit)
    except Unavailable:
        if found.age > USABLE:
            raise
        return found.content


def read_anew(config: Config, name: str, *, read: Callable[[], Any], parse: Callable[[Any], T]) -> T:
    """As `known`, read now: what is kept lacks something that was just named to us."""
    return _Catalogue(config=config, name=name, read=read, parse=parse).read_once(timedelta(seconds=-1))


def drop(program: str) -> None:
    """Forget all catalogues of the program, in every process: the vendor has, or may have, other ones. A read
    that is under way is not kept."""
    with _lock:
        for key in [key for key in _known if key[0] == program]:
            del _known[key]
    try:
        KeptCatalogue.objects.filter(program=program).delete()
    except DatabaseError as error:
        log.warning("catalogues_not_dropped", program=program, error=type(error).__name__)


def forget_old() -> int:
    """Delete catalogues that are too old for everybody. Returns how many. May be repeated."""
    return delete_in_steps(KeptCatalogue.objects.filter(lease_until__lt=clock.now() - USABLE - LEASE))


def forget_all() -> None:
    """Forget everything that is kept in this process."""
    with _lock:
        for kept in (_known, _reading, _next_try):
            kept.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Catalogue(Generic[T]):
    """One catalogue of one program, and how it is read."""

    config: Config
    name: str
    read: Callable[[], Any]
    parse: Callable[[Any], T]

    @property
    def key(self) -> Key:
        return (self.config.program, self.name)

    @property
    def rows(self) -> "QuerySet[KeptCatalogue]":
        return KeptCatalogue.objects.filter(program=self.config.program, name=self.name)

    @property
    def made_with(self) -> str:
        return salted_hmac("catalogue", repr(self.config), algorithm="sha256").hexdigest()

    def look(self, *, is_new: bool = False) -> _Known[T] | None:
        """Return what is kept; None where nothing is, or was read with other settings or by another release.
        Another process's read is seen after LOOK_S, with `is_new` at once."""
        found: _Known[T] | None = _known.get(self.key)
        if found is not None and found.config != self.config:
            found = None
        if found is not None and not is_new and time.monotonic() - found.looked_at < LOOK_S:
            return found
        looked_at = time.monotonic()
        try:
            rows = self.rows.filter(made_with=self.made_with, read_at__isnull=False)
            row = rows.values_list("version", "read_at").first()
            if row is not None and found is not None and row[0] == found.version:
                content = found.content
            elif row is not None:
                content = self.parse(_loads(rows.values_list("content", flat=True).get(version=row[0])))
        except DatabaseError as error:
            log.warning("catalogue_alone", program=self.config.program, error=type(error).__name__)
            return found
        except (KeptCatalogue.DoesNotExist, UnexpectedAnswer):
            row = None
        if row is None or row[1] is None:
            with _lock:
                _known.pop(self.key, None)
            return None
        return self._keep(row[0], row[1], content, looked_at)

    def read_once(self, limit: timedelta) -> T:
        """Read, or wait for the thread or process that reads, and return the content."""
        with _lock:
            reading = _reading.setdefault(self.key, threading.Lock())
        if not reading.acquire(timeout=max(0.0, min(remaining_s(), 60.0))):
            raise Unavailable("deadline")
        try:
            ends_at = time.monotonic() + min(OTHERS_READ_S, remaining_s())
            while True:
                found = self.look(is_new=True)
                if found is not None and found.age <= limit:
                    return found.content
                lease = self._claim()
                if lease or time.monotonic() >= ends_at:
                    break
                sleep(POLL_S)
            try:
                return self._read_now()
            except ProviderError:
                self._end(lease, clock.now())
                raise
        finally:
            reading.release()

    def read_behind(self) -> None:
        """Read anew where no other thread or process does. After an error the next read behind a page waits
        until the lease would have ended; a tap does not."""
        with _lock:
            reading = _reading.setdefault(self.key, threading.Lock())
        if not reading.acquire(blocking=False):
            return
        ends_at = clock.now() + LEASE
        try:
            if lease := self._claim(is_behind=True):
                try:
                    self._read_now()
                except ProviderError:
                    self._end(lease, ends_at)
                    raise
        except ProviderError as error:
            log.info("catalogue_not_read", program=self.config.program, name=self.name, error=error.detail)
        finally:
            reading.release()

    def _claim(self, *, is_behind: bool = False) -> str:
        """Return a lease for reading, "" where another process has it. Without a database this process
        reads for itself."""
        now, lease = clock.now(), uuid.uuid4().hex
        taken = {"lease": lease, "lease_until": now + LEASE}
        # One that ends so late is from before a clock was set back.
        is_free = Q(lease_until__lte=now) | Q(lease_until__gt=now + 2 * LEASE)
        if not is_behind:
            is_free |= Q(lease="")
        try:
            if self.rows.filter(is_free).update(**taken):
                return lease
            row = KeptCatalogue(program=self.config.program, name=self.name, **taken)
            KeptCatalogue.objects.bulk_create([row], ignore_conflicts=True)
            return lease if self.rows.filter(lease=lease).exists() else ""
        except DatabaseError:
            return lease

    def _read_now(self) -> T:
        """Read and keep what was read, unless the row was dropped meanwhile, or has a later read. The lease
        does not count here: its process may have been killed."""
        row = self._row()
        read_at, looked_at = clock.now(), time.monotonic()
        with sharing.alone():
            text = json.dumps(self.read(), default=float)
        content = self.parse(_loads(text))
        version = uuid.uuid4().hex
        new = {"made_with": self.made_with, "content": text, "version": version, "read_at": read_at}
        is_older = Q(read_at=None) | Q(read_at__lt=read_at) | Q(read_at__gt=clock.now())
        try:
            if not self.rows.filter(is_older, pk=row).update(**new, lease="", lease_until=read_at):
                return content
        except DatabaseError as error:
            log.warning("catalogue_alone", program=self.config.program, error=type(error).__name__)
        self._keep(version, read_at, content, looked_at)
        return content

    def _row(self) -> int:
        """Return the id of the row, 0 for none. A drop deletes it, so the next one has another."""
        try:
            return self.rows.values_list("pk", flat=True).first() or 0
        except DatabaseError:
            return 0

    def _end(self, lease: str, until: datetime) -> None:
        """Give the lease back. Reads behind a page wait until then."""
        try:
            self.rows.filter(lease=lease or None).update(lease="", lease_until=until)
        except DatabaseError:
            log.info("catalogue_lease_left", program=self.config.program)

    def _keep(self, version: str, read_at: datetime, content: T, looked_at: float) -> _Known[T]:
        kept = _Known(
            config=self.config, version=version, read_at=read_at, content=content, looked_at=looked_at
        )
        with _lock:
            _known.pop(self.key, None)
            _known[self.key] = kept
            while len(_known) > KEPT_AT_MOST:
                _known.popitem(last=False)
        return kept


def _loads(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)
