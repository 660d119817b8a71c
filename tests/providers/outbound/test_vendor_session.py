"""The HTTP layer against a real server on loopback."""

import contextlib
import gzip
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Unavailable,
    UnexpectedAnswer,
)
from providers.outbound import vendor_session
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget, calling_for
from providers.outbound.budget_state import Limit, Use
from providers.outbound.budget_store import ProcessStore
from providers.outbound.deadline import deadline
from providers.outbound.exchange import Answer, Call, segment
from providers.outbound.vendor_session import Limits, Observation, VendorSession, judge_status
from tests.providers.raw import (
    RawVendor,
    Script,
    break_the_chunks,
    drip_body,
    drip_chunks,
    drip_headers,
    hang,
    hang_up,
    hang_up_half_way,
    talk_nonsense,
)


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def vendor(httpserver: HTTPServer, slept: list[float]) -> VendorSession:
    return VendorSession(
        vendor="acme-vendor", program="acme", base_url=httpserver.url_for("/api"), sleep=slept.append
    )


@pytest.fixture
def raw_vendor() -> Iterator[Callable[[Script], tuple[RawVendor, VendorSession]]]:
    started: list[RawVendor] = []

    def start(script: Script) -> tuple[RawVendor, VendorSession]:
        server = RawVendor(script)
        started.append(server)
        limits = Limits(connect_s=0.5, read_total_s=0.4, write_total_s=0.4, attempts=1)
        return server, VendorSession(vendor="raw", program="acme", base_url=server.url, limits=limits)

    yield start
    for server in started:
        server.close()


RawVendorFactory = Callable[[Script], tuple[RawVendor, VendorSession]]


# --- Requests and answers ------------------------------------------------------------------------------


def test_an_answer_keeps_cents_exact(httpserver: HTTPServer, vendor: VendorSession) -> None:
    httpserver.expect_request("/api/members/7", query_string={"full": "1"}).respond_with_data(
        b'{"balance": 12.10}', headers={"X-Account": "acme"}
    )
    answer = vendor.read(Call("GET", "/members/7", operation="get_member", params={"full": 1}))
    assert answer.status == 200
    assert answer.headers["x-account"] == "acme"
    assert answer.json() == {"balance": Decimal("12.10")}


def test_json_goes_out_with_its_type_and_the_session_headers(
    httpserver: HTTPServer, vendor: VendorSession
) -> None:
    httpserver.expect_request(
        "/api/members", method="POST", json={"name": "Zoë"}, headers={"Content-Type": "application/json"}
    ).respond_with_json({}, status=201)
    assert vendor.write(Call("POST", "/members", operation="enrol", json={"name": "Zoë"})).status == 201


def test_a_form_goes_out_as_a_form(httpserver: HTTPServer, vendor: VendorSession) -> None:
    httpserver.expect_request(
        "/api/token",
        method="POST",
        data="grant=a+b",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    ).respond_with_json({})
    assert vendor.read(Call("POST", "/token", operation="token", form={"grant": "a b"})).status == 200


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b'{"points": NaN}'])
def test_a_body_that_is_not_json_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        Answer(status=200, headers={}, body=body).json()


def test_an_unusual_character_in_a_name_leaves_the_answer_usable() -> None:
    body = b'{"first_name": "Mi\ta\\u0000\xff", "points": 820}'
    assert Answer(status=200, headers={}, body=body).json() == {"first_name": "Mi\ta\ufffd", "points": 820}


def test_a_compressed_answer_is_unpacked(httpserver: HTTPServer, vendor: VendorSession) -> None:
    httpserver.expect_request("/api/x").respond_with_data(
        gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"}
    )
    assert vendor.read(Call("GET", "/x", operation="x")).json() == {"a": 1}


def test_an_answer_that_does_not_unpack_is_unexpected(httpserver: HTTPServer, vendor: VendorSession) -> None:
    httpserver.expect_request("/api/x").respond_with_data(
        b"not compressed", headers={"Content-Encoding": "gzip"}
    )
    with pytest.raises(UnexpectedAnswer):
        vendor.read(Call("GET", "/x", operation="x"))


@pytest.mark.parametrize("text", [b"x" * 5000, gzip.compress(b"x" * 5_000_000)], ids=["plain", "compressed"])
def test_an_answer_that_is_too_large_is_refused(httpserver: HTTPServer, text: bytes) -> None:
    encoding = "gzip" if text.startswith(b"\x1f\x8b") else "identity"
    httpserver.expect_request("/x").respond_with_data(text, headers={"Content-Encoding": encoding})
    vendor = VendorSession(
        vendor="v", program="acme", base_url=httpserver.url_for(""), limits=Limits(max_bytes=4096)
    )
    with pytest.raises(UnexpectedAnswer, match="4096"):
        vendor.read(Call("GET", "/x", operation="x"))


def test_cookies_of_one_answer_never_reach_the_next_request(
    httpserver: HTTPServer, vendor: VendorSession
) -> None:
    httpserver.expect_request("/api/x").respond_with_data(b"", headers={"Set-Cookie": "member=mia; Path=/"})
    vendor.read(Call("GET", "/x", operation="x"))
    vendor.read(Call("GET", "/x", operation="x"))
    assert "Cookie" not in httpserver.log[-1][0].headers


def test_proxies_and_netrc_of_the_machine_are_ignored(
    httpserver: HTTPServer, vendor: VendorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    httpserver.expect_request("/api/x").respond_with_json({})
    assert vendor.read(Call("GET", "/x", operation="x")).status == 200


def test_a_thread_keeps_its_connection_for_the_next_call(raw_vendor: RawVendorFactory) -> None:
    connections = []

    def two_answers(connection: socket.socket, over: threading.Event) -> None:
        connections.append(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    _, vendor = raw_vendor(two_answers)
    vendor.read(Call("GET", "/x", operation="x"))
    vendor.read(Call("GET", "/x", operation="x"))
    assert len(connections) == 1


def test_ids_are_quoted_as_one_segment() -> None:
    assert segment("a/b?c=é") == "a%2Fb%3Fc%3D%C3%A9"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_ids_that_would_name_another_address_are_rejected(value: str) -> None:
    with pytest.raises(Rejected):
        segment(value)


# --- Statuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "of_read", "of_write"),
    [
        (301, UnexpectedAnswer, UnexpectedAnswer),
        (302, UnexpectedAnswer, UnexpectedAnswer),
        (304, UnexpectedAnswer, UnexpectedAnswer),
        (401, AuthFailed, AuthFailed),
        (403, AuthFailed, AuthFailed),
        (408, Unavailable, OutcomeUnknown),
        (429, RateLimited, RateLimited),
        (500, Unavailable, OutcomeUnknown),
        (502, Unavailable, OutcomeUnknown),
        (503, Unavailable, OutcomeUnknown),
    ],
)
def test_a_status_means_one_error(
    httpserver: HTTPServer,
    vendor: VendorSession,
    status: int,
    of_read: type[ProviderError],
    of_write: type[ProviderError],
) -> None:
    httpserver.expect_request("/api/x").respond_with_data(
        "trouble", status=status, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    with pytest.raises(ProviderError, match=f"^x: {status}$") as read:
        vendor.read(Call("GET", "/x", operation="x"))
    assert type(read.value) is of_read
    with pytest.raises(ProviderError) as write:
        vendor.write(Call("POST", "/x", operation="x"))
    assert type(write.value) is of_write
    assert {request.path for request, _ in httpserver.log} == {"/api/x"}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 404, 409, 410, 422])
def test_other_statuses_are_for_the_adapter(
    httpserver: HTTPServer, vendor: VendorSession, status: int
) -> None:
    httpserver.expect_request("/api/x").respond_with_data("", status=status)
    assert vendor.read(Call("GET", "/x", operation="x")).status == status
    assert vendor.write(Call("POST", "/x", operation="x")).status == status


@pytest.mark.parametrize("status", [200, 201])
def test_a_page_is_no_answer_of_an_api(httpserver: HTTPServer, vendor: VendorSession, status: int) -> None:
    """A proxy's page to sign in, for example: a write may have happened."""
    httpserver.expect_request("/api/x").respond_with_data("\n<!doctype html><p>Sign in", status=status)
    for call in (vendor.read, vendor.write):
        with pytest.raises(UnexpectedAnswer, match="a page"):
            call(Call("GET", "/x", operation="x"))


def test_an_adapter_may_judge_a_status_by_itself(httpserver: HTTPServer) -> None:
    def judge(answer: Answer, kind: str) -> ProviderError | None:
        return None if answer.status == 403 else judge_status(answer, kind)

    httpserver.expect_request("/x").respond_with_data("limit reached", status=403)
    vendor = VendorSession(vendor="v", program="acme", base_url=httpserver.url_for(""), judge=judge)
    assert vendor.write(Call("POST", "/x", operation="spend")).body == b"limit reached"


# --- Trying again --------------------------------------------------------------------------------------


def test_a_read_is_tried_again_and_signed_anew_each_time(httpserver: HTTPServer, slept: list[float]) -> None:
    signatures = itertools.count(1)

    def sign(request: requests.PreparedRequest) -> None:
        request.headers["X-Signature"] = str(next(signatures))

    def answer(request: Request) -> Response:
        return Response("{}", status=200 if request.headers["X-Signature"] == "3" else 503)

    httpserver.expect_request("/x").respond_with_handler(answer)
    vendor = VendorSession(
        vendor="v", program="acme", base_url=httpserver.url_for(""), sign=sign, sleep=slept.append
    )
    assert vendor.read(Call("GET", "/x", operation="x")).status == 200
    assert [request.headers["X-Signature"] for request, _ in httpserver.log] == ["1", "2", "3"]
    assert len(slept) == 2
    assert all(0 < pause < 0.5 for pause in slept)


def test_a_read_gives_up_after_its_attempts(httpserver: HTTPServer, vendor: VendorSession) -> None:
    httpserver.expect_request("/api/x").respond_with_data("", status=503)
    with pytest.raises(Unavailable):
        vendor.read(Call("GET", "/x", operation="x"))
    assert len(httpserver.log) == 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_write_is_never_sent_twice(httpserver: HTTPServer, vendor: VendorSession, status: int) -> None:
    httpserver.expect_request("/api/x").respond_with_data("", status=status)
    with pytest.raises(ProviderError):
        vendor.write(Call("POST", "/x", operation="spend"))
    assert len(httpserver.log) == 1


def test_a_read_waits_as_long_as_the_vendor_asks_within_its_deadline(
    httpserver: HTTPServer, vendor: VendorSession, slept: list[float]
) -> None:
    httpserver.expect_ordered_request("/api/x").respond_with_data(
        "", status=429, headers={"Retry-After": "2"}
    )
    httpserver.expect_ordered_request("/api/x").respond_with_data("{}")
    assert vendor.read(Call("GET", "/x", operation="x")).status == 200
    assert slept == [2.0]


@pytest.mark.parametrize(
    ("headers", "expected_s"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "999999"}, 3600),
        ({"ratelimit-reset": "40"}, 40),
    ],
)
def test_a_wait_beyond_the_deadline_is_handed_to_the_caller(
    httpserver: HTTPServer,
    vendor: VendorSession,
    slept: list[float],
    headers: dict[str, str],
    expected_s: float,
) -> None:
    httpserver.expect_request("/api/x").respond_with_data("", status=429, headers=headers)
    with pytest.raises(RateLimited) as raised:
        vendor.read(Call("GET", "/x", operation="x"))
    assert raised.value.retry_after_s == expected_s
    assert slept == []
    assert len(httpserver.log) == 1


def test_a_wait_may_be_given_as_a_date(httpserver: HTTPServer, vendor: VendorSession) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    httpserver.expect_request("/api/x").respond_with_data("", status=429, headers={"Retry-After": date})
    with pytest.raises(RateLimited) as raised:
        vendor.read(Call("GET", "/x", operation="x"))
    assert 50 < raised.value.retry_after_s <= 60


@given(st.one_of(st.text(), st.sampled_from(["nan", "inf", "-5", "1e999", "Mon, 01 Jan 9999 99:00:00 GMT"])))
def test_any_retry_after_header_is_read_or_ignored(text: str) -> None:
    error = judge_status(Answer(status=429, headers={"Retry-After": text}, body=b""), vendor_session.READ)
    assert isinstance(error, RateLimited)
    assert 0 <= error.retry_after_s <= 3600


def test_the_deadline_of_the_page_ends_the_tries(
    httpserver: HTTPServer, vendor: VendorSession, slept: list[float]
) -> None:
    httpserver.expect_request("/api/x").respond_with_data("", status=503)
    with deadline(0.09), pytest.raises(Unavailable):
        vendor.read(Call("GET", "/x", operation="x"))
    assert len(httpserver.log) <= 2


def test_nothing_is_sent_after_the_deadline(httpserver: HTTPServer, vendor: VendorSession) -> None:
    with deadline(0), pytest.raises(Unavailable, match="deadline"):
        vendor.read(Call("GET", "/x", operation="x"))
    assert httpserver.log == []


def test_a_write_is_not_cut_short_by_the_deadline_of_the_page(
    httpserver: HTTPServer, vendor: VendorSession
) -> None:
    httpserver.expect_request("/api/x").respond_with_json({})
    with deadline(0):
        assert vendor.write(Call("POST", "/x", operation="spend")).status == 200


# --- Connections that fail -----------------------------------------------------------------------------


def test_a_refused_connection_is_unavailable(slept: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        vendor = VendorSession(
            vendor="v",
            program="acme",
            base_url=f"http://127.0.0.1:{unused.getsockname()[1]}",
            sleep=slept.append,
        )
        with pytest.raises(Unavailable):
            vendor.write(Call("POST", "/x", operation="spend"))
        with pytest.raises(Unavailable):
            vendor.read(Call("GET", "/x", operation="x"))


@pytest.mark.parametrize("base_url", ["ftp://vendor.test", "vendor.test", "http://", "http://[::1"])
def test_an_invalid_address_is_unavailable(base_url: str, slept: list[float]) -> None:
    vendor = VendorSession(vendor="v", program="acme", base_url=base_url, sleep=slept.append)
    with pytest.raises(Unavailable):
        vendor.write(Call("POST", "/x", operation="spend"))


@pytest.mark.parametrize(
    "script",
    [
        hang,
        hang_up,
        hang_up_half_way,
        break_the_chunks,
        talk_nonsense,
        drip_body,
        drip_chunks,
        drip_headers,
    ],
    ids=lambda script: script.__name__,
)
def test_a_write_that_dies_half_way_ends_in_time_with_an_unknown_outcome(
    raw_vendor: RawVendorFactory, script: Script
) -> None:
    server, vendor = raw_vendor(script)
    started_at = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        vendor.write(Call("POST", "/x", operation="spend"))
    assert time.monotonic() - started_at < 10
    assert len(server.requests) == 1


@pytest.mark.parametrize("script", [hang, hang_up_half_way, drip_headers], ids=lambda s: s.__name__)
def test_a_vendor_that_dies_half_way_is_unavailable_to_reads(
    raw_vendor: RawVendorFactory, script: Script
) -> None:
    _, vendor = raw_vendor(script)
    with pytest.raises(Unavailable) as raised:
        vendor.read(Call("GET", "/x", operation="x"))
    assert type(raised.value) is Unavailable


def test_errors_do_not_contain_the_address(raw_vendor: RawVendorFactory) -> None:
    _, vendor = raw_vendor(hang_up)
    with pytest.raises(Unavailable) as raised:
        vendor.read(Call("GET", "/members", operation="find_members", params={"email": "mia@example.com"}))
    assert str(raised.value) == "find_members: ConnectionError"


# --- Limits --------------------------------------------------------------------------------------------


def test_an_open_breaker_fails_immediately_without_a_call(httpserver: HTTPServer, slept: list[float]) -> None:
    httpserver.expect_request("/x").respond_with_data("", status=503)
    vendor = VendorSession(
        vendor="v",
        program="acme",
        base_url=httpserver.url_for(""),
        breaker=Breaker(vendor="v", program="acme", failures=2),
        sleep=slept.append,
    )
    for _ in range(3):
        with pytest.raises(Unavailable):
            vendor.read(Call("GET", "/x", operation="x"))
    assert len(httpserver.log) == 2


def test_a_refusal_of_the_vendor_keeps_the_breaker_closed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_data("", status=401)
    vendor = VendorSession(
        vendor="v",
        program="acme",
        base_url=httpserver.url_for(""),
        breaker=Breaker(vendor="v", program="acme", failures=1),
    )
    for _ in range(3):
        with pytest.raises(AuthFailed):
            vendor.read(Call("GET", "/x", operation="x"))


def test_a_spent_bucket_is_a_rate_limit_and_nothing_is_sent(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/x").respond_with_json({})
    vendor = VendorSession(
        vendor="v",
        program="acme",
        base_url=httpserver.url_for(""),
        budget=Budget(name="acme", limit=Limit(calls=1, window_s=100.0), kept_in=ProcessStore()),
    )
    vendor.write(Call("POST", "/x", operation="x"))
    with pytest.raises(RateLimited) as raised:
        vendor.write(Call("POST", "/x", operation="x"))
    assert raised.value.retry_after_s > 90
    assert len(httpserver.log) == 1


@pytest.mark.parametrize(("use", "sent"), [(Use.TAP, 2), (Use.WORK, 1)])
def test_a_write_of_a_tap_that_was_throttled_takes_its_turn_again(
    httpserver: HTTPServer, use: Use, sent: int
) -> None:
    httpserver.expect_oneshot_request("/x").respond_with_data("", 429, {"Retry-After": "3"})
    httpserver.expect_request("/x").respond_with_json({})
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    vendor = VendorSession(
        vendor="v",
        program="acme",
        base_url=httpserver.url_for(""),
        budget=Budget(
            name="acme",
            limit=Limit(calls=5, window_s=1.0),
            clock=lambda: now[0],
            sleep=sleep,
            kept_in=ProcessStore(lambda: now[0]),
        ),
    )
    with calling_for(use), contextlib.suppress(RateLimited):
        vendor.write(Call("POST", "/x", operation="x"))
    assert len(httpserver.log) == sent
    assert now[0] == (1003.0 if use is Use.TAP else 1000.0)


def test_observers_are_called_after_every_attempt(
    httpserver: HTTPServer, vendor: VendorSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Observation] = []
    monkeypatch.setattr(vendor_session, "observers", [])
    vendor_session.add_observer(seen.append)
    httpserver.expect_ordered_request("/api/x").respond_with_data("", status=503)
    httpserver.expect_ordered_request("/api/x").respond_with_json({})
    vendor.read(Call("GET", "/x", operation="get_member"))
    assert [(o.vendor, o.program, o.operation, o.kind, o.outcome) for o in seen] == [
        ("acme-vendor", "acme", "get_member", "read", "Unavailable"),
        ("acme-vendor", "acme", "get_member", "read", "ok"),
    ]
    assert all(o.seconds > 0 for o in seen)
