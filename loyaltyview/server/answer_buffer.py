"""A socket that a thread can write to without waiting for a slow reader.

Data that the client does not take yet is kept, and the worker's event loop sends it. Of a file only the
descriptor is kept, so that many slow readers cost no memory.
"""

import os
import socket
from contextlib import suppress
from typing import Any

from loyaltyview.ops.overload import Waiting

# A thread whose answer keeps more than this waits for the reader; no page of ours is so large.
KEPT_BYTES = 8 * 1024 * 1024
WAIT_S = 10.0


class _File:
    """A part of a file that is still to be sent."""

    def __init__(self, number: int, offset: int, count: int) -> None:
        self.number, self.offset, self.count = os.dup(number), offset, count

    def send(self, sock: socket.socket) -> None:
        """Send all of it. Raises BlockingIOError when the client takes no more now; call it again later."""
        while self.count:
            sent = os.sendfile(sock.fileno(), self.number, self.offset, self.count)
            if not sent:
                raise BrokenPipeError("the file has become shorter")
            self.offset += sent
            self.count -= sent

    def close(self) -> None:
        os.close(self.number)


class AnswerBuffer:
    """Stands in for the client's socket in gunicorn. Used by one thread at a time."""

    def __init__(self, sock: socket.socket) -> None:
        self.raw = sock
        self._parts: list[bytearray | _File] = []
        # Why no page is made; see `loyaltyview.ops.overload`.
        self.problem = ""
        # Why the rest of the answer is not made yet.
        self.waits_for: Waiting | None = None

    def sendall(self, data: bytes) -> None:
        """Send what the client takes at once, and keep the rest."""
        sent = 0
        if not self._parts:
            with suppress(BlockingIOError):
                sent = self.raw.send(data)
        if sent == len(data):
            return
        last = self._parts[-1] if self._parts else None
        if not isinstance(last, bytearray):
            last = bytearray()
            self._parts.append(last)
        last += memoryview(data)[sent:]
        if len(last) > KEPT_BYTES:
            self._wait_for_reader()

    def sendfile(self, file: Any, offset: int = 0, count: int = 0) -> None:
        """Send `count` bytes of a file from `offset` on, or as much as the client takes at once."""
        self._parts.append(_File(file.fileno(), offset, count))
        self.flush()

    def flush(self) -> bool:
        """Send more of what is kept; True when nothing is left. Raises OSError when the client is gone."""
        with suppress(BlockingIOError):
            while self._parts:
                self._send_first()
        return not self._parts

    def kept(self) -> int:
        """Return how many bytes of memory are kept."""
        return sum(len(part) for part in self._parts if isinstance(part, bytearray))

    def _send_first(self) -> None:
        part = self._parts[0]
        if isinstance(part, _File):
            part.send(self.raw)
            part.close()
        else:
            while part:
                del part[: self.raw.send(part)]
        del self._parts[0]

    def _wait_for_reader(self) -> None:
        self.raw.settimeout(WAIT_S)
        try:
            self.flush()
        finally:
            self.raw.setblocking(False)

    def fileno(self) -> int:
        return self.raw.fileno()

    def gettimeout(self) -> float:
        """Return 0: this socket never blocks."""
        return 0.0

    def setblocking(self, flag: bool) -> None:
        """Do nothing: gunicorn asks for a socket that blocks, and this one never does."""

    def shutdown(self, how: int) -> None:
        self.raw.shutdown(how)

    def close(self) -> None:
        for part in self._parts:
            if isinstance(part, _File):
                part.close()
        self._parts.clear()
        self.raw.close()
