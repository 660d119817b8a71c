"""So many calls in so much time, counted on Django's cache: look-ups, enrolments.

A fixed window: at its border up to twice the limit may pass, which is fine for keeping a curious hand
from walking through the customers. The counters are as shared as the cache is: with the default
in-process cache each web process counts for itself.
"""

import hashlib
import time
from dataclasses import dataclass

from django.core.cache import cache


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """The limit is reached; try again in `seconds` (at least 1)."""

    seconds: int


def allow(scope: str, key: str, limit: int, per_s: int) -> RetryAfter | None:
    """Count one call; return None when it may go on, RetryAfter when more than `limit` came in `per_s`.

    `scope` names what is limited ("lookup"), `key` who ("acme:associate-7"); only a hash of it is kept.
    """
    now = time.time()
    window = int(now // per_s)
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    counter = f"ratelimit:{scope}:{digest}:{window}"
    cache.add(counter, 0, timeout=per_s)
    try:
        count = cache.incr(counter)
    except ValueError:  # it was evicted between the two calls
        count = 1
    if count <= limit:
        return None
    return RetryAfter(seconds=max(1, int((window + 1) * per_s - now)))
