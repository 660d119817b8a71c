"""A request while it arrives: where its head ends, where its body ends, and what belongs to the next request.

gunicorn's own parser reads the head, so there is one parser only. It gets bytes that have arrived already and
never waits for a client.
"""

from typing import Any

from gunicorn.http.body import ChunkedReader
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.http.unreader import Unreader

# NewStore puts the cart, as JSON, into the launch address: 500 items are 75 kB.
LINE_BYTES = 98_304
# A request up to this size is read, and answered with a sentence when its address is too long.
HEAD_BYTES = 524_288
# The line before a chunk holds its size, and extensions that we do not use.
CHUNK_LINE_BYTES = 1024


class HeadTooLarge(Exception):
    """The head of the request is larger than HEAD_BYTES."""


class _Bytes(Unreader):  # type: ignore[misc]
    """Received bytes, in place of a socket."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def chunk(self, size_hint: int | None = None) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


class RequestBuffer:
    """The bytes of one connection that no thread has handled yet."""

    def __init__(self, cfg: Any, client: Any, body_bytes: int) -> None:
        self._cfg, self._client, self._body_bytes = cfg, client, body_bytes
        self._source = _Bytes()
        self.received = bytearray()
        self.request: Any = None
        self.count = 0
        # The body is too large to be read whole, so the connection cannot go on after the answer.
        self.is_cut = False
        self.is_line_too_long = False
        self._searched = 0
        self._missing = 0
        self._chunks: _ChunkedBody | None = None

    def is_complete(self) -> bool:
        """Parse the received bytes. Return True when `request` can be handled without waiting for the client.
        Raises HeadTooLarge, and gunicorn's errors for a wrong head."""
        if self.request is None and not self._read_head():
            return False
        if self._chunks is not None:
            end = self._chunks.find_end(self.received)
        else:
            end = self._missing if len(self.received) >= self._missing else -1
        self.is_cut = end > self._body_bytes or (end < 0 and self._is_too_much())
        if self.is_cut:
            end = min(len(self.received), self._body_bytes + 1)
        if end < 0:
            return False
        self._source.add(bytes(self.received[:end]))
        del self.received[:end]
        return True

    def wants_to_continue(self) -> bool:
        """Return whether the client waits for "100 Continue". Called once for each request."""
        is_asked = self.request is not None and self.request._expected_100_continue
        if is_asked:
            self.request._expected_100_continue = False
        return bool(is_asked)

    def next_request(self) -> None:
        """Forget the request that was answered; bytes behind it belong to the next one."""
        self.request, self._chunks = None, None
        self._source = _Bytes()
        self._searched = self._missing = 0
        self.is_cut = self.is_line_too_long = False

    def parser(self) -> Any:
        """Return the parser from which gunicorn's worker takes the request."""
        return _Parsed(self._cfg, self._source, self._client, self.request)

    def _is_too_much(self) -> bool:
        return max(self._missing, len(self.received)) > self._body_bytes

    def _read_head(self) -> bool:
        end = self.received.find(b"\r\n\r\n", self._searched)
        if end < 0:
            self._searched = max(0, len(self.received) - 3)
            if len(self.received) > HEAD_BYTES:
                raise HeadTooLarge
            return False
        head = bytes(self.received[: end + 4])
        del self.received[: end + 4]
        self.is_line_too_long = head.find(b"\r\n", 2) > LINE_BYTES
        self.count += 1
        self._source.add(head)
        self.request = Request(self._cfg, self._source, self._client, self.count)
        reader = self.request.body.reader
        if isinstance(reader, ChunkedReader):
            self._chunks = _ChunkedBody()
        else:
            self._missing = reader.length
        return True


class _Parsed(RequestParser):  # type: ignore[misc]
    """gunicorn's parser, with one request that is parsed already."""

    def __init__(self, cfg: Any, source: _Bytes, client: Any, request: Any) -> None:
        super().__init__(cfg, [], client)
        self.unreader = source
        self._request = request

    def __next__(self) -> Any:
        self.mesg = self._request
        return self.mesg


class _ChunkedBody:
    """Finds the end of a chunked body and reads each byte once. gunicorn's reader checks the body
    afterwards."""

    def __init__(self) -> None:
        self._position = 0
        self._is_last = False

    def find_end(self, received: bytearray) -> int:
        """Return where the body ends, -1 when the end has not arrived. A wrong chunk ends the body, and
        gunicorn's reader then refuses it."""
        while True:
            line_end = received.find(b"\r\n", self._position)
            if line_end < 0:
                return len(received) if len(received) - self._position > CHUNK_LINE_BYTES else -1
            line = bytes(received[self._position : line_end])
            if self._is_last:  # trailers, up to an empty line
                self._position = line_end + 2
                if not line:
                    return self._position
                continue
            try:
                size = int(line.partition(b";")[0].strip(), 16)
            except ValueError:
                return len(received)
            if size < 0:
                return len(received)
            if size == 0:
                self._is_last, self._position = True, line_end + 2
            elif len(received) >= line_end + 2 + size + 2:
                self._position = line_end + 2 + size + 2
            else:
                return -1
