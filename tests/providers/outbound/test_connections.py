"""Connections to the other side are kept, and shared by all threads."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from providers.outbound.exchange import Call
from providers.outbound.vendor_session import VendorSession

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Keeper(socketserver.StreamRequestHandler):
    """Answers every request on a connection, and counts the connections."""

    def handle(self) -> None:
        self.server.connections += 1  # type: ignore[attr-defined]
        while self.rfile.readline():
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(ANSWER)


@pytest.fixture
def server() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Keeper) as server:
        server.daemon_threads = True
        server.block_on_close = False
        server.connections = 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_thread_goes_on_with_the_connection_of_another(server: socketserver.ThreadingTCPServer) -> None:
    vendor = VendorSession(
        vendor="kept", program="acme", base_url=f"http://127.0.0.1:{server.server_address[1]}"
    )
    for number in range(4):
        call = Call("GET", f"/customers/{number}", operation="get_member")
        thread = threading.Thread(target=vendor.read, args=[call])
        thread.start()
        thread.join()
    assert server.connections == 1  # type: ignore[attr-defined]
