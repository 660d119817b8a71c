"""A circuit breaker on Django's cache, shared by all threads and processes that share the cache.

Closed: calls pass. After `failures` failures in a row within `window_s` it opens: for `open_s` seconds every
call fails immediately and none reaches the vendor. Then one call probes; its outcome closes or opens. Only
silence counts as failure; a refusal is an answer.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.cache import cache

from providers.errors import Unavailable


class BreakerOpen(Unavailable):
    """No call was made: the vendor has been silent lately. Trying again immediately would fail, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker of one program's vendor. Cheap to create: its state lives in the cache."""

    vendor: str
    program: str
    failures: int = 5
    window_s: int = 30
    open_s: int = 15
    # A probe whose process died is given up after this; longer than any call may take.
    probe_s: int = 20

    def _key(self, what: str) -> str:
        return f"breaker:{self.vendor}:{self.program}:{what}"

    @contextmanager
    def watching(self, is_silence: Callable[[Exception], bool | None]) -> Iterator[None]:
        """Make one call in this block. Raises BreakerOpen as `check`. `is_silence` judges an error of the
        call: True for silence, False for an answer, None for neither."""
        self.check()
        outcome: bool | None = None
        try:
            yield
            outcome = False
        except Exception as error:
            outcome = is_silence(error)
            raise
        finally:
            if outcome is None:
                self.abandoned()
            elif outcome:
                self.failed()
            else:
                self.succeeded()

    def check(self) -> None:
        """Raise BreakerOpen while open. After that time, exactly one caller passes and probes."""
        open_until = cache.get(self._key("open_until"))
        if open_until is None:
            return
        if time.time() < open_until:
            raise BreakerOpen("circuit breaker is open")
        if not cache.add(self._key("probe"), 1, timeout=self.probe_s):
            raise BreakerOpen("circuit breaker waits for its probe")

    def succeeded(self) -> None:
        """The vendor answered: close, and forget failures."""
        keys = [self._key("open_until"), self._key("failures"), self._key("probe")]
        if cache.get_many(keys):
            cache.delete_many(keys)

    def failed(self) -> None:
        """The vendor was silent. Opens at the limit, and immediately after a failed probe."""
        if cache.get(self._key("open_until")) is not None or self._count() >= self.failures:
            # Kept beyond open_s: while the key exists, the next call is a probe.
            cache.set(self._key("open_until"), time.time() + self.open_s, timeout=self.open_s + self.window_s)
            cache.delete(self._key("probe"))

    def abandoned(self) -> None:
        """The call that `check` let pass was not made: the next call becomes the probe."""
        cache.delete(self._key("probe"))

    def _count(self) -> int:
        key = self._key("failures")
        cache.add(key, 0, timeout=self.window_s)
        try:
            return cache.incr(key)
        except ValueError:  # it expired between the two calls
            cache.set(key, 1, timeout=self.window_s)
            return 1
