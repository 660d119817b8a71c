"""A request is handed on when it is complete, and not earlier; a request that is too large is cut or
refused."""

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader, InvalidRequestLine

from loyaltyview.server.request_buffer import HEAD_BYTES, LINE_BYTES, HeadTooLarge, RequestBuffer

HEAD = b"POST /events/acme/newstore/?a=1 HTTP/1.1\r\nHost: acme.test\r\n"
SIZED = HEAD + b"Content-Length: 11\r\n\r\nhello world"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
BARE = b"GET /healthz HTTP/1.1\r\nHost: acme.test\r\n\r\n"
BODY_BYTES = 1000


def new_buffer() -> RequestBuffer:
    cfg = Config()
    cfg.set("limit_request_line", 0)
    return RequestBuffer(cfg, ("127.0.0.1", 1), BODY_BYTES)


def whole(raw: bytes) -> RequestBuffer:
    buffer = new_buffer()
    buffer.received += raw
    assert buffer.is_complete()
    return buffer


@pytest.mark.parametrize("raw", [SIZED, CHUNKED, BARE], ids=["sized", "chunked", "without a body"])
def test_a_request_that_comes_byte_by_byte_is_complete_with_its_last_byte(raw: bytes) -> None:
    buffer = new_buffer()
    complete_after = []
    for number in range(len(raw)):
        buffer.received += raw[number : number + 1]
        if buffer.is_complete():
            complete_after.append(number + 1)

    assert complete_after == [len(raw)]
    assert not buffer.received


@pytest.mark.parametrize("raw", [SIZED, CHUNKED], ids=["sized", "chunked"])
def test_the_body_can_be_read_without_the_client(raw: bytes) -> None:
    request = next(whole(raw).parser())

    assert (request.method, request.path, request.query) == ("POST", "/events/acme/newstore/", "a=1")
    assert request.body.read() == b"hello world"
    assert request.body.read() == b""


def test_a_second_request_behind_the_first_waits_for_its_turn() -> None:
    buffer = whole(SIZED + CHUNKED + BARE)
    paths = [next(buffer.parser()).path]
    for _ in range(2):
        buffer.next_request()
        assert buffer.is_complete()
        paths.append(next(buffer.parser()).path)
    buffer.next_request()

    assert paths == ["/events/acme/newstore/", "/events/acme/newstore/", "/healthz"]
    assert not buffer.is_complete()


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Length: 100000\r\n\r\n" + b"a" * 500,
        HEAD + b"Content-Length: 100000\r\n\r\n" + b"a" * 100_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + b"a" * 100 + b"\r\n" + b"1\r\na\r\n" * 900,
    ],
    ids=["announced", "sent", "chunked"],
)
def test_a_body_that_is_too_large_is_handed_on_in_part_to_be_refused(raw: bytes) -> None:
    buffer = whole(raw)

    assert buffer.is_cut


def test_a_large_cart_fits_into_the_address_and_a_larger_one_is_reported() -> None:
    fitting = whole(b"GET /launch/acme/?cart=" + b"a" * 75_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n")
    too_long = whole(b"GET /launch/acme/?cart=" + b"a" * LINE_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n")

    assert (fitting.is_line_too_long, too_long.is_line_too_long) == (False, True)
    assert too_long.request.path == "/launch/acme/"


def test_a_head_without_end_is_refused() -> None:
    buffer = new_buffer()
    buffer.received += b"GET / HTTP/1.1\r\nX: " + b"a" * HEAD_BYTES

    with pytest.raises(HeadTooLarge):
        buffer.is_complete()


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"hello\r\n\r\n", InvalidRequestLine),
        (b"\r\n\r\n", InvalidRequestLine),
        (HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", InvalidHeader),
        (HEAD + b"Content-Length: five\r\n\r\n", InvalidHeader),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", InvalidHeader),
    ],
)
def test_bytes_that_are_no_request_are_refused_by_gunicorns_own_parser(
    raw: bytes, error: type[Exception]
) -> None:
    buffer = new_buffer()
    buffer.received += raw

    with pytest.raises(error):
        buffer.is_complete()


@pytest.mark.parametrize(
    "chunk", [b"zz\r\n", b"-5\r\nhello\r\n", b"a" * 2000], ids=["word", "sign", "endless"]
)
def test_a_wrong_chunk_ends_the_waiting(chunk: bytes) -> None:
    request = next(whole(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk).parser())

    with pytest.raises(Exception):  # noqa: B017, PT011 - gunicorn names several kinds
        request.body.read()


def test_a_client_that_waits_for_100_continue_gets_it_once() -> None:
    buffer = new_buffer()
    buffer.received += HEAD + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"

    assert not buffer.is_complete()
    assert [buffer.wants_to_continue(), buffer.wants_to_continue()] == [True, False]
