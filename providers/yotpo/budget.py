"""Our share of Yotpo's rate limit: a steady rate, and what the headers of its answers say is left.

Source: loyaltyapi.yotpo.com/reference/guidelines-and-conventions (10 calls a second for an account; older
pages say 5), headers `ratelimit-remaining` and `ratelimit-reset` (seconds).
"""

import threading
from collections.abc import Mapping

from providers.bucket import TokenBucket

LONGEST_PAUSE_S = 60.0


class Budget(TokenBucket):
    """A bucket that the vendor's own count can empty. One for each program in this process."""

    def note(self, headers: Mapping[str, str]) -> None:
        """Believe the vendor when it counts fewer calls left than we do, until its reset."""
        remaining, reset_s = _number(headers, "ratelimit-remaining"), _number(headers, "ratelimit-reset")
        if remaining is None:
            return
        with self._lock:
            now = self._clock()
            self._tokens = min(self.burst, self._tokens + (now - self._filled_at) * self.rate_per_s)
            self._filled_at = now
            if remaining < 1 and reset_s:
                # A debt that is paid off at the reset; hearing of it twice makes it no larger.
                remaining = -min(reset_s, LONGEST_PAUSE_S) * self.rate_per_s
            self._tokens = min(self._tokens, remaining)


_budgets: dict[str, Budget] = {}
_budgets_lock = threading.Lock()


def budget_for(program: str, rate_per_s: int) -> Budget:
    """Return the budget that all calls of this program share in this process."""
    with _budgets_lock:
        budget = _budgets.get(program)
        if budget is None or budget.rate_per_s != rate_per_s:
            budget = _budgets[program] = Budget(rate_per_s, burst=rate_per_s)
        return budget


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        return max(0.0, float(headers.get(name, "")))
    except ValueError:
        return None
