"""Logs are JSON lines without secrets or personal data, from our code and from libraries."""

import io
import json
import logging
import logging.config
import time
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import structlog
from django.conf import settings as django_settings
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from loyaltyview.ops.logs import logging_config, scrub

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJtaWEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
LAUNCH_TOKEN = "launch-token-3f9a"


def fine(request: HttpRequest) -> HttpResponse:
    structlog.get_logger("view").info("looked_up", q="mia@example.com", member={"email": "mia@example.com"})
    return HttpResponse("ok")


def broken(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError(f"GET http://vendor.test/v1/customers?email=mia%40example.com&key=abc {JWT}")


urlpatterns = [
    path("launch/acme/", fine),
    path("broken/", broken),
    path("events/acme/provider/hook-secret/", fine),
]


class Lines(io.StringIO):
    def read_all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines that the product prints with LOG_LEVEL=DEBUG."""
    stream = Lines()
    config = logging_config("DEBUG")
    config["handlers"]["stdout"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


def test_a_request_is_logged_without_query_token_mail_or_address_of_the_caller(
    client: Client, lines: Lines
) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        client.get(f"/launch/acme/?token={LAUNCH_TOKEN}&email=mia@example.com", REMOTE_ADDR="198.51.100.7")
    text = lines.getvalue()
    assert "/launch/acme/" in text
    for secret in (LAUNCH_TOKEN, "mia", "example.com", "198.51.100.7"):
        assert secret not in text
    finished = next(line for line in lines.read_all() if line["event"] == "request_finished")
    assert finished["code"] == 200
    assert "ip" not in finished


def test_a_page_not_found_is_logged_without_query(client: Client, lines: Lines) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        client.get(f"/nowhere/?token={LAUNCH_TOKEN}")
    assert "/nowhere/" in lines.getvalue()
    assert LAUNCH_TOKEN not in lines.getvalue()


def test_a_crash_is_logged_with_its_trace_and_without_quoted_data(client: Client, lines: Lines) -> None:
    client.raise_request_exception = False
    with override_settings(ROOT_URLCONF=__name__):
        client.get(f"/broken/?token={LAUNCH_TOKEN}")
    text = lines.getvalue()
    assert "ZeroDivisionError" in text
    assert "http://vendor.test/v1/customers?[redacted]" in text
    for secret in (LAUNCH_TOKEN, "mia", JWT, "key=abc"):
        assert secret not in text
    assert all(isinstance(line, dict) for line in lines.read_all())


def test_the_secret_in_a_webhook_address_is_not_logged(client: Client, lines: Lines) -> None:
    with override_settings(ROOT_URLCONF=__name__):
        client.get("/events/acme/provider/hook-secret/")
    assert "/events/acme/provider/[redacted]" in lines.getvalue()
    assert "hook-secret" not in lines.getvalue()


@pytest.mark.parametrize("path", ["/launch/acme/", "/launch/acme'", "/launch/(acme)"])
def test_the_identity_in_a_query_is_not_logged_in_any_surrounding(
    client: Client, lines: Lines, path: str
) -> None:
    """Neither encodeURIComponent nor iOS escapes apostrophes and brackets."""
    query = f"cart={{o'brien(1)}}&externalIdentity=gAAAA{'x' * 60}&token={LAUNCH_TOKEN}"
    with override_settings(ROOT_URLCONF=__name__):
        client.get(path, QUERY_STRING=query)
    structlog.get_logger("test").info("called", url=f"{path}?a b&{query}")
    for secret in ("brien", "gAAAA", LAUNCH_TOKEN):
        assert secret not in lines.getvalue()


@dataclass
class Mia:
    email: str = "mia@example.com"
    first_name: str = "Mia"


def test_fields_are_blanked_at_any_depth(lines: Lines) -> None:
    structlog.get_logger("test").info(
        "spent",
        Authorization="Bearer abc",
        code="LOY-1234",
        request_body=[{"customer": {"Email": "x", "orders": ({"coupons": ["LOY-1"]},)}}],
        member=Mia(),
        total=Decimal("12.50"),
        redemption=UUID(int=7),
        points=40,
    )
    (line,) = lines.read_all()
    assert line["Authorization"] == line["code"] == "[redacted]"
    assert line["request_body"] == [
        {"customer": {"Email": "[redacted]", "orders": [{"coupons": "[redacted]"}]}}
    ]
    assert line["member"] == "<Mia>"
    assert line["total"] == "12.50"
    assert line["redemption"] == str(UUID(int=7))
    assert line["points"] == 40


def test_plain_loggers_are_json_lines_and_scrubbed_too(lines: Lines) -> None:
    try:
        raise ValueError("no such customer: mia@example.com")
    except ValueError:
        logging.getLogger("library").exception(
            "failed for %s", "mia@example.com", extra={"email": "mia@example.com"}
        )
    (line,) = lines.read_all()
    assert line["level"] == "error"
    assert line["logger"] == "library"
    assert "ValueError" in line["exception"]
    assert "mia" not in lines.getvalue()


def test_bound_fields_of_the_request_are_scrubbed_too(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(email="mia@example.com", launch="abc"):
        structlog.get_logger("test").info("seen")
    (line,) = lines.read_all()
    assert (line["email"], line["launch"]) == ("[redacted]", "abc")


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "django.db.backends"])
def test_libraries_that_log_addresses_and_values_are_quiet_even_when_debugging(
    lines: Lines, name: str
) -> None:
    logging.getLogger(name).debug("GET /customers/mia")
    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GET /launch/acme/?token=a&x=b HTTP/1.1", "GET /launch/acme/?[redacted] HTTP/1.1"),
        ("('/x?email=a b', 3)", "('/x?[redacted] b', 3)"),
        ("GET /launch/acme/?cart=o'brien(1)&token=a HTTP/1.1", "GET /launch/acme/?[redacted] HTTP/1.1"),
        ("identity gAAAAABm" + "x" * 60 + "== expired", "identity [redacted] expired"),
        ("mia.s+shop@mail.example.co.uk said", "[redacted] said"),
        ("/customers/mia%40example.com/balance", "/customers/[redacted]/balance"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [redacted]"),
        (f"token {JWT}.", "token [redacted]."),
        ("signed associate-8:1rVxYz:" + "s" * 43, "signed [redacted]"),
        ("Really? Yes. What now?", "Really? Yes. What now?"),
        ("loyaltyview.redemptions.saga at 12:30:45", "loyaltyview.redemptions.saga at 12:30:45"),
        ("", ""),
    ],
)
def test_texts_lose_private_parts_and_keep_the_rest(text: str, expected: str) -> None:
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "/" * 200_000, "?" * 200_000, "a-" * 100_000, "eyJ-" * 50_000]
)
def test_hostile_texts_do_not_slow_the_log_down(text: str) -> None:
    started_at = time.perf_counter()
    scrub(text)
    assert time.perf_counter() - started_at < 20
