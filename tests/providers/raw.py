"""A vendor as a bare socket, for what no well-behaved server does: drip, hang, hang up."""

import contextlib
import socket
import threading
from collections.abc import Callable


class RawVendor:
    """Listens on loopback and hands every connection to `script`, after the request's head was read."""

    def __init__(self, script: Callable[[socket.socket, threading.Event], None]) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.over = threading.Event()
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                head = b""
                while b"\r\n\r\n" not in head:
                    data = connection.recv(65_536)
                    if not data:
                        break
                    head += data
                if not head:
                    continue
                self.requests.append(head)
                with contextlib.suppress(OSError):  # the client hung up first, as it should
                    self._script(connection, self.over)

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
