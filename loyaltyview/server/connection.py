"""One client of the worker: the request that arrives, and the answer while it is made."""

import socket
from collections.abc import Iterable
from contextvars import Context
from typing import Any

from loyaltyview.server.answer_buffer import AnswerBuffer
from loyaltyview.server.request_buffer import RequestBuffer


class Answer:
    """An answer while it is made: gunicorn's `response`, and the parts of the body that are still to come."""

    def __init__(self, response: Any, body: Iterable[bytes], file_type: type) -> None:
        self.response, self._body = response, body
        self._parts = None if isinstance(body, file_type) else iter(body)

    def write(self, sock: AnswerBuffer) -> bool:
        """Write the parts that can be made now; True when that was all."""
        sock.waits_for = None
        if self._parts is None:
            self.response.write_file(self._body)
        for part in self._parts or ():
            self.response.write(part)
            if sock.waits_for is not None:
                return False
        self.response.close()
        return True

    def close(self) -> None:
        if close := getattr(self._body, "close", None):
            close()


class Connection:
    """One client. gunicorn's worker reads `sock`, `client`, `server`, `parser` and the four after them."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any, body_bytes: int) -> None:
        sock.setblocking(False)
        self.sock = AnswerBuffer(sock)
        self.client, self.server = client, server
        self.incoming = RequestBuffer(cfg, client, body_bytes)
        self.parser: Any = None
        self.initialized = self.data_ready = True
        self.is_http2 = False
        self.state = ""
        self.ends_at = 0.0
        self.events = 0
        self.lane: str | None = None
        self.held = 0
        self.is_kept = False
        self.answer: Answer | None = None
        # One for each request, whichever threads make its answer.
        self.context = Context()

    def init(self) -> None:
        """Do nothing: gunicorn starts a connection in the thread, here it has started before."""
