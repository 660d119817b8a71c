"""The WebView proxy passes everything on, with one script more."""

from collections.abc import Iterator
from threading import Event

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.serve import PortTaken, Running, serve_in_thread


@pytest.fixture
def running(httpserver: HTTPServer) -> Iterator[Running]:
    running = serve_in_thread(Sandbox(SandboxConfig(loyalty_url=httpserver.url_for("/launch/"))))
    yield running
    running.stop()


def test_document_gets_one_script_first_and_keeps_its_headers(
    running: Running, httpserver: HTTPServer
) -> None:
    page = "<!DOCTYPE html><html><head><title>Bonjour é</title></head><body><header>x</header></body></html>"
    headers = {"Content-Security-Policy": "script-src 'self'", "Content-Type": "text/html; charset=utf-8"}
    httpserver.expect_request("/page").respond_with_data(page, headers=headers)
    answer = requests.get(f"{running.webview_url}/page", timeout=5)
    tag = f'<script src="/__associate_app__/webview.js" data-panel="{running.url}"></script>'
    assert answer.text == page.replace("<head>", f"<head>{tag}")
    assert answer.headers["Content-Security-Policy"] == "script-src 'self'"
    assert (
        "Navigation API"
        in requests.get(f"{running.webview_url}/__associate_app__/webview.js", timeout=5).text
    )


@pytest.mark.parametrize(
    ("body", "kind"), [(b"<header>a fragment</header>", "text/html"), (b"\x00\xff<head>", "image/png")]
)
def test_anything_else_comes_through_byte_for_byte(
    running: Running, httpserver: HTTPServer, body: bytes, kind: str
) -> None:
    httpserver.expect_request("/other").respond_with_data(body, content_type=kind)
    assert requests.get(f"{running.webview_url}/other", timeout=5).content == body


def test_the_frame_of_a_page_comes_before_its_content(running: Running, httpserver: HTTPServer) -> None:
    is_content_ready = Event()

    def parts() -> Iterator[bytes]:
        yield _chunk(b"<html><head></head><body>frame ")
        assert is_content_ready.wait(timeout=20)
        yield _chunk(b"content</body></html>") + _chunk(b"")

    headers = {"Content-Type": "text/html", "Transfer-Encoding": "chunked"}
    httpserver.expect_request("/page").respond_with_handler(lambda _: Response(parts(), headers=headers))
    with requests.get(f"{running.webview_url}/page", stream=True, timeout=20) as answer:
        received = answer.raw.read1(65_536)
        while b"frame " not in received:
            received += answer.raw.read1(65_536)
        is_content_ready.set()
        while b"content</body></html>" not in received:
            received += answer.raw.read1(65_536)


def _chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


def test_host_origin_cookies_body_and_query_reach_the_page_unchanged(
    running: Running, httpserver: HTTPServer
) -> None:
    seen: list[Request] = []

    def answer(request: Request) -> Response:
        request.get_data()
        seen.append(request)
        response = Response("", 303, headers={"Location": "/l/1/applied/"})
        response.set_cookie("one", "1", path="/l/1/")
        response.set_cookie("two", "2", httponly=True)
        return response

    httpserver.expect_request("/form", method="POST").respond_with_handler(answer)
    origin = running.webview_url
    got = requests.post(
        f"{origin}/form?cart=%7B%22a%22%3A1%7D&x=a%2Fb",
        data=b"points=50",
        headers={
            "Origin": origin,
            "Cookie": "csrftoken=abc",
            "Content-Type": "application/x-www-form-urlencoded",
        },
        allow_redirects=False,
        timeout=5,
    )
    assert (got.status_code, got.headers["Location"]) == (303, "/l/1/applied/")
    assert got.raw.headers.getlist("Set-Cookie") == ["one=1; Path=/l/1/", "two=2; HttpOnly; Path=/"]
    [request] = seen
    assert (f"http://{request.host}", request.headers["Origin"]) == (origin, origin)
    assert request.cookies["csrftoken"] == "abc"
    assert request.query_string == b"cart=%7B%22a%22%3A1%7D&x=a%2Fb"
    assert request.get_data() == b"points=50"


def test_missing_product_is_answered_with_a_sentence() -> None:
    running = serve_in_thread(Sandbox(SandboxConfig(loyalty_url="http://127.0.0.1:1/launch/")))
    answer = requests.get(f"{running.webview_url}/launch/", timeout=5)
    running.stop()
    assert answer.status_code == 502
    assert "does not answer" in answer.text


def test_taken_port_is_named_and_nothing_is_left_running(running: Running) -> None:
    port = int(running.url.rsplit(":", 1)[1])
    with pytest.raises(PortTaken) as taken:
        serve_in_thread(Sandbox(), port)
    assert taken.value.port == port
