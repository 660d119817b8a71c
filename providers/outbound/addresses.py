"""Which network addresses secrets may be sent to: public ones, unless the installation allows private ones.

A private address is one of this machine, of its network or of a cloud's metadata service. Names are judged by
what they resolve to when a connection is made (`transport`), literal addresses when they are saved as well.
"""

import ipaddress
import socket

from django.conf import settings

# Cloud metadata services on addresses that Python counts as public: Azure, Oracle.
METADATA = (ipaddress.IPv4Network("168.63.129.16/32"), ipaddress.IPv4Network("192.0.0.0/24"))
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_private(address: str) -> bool:
    """Return whether an IP address is not public, also when it is wrapped in an IPv6 address."""
    ip = _unwrapped(ipaddress.ip_address(address))
    return not ip.is_global or ip.is_multicast or any(ip in each for each in METADATA)


def names_private(host: str) -> bool:
    """Return whether a host's name is this machine's, or a private address in any notation (127.1,
    0x7f000001, 2130706433). Does not resolve the name."""
    host = host.rstrip(".").lower()
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return is_private(host)
    except ValueError:
        pass
    try:
        return is_private(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, UnicodeEncodeError, ValueError):
        return False


def allowed_addresses(host: str, port: int) -> list[str]:
    """Return the addresses that a host's name resolves to now. Raises OSError when it does not resolve, and
    PermissionError when one of them is private and this installation does not allow that."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
    if not are_private_allowed() and any(map(is_private, addresses)):
        raise PermissionError("a private address; see ALLOW_PRIVATE_ADDRESSES")
    return addresses


def are_private_allowed() -> bool:
    """Return whether this installation may send secrets into its own network."""
    allowed: bool = settings.ALLOW_PRIVATE_ADDRESSES
    return allowed


def _unwrapped(ip: IP) -> IP:
    """Return the IPv4 address that an IPv6 one leads to: mapped, 6to4, Teredo, NAT64."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if inner is None and (ip in NAT64 or int(ip) >> 32 == 0):
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip if inner is None else inner
