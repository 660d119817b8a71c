"""Where a request comes from, for limits that hold for a caller: nothing else may be built on it.

`X-Forwarded-For` can be written by anybody. Only what our own proxies added counts: the last TRUSTED_PROXIES
entries. Without a proxy the header is not looked at.
"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def caller_of(request: HttpRequest) -> str:
    """Return the caller's IPv4 address or /64 network of IPv6, "unknown" where there is none (a socket
    file)."""
    count: int = settings.TRUSTED_PROXIES
    entries = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    connected = str(request.META.get("REMOTE_ADDR", ""))
    # Fewer entries than proxies: the request went round one of them.
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
