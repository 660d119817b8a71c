"""NewStore's limit outside production: a number of calls per second, then 429 with `Retry-After: 1`.

Source: docs/contracts/newstore.md 9.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from loyaltyview.sandbox.config import SandboxConfig


@dataclass(slots=True)
class RateLimit:
    config: SandboxConfig
    _calls: deque[float] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self) -> bool:
        """Count one call; return False when this second's calls are used up. A limit of 0 allows
        everything."""
        limit, now = self.config.rate_limit_per_s, time.monotonic()
        with self._lock:
            while self._calls and self._calls[0] <= now - 1:
                self._calls.popleft()
            if limit and len(self._calls) >= limit:
                return False
            self._calls.append(now)
            return True
