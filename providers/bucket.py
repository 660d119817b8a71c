"""A token bucket per program and vendor, in this process: keeps us below the vendor's rate limit."""

import threading
import time
from collections.abc import Callable

from providers.errors import RateLimited


class TokenBucket:
    """`rate_per_s` calls a second in the long run, `burst` at once. Thread-safe."""

    def __init__(
        self,
        rate_per_s: float,
        burst: int,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.rate_per_s = rate_per_s
        self.burst = burst
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tokens = float(burst)
        self._filled_at = clock()

    def take(self, patience_s: float) -> None:
        """Take one token, waiting at most `patience_s`; raise RateLimited at once when that is too short."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate_per_s)
            self._filled_at = now
            wait_s = max(0.0, (1 - self._tokens) / self.rate_per_s)
            if wait_s > patience_s:
                raise RateLimited("our own limit for this vendor", retry_after_s=wait_s)
            # The token is ours from here, even if that leaves a debt: who comes later waits longer.
            self._tokens -= 1
        if wait_s:
            self._sleep(wait_s)


_buckets: dict[tuple[str, str], TokenBucket] = {}
_buckets_lock = threading.Lock()


def bucket_for(vendor: str, program: str, rate_per_s: float, burst: int) -> TokenBucket:
    """Return the bucket that all calls of this program to this vendor share in this process."""
    with _buckets_lock:
        bucket = _buckets.get((vendor, program))
        if bucket is None or (bucket.rate_per_s, bucket.burst) != (rate_per_s, burst):
            bucket = _buckets[(vendor, program)] = TokenBucket(rate_per_s, burst)
        return bucket
