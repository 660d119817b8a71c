"""A NewStore that is silent is left alone for some seconds, so that no thread waits for it in vain."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from loyaltyview.newstore.errors import NewStoreError, NewStoreUnavailable
from providers.outbound.breaker import Breaker, BreakerOpen

# What gateways answer for a server that is silent.
SILENT_STATUSES = (502, 503, 504)
# A call that could wait for less has not shown that NewStore is silent: a launch waits for a second.
PATIENT_S = 2.0


@contextmanager
def listening(program: str, url: str, timeout_s: float) -> Iterator[None]:
    """Make one call of the program in this block; NewStoreUnavailable at once while its NewStore is silent.
    API and identity are different hosts, and each has a breaker of its own."""
    host = url.partition("//")[2].partition("/")[0]
    breaker = Breaker(vendor=f"newstore:{host}", program=program)
    try:
        breaker.check()
    except BreakerOpen:
        raise NewStoreUnavailable("NewStore was silent a moment ago", retry_after_s=breaker.open_s) from None
    started = time.monotonic()
    try:
        yield
    except NewStoreUnavailable as error:
        if error.status and error.status not in SILENT_STATUSES:
            breaker.succeeded()
        elif timeout_s >= PATIENT_S or time.monotonic() - started < timeout_s / 2:
            breaker.failed()
        else:
            breaker.abandoned()
        raise
    except NewStoreError:
        breaker.succeeded()
        raise
    except BaseException:
        breaker.abandoned()
        raise
    else:
        breaker.succeeded()
