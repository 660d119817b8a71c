"""So many calls in so much time, counted on Django's cache: look-ups, enrolments, launches.

A fixed window: at its border up to twice the limit may pass, which still keeps a curious user from reading
all customers. The counters are as shared as the cache is: with the default in-process cache each web process
counts for itself.
"""

import hashlib
import ipaddress
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """The limit is reached; try again in `seconds` (at least 1)."""

    seconds: int


def allow(scope: str, key: str, limit: int, per_s: int) -> RetryAfter | None:
    """Count one call; return None when it may go on, RetryAfter when more than `limit` came in `per_s`.

    `scope` names what is limited ("lookup"), `key` who ("acme:associate-7"); only a hash of it is kept.
    """
    now = time.time()
    counter = _counter(scope, key, per_s, now)
    cache.add(counter, 0, timeout=per_s)
    try:
        count = cache.incr(counter)
    except ValueError:  # it was evicted between the two calls
        count = 1
    return None if count <= limit else _next_window(per_s, now)


def is_spent(scope: str, key: str, limit: int, per_s: int) -> RetryAfter | None:
    """Return what `allow` would say to one more call, without counting one. For limits of failed attempts."""
    now = time.time()
    count = cache.get(_counter(scope, key, per_s, now)) or 0
    return None if count < limit else _next_window(per_s, now)


def _counter(scope: str, key: str, per_s: int, now: float) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()[:32]
    return f"ratelimit:{scope}:{digest}:{int(now // per_s)}"


def _next_window(per_s: int, now: float) -> RetryAfter:
    return RetryAfter(seconds=max(1, int((now // per_s + 1) * per_s - now)))


def caller_of(request: HttpRequest) -> str:
    """Return the caller's IPv4 address or /64 network of IPv6, "unknown" where there is none (a Unix socket).
    For limits only: nothing else may be built on it.

    Anybody can write `X-Forwarded-For`. Only what our own proxies added counts: the last TRUSTED_PROXIES
    entries. Without a proxy the header is not looked at.
    """
    count: int = settings.TRUSTED_PROXIES
    entries = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    connected = str(request.META.get("REMOTE_ADDR", ""))
    # With fewer entries than proxies, the request went round one of them.
    forwarded = entries[-count] if 0 < count <= len(entries) else ""
    return _network(forwarded) or _network(connected) or "unknown"


def _network(text: str) -> str:
    """Return the address or network in `text`, with or without a port; "" for anything else."""
    host = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
