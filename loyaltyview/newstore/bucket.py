"""A token bucket per tenant, in this process: keeps us below NewStore's limit. Source: contract section 9.

NewStore allows a tenant 200 calls a second (100 outside production) whoever makes them, so each process of
ours takes a part only (`newstore_rate_per_s`).
"""

import threading
import time
from collections.abc import Callable

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program


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

    def take(self, patience_s: float) -> None:
        """Take one turn, waiting `patience_s` at most; NewStoreUnavailable at once when that is too short."""
        with self._lock:
            now = self._clock()
            gained = (now - self._filled_at) * self.rate_per_s
            self._turns, self._filled_at = min(self._turns + gained, float(self.rate_per_s)), now
            wait_s = max(0.0, (1 - self._turns) / self.rate_per_s)
            if wait_s > patience_s:
                raise NewStoreUnavailable("our own limit for NewStore", retry_after_s=wait_s)
            # The turn is ours from here, even if that leaves a debt: who comes later waits longer.
            self._turns -= 1
        if wait_s:
            self._sleep(wait_s)


_buckets: dict[str, Bucket] = {}
_lock = threading.Lock()


def take_turn(program: Program, patience_s: float) -> None:
    """Wait for this program's tenant to have a turn. Raises NewStoreUnavailable, as `Bucket.take`."""
    rate_per_s, tenant = program.newstore_rate_per_s, program.newstore_tenant
    if not rate_per_s:
        return
    with _lock:
        bucket = _buckets.get(tenant)
        if bucket is None or bucket.rate_per_s != rate_per_s:
            bucket = _buckets[tenant] = Bucket(rate_per_s)
    bucket.take(patience_s)
