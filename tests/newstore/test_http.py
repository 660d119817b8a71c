"""The request layer: every failure becomes one of ours, within its time and size."""

import socket
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
import responses
import time_machine
import urllib3
from pytest_django import Settings
from pytest_httpserver import HTTPServer

from loyaltyview.newstore import http
from loyaltyview.newstore.errors import (
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.http import parse_json, send
from providers.outbound.exchange import Call, to_json

URL = "https://acme-staging.newstore.test/v0/thing"

EXPECTED = {
    "MissingSchema": NewStoreRejected,
    "InvalidSchema": NewStoreRejected,
    "InvalidURL": NewStoreRejected,
    "InvalidProxyURL": NewStoreRejected,
    "URLRequired": NewStoreRejected,
    "InvalidHeader": NewStoreUnexpected,
    "InvalidJSONError": NewStoreUnexpected,
    "JSONDecodeError": NewStoreUnexpected,
    "ContentDecodingError": NewStoreUnexpected,
    "StreamConsumedError": NewStoreUnexpected,
    "TooManyRedirects": NewStoreUnexpected,
    "RequestException": NewStoreUnavailable,
    "HTTPError": NewStoreUnavailable,
    "ConnectionError": NewStoreUnavailable,
    "ProxyError": NewStoreUnavailable,
    "SSLError": NewStoreUnavailable,
    "Timeout": NewStoreUnavailable,
    "ConnectTimeout": NewStoreUnavailable,
    "ReadTimeout": NewStoreUnavailable,
    "ChunkedEncodingError": NewStoreUnavailable,
    "RetryError": NewStoreUnavailable,
    "UnrewindableBodyError": NewStoreUnavailable,
}


def every_requests_exception() -> list[type[requests.RequestException]]:
    return sorted(
        (
            cls
            for cls in vars(requests.exceptions).values()
            if isinstance(cls, type) and issubclass(cls, requests.RequestException)
        ),
        key=lambda cls: cls.__name__,
    )


@pytest.fixture
def newstore() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


def error_of(status: int, *, headers: dict[str, str] | None = None, **body: object) -> NewStoreError:
    with responses.RequestsMock() as mock:
        mock.get(URL, status=status, headers=headers, **body)  # type: ignore[arg-type]
        with pytest.raises(NewStoreError) as caught:
            send("acme", URL, Call("GET", ""), timeout_s=1)
    return caught.value


@pytest.mark.parametrize("cls", every_requests_exception(), ids=lambda cls: cls.__name__)
def test_every_exception_of_requests_becomes_one_of_ours(
    cls: type[requests.RequestException], newstore: responses.RequestsMock
) -> None:
    error = cls("m", "d", 0) if cls is requests.exceptions.JSONDecodeError else cls("https://x/?q=mia@x.test")
    newstore.get(URL, body=error)
    with pytest.raises(NewStoreError) as caught:
        send("acme", URL, Call("GET", ""), timeout_s=1)
    assert type(caught.value) is EXPECTED[cls.__name__]
    assert "mia" not in caught.value.detail


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (urllib3.exceptions.DecodeError("x"), NewStoreUnexpected),
        (urllib3.exceptions.ProtocolError("x"), NewStoreUnavailable),
    ],
)
def test_exceptions_while_reading_the_body_become_ours_too(
    error: Exception, expected: type[NewStoreError]
) -> None:
    assert isinstance(error_of(200, body=error), expected)


def test_a_header_of_ours_that_cannot_be_sent_is_rejected() -> None:
    with pytest.raises(NewStoreRejected):
        send("acme", URL, Call("GET", "", headers={"X-Store": "a\nb"}), timeout_s=1)


@pytest.mark.parametrize("url", ["nonsense", "ftp://x/y", "http://[bad", "http://" + "a" * 70 + ".test/"])
def test_wrong_address_in_the_program_is_rejected(url: str) -> None:
    with pytest.raises(NewStoreError):
        send("acme", url, Call("GET", ""), timeout_s=0.5)


def test_newstore_at_a_private_address_is_refused_before_anything_is_sent(
    httpserver: HTTPServer, settings: Settings
) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    call = Call("POST", "/token", form={"client_secret": "s3cret"})
    with pytest.raises(NewStoreRejected, match="ALLOW_PRIVATE_ADDRESSES"):
        send("acme-private", httpserver.url_for(""), call, timeout_s=5)

    assert httpserver.log == []


def test_problem_json_is_read() -> None:
    body = {"error_code": "not_found", "message": "no such cart", "request_id": "r-1"}
    error = error_of(404, json=body)
    assert isinstance(error, NewStoreRejected)
    assert (error.status, error.detail, error.request_id) == (404, "404 not_found; no such cart", "r-1")


def test_promotions_envelope_is_read() -> None:
    error = error_of(400, json={"message": "bad voucher", "status": 400, "causes": ["type", "level"]})
    assert error.detail == "400 bad voucher; type; level"


@pytest.mark.parametrize(
    ("quoted", "left"),
    [
        ("unknown mia@example.test", "unknown [e-mail]"),
        ("bad /profiles?q=mia%40example.test&count=500", "bad /profiles?q=[left out]&count=500"),
        ("no profile for +1 (617) 555-0100.", "no profile for [phone]."),
        ("no profile for %2B16175550100", "no profile for [phone]"),
        ("bad query q=6175550100 here", "bad query q=[left out] here"),
        (
            "no voucher 6a1d4cf0-5f0b-4b5c-9d3f-0f5ad1b1c7c2",
            "no voucher 6a1d4cf0-5f0b-4b5c-9d3f-0f5ad1b1c7c2",
        ),
        ("order 20260304123456 is 5 + 3", "order 20260304123456 is 5 + 3"),
    ],
)
def test_customer_data_in_an_error_is_removed_and_ids_stay(quoted: str, left: str) -> None:
    assert error_of(422, json={"message": quoted}).detail == f"422 {left}"


def test_request_id_of_the_header_is_kept() -> None:
    assert error_of(500, headers={"X-Newstore-Request-Id": "req-9"}, body="").request_id == "req-9"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_unavailable(status: int) -> None:
    assert isinstance(error_of(status, body="<html>"), NewStoreUnavailable)


def test_retry_after_in_seconds_is_kept() -> None:
    error = error_of(429, headers={"Retry-After": "7"}, json={"message": "slow down"})
    assert isinstance(error, NewStoreUnavailable)
    assert error.retry_after_s == 7


@time_machine.travel("2026-03-04T15:00:00Z", tick=False)
def test_retry_after_as_a_date_is_kept() -> None:
    error = error_of(429, headers={"Retry-After": "Wed, 04 Mar 2026 15:00:30 GMT"}, body="")
    assert isinstance(error, NewStoreUnavailable)
    assert error.retry_after_s == 30


@pytest.mark.parametrize("header", ["soon", "-5", "nan", "9" * 400, "Wed, 99 Foo 2026"])
def test_unusable_retry_after_is_ignored(header: str) -> None:
    error = error_of(429, headers={"Retry-After": header}, body="")
    assert isinstance(error, NewStoreUnavailable)
    assert error.retry_after_s is None


def test_403_without_json_is_throttling_and_with_json_is_not() -> None:
    throttled = error_of(403, body="Forbidden")
    assert isinstance(throttled, NewStoreUnavailable)
    assert throttled.retry_after_s == 300
    assert isinstance(error_of(403, json={"message": "expired"}), NewStoreRejected)


def test_410_says_that_the_api_version_is_gone() -> None:
    error = error_of(410, body="")
    assert isinstance(error, NewStoreRejected)
    assert "switched this API version off" in error.detail


def test_redirect_is_not_followed() -> None:
    assert isinstance(error_of(302, headers={"Location": "https://evil.test/"}), NewStoreUnexpected)


@pytest.mark.parametrize("body", ["<html>", '{"a": NaN}', "[" * 100_000, b"\xff\xfe", "{'a': 1}"])
def test_success_without_json_is_unexpected(body: str | bytes) -> None:
    assert isinstance(error_of(200, body=body), NewStoreUnexpected)


def test_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MAX_ANSWER_BYTES", 1000)
    assert isinstance(error_of(200, json=["x" * 2000]), NewStoreUnexpected)


def test_fractions_come_as_decimals(newstore: responses.RequestsMock) -> None:
    newstore.get(URL, body='{"price": 19.99, "n": 3}', headers={"X-Newstore-Request-Id": "r"})
    answer = send("acme", URL, Call("GET", ""), timeout_s=1)
    assert answer.body == {"price": Decimal("19.99"), "n": 3}
    assert (answer.status, answer.request_id) == (200, "r")


def test_environment_proxies_and_netrc_are_not_used(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    httpserver.expect_request("/x").respond_with_json({"ok": True}, headers={"Set-Cookie": "a=b"})
    assert send("acme", httpserver.url_for("/x"), Call("GET", ""), timeout_s=30).body == {"ok": True}
    send("acme", httpserver.url_for("/x"), Call("GET", ""), timeout_s=30)
    assert "Cookie" not in httpserver.log[-1][0].headers


def test_gzip_over_real_http_is_read(httpserver: HTTPServer) -> None:
    import gzip

    httpserver.expect_request("/x").respond_with_data(
        gzip.compress(b'{"ok": 1}'), headers={"Content-Encoding": "gzip"}
    )
    assert send("acme", httpserver.url_for("/x"), Call("GET", ""), timeout_s=30).body == {"ok": 1}


def serve_once(raw: bytes) -> str:
    """Answer one connection with these bytes and return its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65_536)
            connection.sendall(raw)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_answer_cut_in_the_middle_is_unavailable() -> None:
    url = serve_once(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"ok":')
    with pytest.raises(NewStoreUnavailable):
        send("acme", url, Call("GET", ""), timeout_s=30)


def test_without_time_left_no_request_is_sent() -> None:
    with pytest.raises(NewStoreUnavailable):
        send("acme", URL, Call("GET", ""), timeout_s=0)


def test_request_body_has_exact_numbers() -> None:
    assert to_json({"a": [Decimal("12.10"), 1, True, None, "é"], "b": Decimal("1E+2")}) == (
        '{"a":[12.10,1,true,null,"\\u00e9"],"b":100}'
    )
    with pytest.raises(TypeError):
        send("acme", URL, Call("POST", "", json={"a": [{"b": 0.1}]}), timeout_s=1)


def test_json_that_only_python_understands_is_refused() -> None:
    for text in ("NaN", "[Infinity]", "1e99999999999999999999"):
        with pytest.raises(ValueError):  # noqa: PT011 - any ValueError is what callers catch
            parse_json(text)
