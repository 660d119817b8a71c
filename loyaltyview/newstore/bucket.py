"""A token bucket per tenant, in this process: keeps us below NewStore's limit.
Source: docs/contracts/newstore.md 9.

NewStore allows a tenant 200 calls a second (100 outside production) whoever makes them, so each process of
ours takes a part only (`newstore_rate_per_s`).
"""

import threading
import time
from collections.abc import Callable

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program

# Then one call tries again: a single odd answer (a gateway's 403, say) is not to shut the tills for minutes.
LONGEST_PAUSE_S = 60


class Bucket:
    """`rate_per_s` calls a second in the long run, as many at once. Thread-safe."""

    def __init__(
        self,
        rate_per_s: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate_per_s = rate_per_s
        self._clock, self._sleep = clock, sleep
        self._lock = threading.Lock()
        self._turns, self._filled_at = float(rate_per_s), clock()
        self._paused_until: dict[str, float] = {}

    def take(self, patience_s: float, area: str = "") -> None:
        """Take one turn, waiting `patience_s` at most; NewStoreUnavailable at once when that is too short, or
        while NewStore asks us to wait with all calls or those of `area`: then with its status 429."""
        with self._lock:
            now = self._clock()
            left_s = max(self._paused_until.get(each, now) for each in ("", area)) - now
            if left_s > 0:
                raise NewStoreUnavailable("NewStore asks us to wait", status=429, retry_after_s=left_s)
            gained = (now - self._filled_at) * self.rate_per_s
            self._turns, self._filled_at = min(self._turns + gained, float(self.rate_per_s)), now
            wait_s = max(0.0, (1 - self._turns) / self.rate_per_s)
            if wait_s > patience_s:
                raise NewStoreUnavailable("our own limit for NewStore", retry_after_s=wait_s)
            # The turn is ours from here, even if that leaves a debt: who comes later waits longer.
            self._turns -= 1
        if wait_s:
            self._sleep(wait_s)

    def set_rate(self, rate_per_s: int) -> None:
        """Go on with another rate, and with the turns that are left."""
        with self._lock:
            self.rate_per_s = rate_per_s

    def pause(self, seconds: float, area: str = "") -> None:
        """Give no turn for so long, to calls of `area` only where one is given."""
        with self._lock:
            until = self._clock() + seconds
            self._paused_until[area] = max(self._paused_until.get(area, until), until)


_buckets: dict[str, Bucket] = {}
_lock = threading.Lock()


def take_turn(program: Program, patience_s: float, area: str = "") -> None:
    """Wait for this program's tenant to have a turn. Raises NewStoreUnavailable, as `Bucket.take`."""
    if bucket := _bucket_of(program):
        bucket.take(patience_s, area)


def pause(program: Program, seconds: float, area: str = "") -> None:
    """NewStore asks this program's tenant to wait: this process makes none of its calls, of `area` only where
    one is given, for so long, and for LONGEST_PAUSE_S at most. Without a rate of our own every call finds out
    by itself."""
    if bucket := _bucket_of(program):
        bucket.pause(min(seconds, LONGEST_PAUSE_S), area)


def _bucket_of(program: Program) -> Bucket | None:
    """Return the tenant's bucket, at the rate of its program that asked last; None without a rate."""
    rate_per_s, tenant = program.newstore_rate_per_s, program.newstore_tenant
    if not rate_per_s:
        return None
    with _lock:
        bucket = _buckets.setdefault(tenant, Bucket(rate_per_s))
    if bucket.rate_per_s != rate_per_s:
        bucket.set_rate(rate_per_s)
    return bucket
