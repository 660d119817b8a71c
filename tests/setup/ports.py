"""Ports for servers in separate processes, whose ports are chosen before they are opened.

They lie below the ports that the system hands out: another process could be given such a port in between.
"""

import os
import socket
from collections.abc import Iterator

FIRST, MOST = 20_000, 1_000


def _candidates() -> Iterator[int]:
    # Each process of a test run has a thousand ports; another run at the same time starts elsewhere.
    first = FIRST + MOST * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    while True:
        for number in range(MOST):
            yield first + (os.getpid() * 7 + number) % MOST


_ports = _candidates()


def free_port() -> int:
    """Return a port of loopback on which no process listens; later calls return other ports."""
    return next(filter(_is_free, _ports))


def _is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False
