"""Deliveries skip Django's request cycle; the sender and the database must not notice it."""

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import connection

from loyaltyview.events.models import Event
from loyaltyview.programs.models import Program
from loyaltyview.wsgi import application

from .events.deliveries import envelope, order

# Each request gets its own connection, as in a server, and no transaction is open on it.
pytestmark = pytest.mark.django_db(transaction=True)


def answer(path: str, body: bytes = b"", method: str = "POST") -> tuple[str, dict[str, str], bytes]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_AUTHORIZATION": "Bearer event-key",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }
    setup_testing_defaults(environ)
    told: list[Any] = []
    content = b"".join(application(environ, lambda status, headers: told.extend([status, dict(headers)])))
    return told[0], told[1], content


@pytest.mark.parametrize("path", ["/events/acme/newstore/", "/events/acme/newstore"])
def test_a_delivery_is_stored_and_the_answer_has_its_length(path: str, program: Program) -> None:
    status, headers, content = answer(path, envelope("order.opened", order()))
    assert (status, content) == ("200 OK", b"")
    assert headers["Content-Length"] == "0"
    assert Event.objects.count() == 1


def test_other_methods_than_post_are_refused(program: Program) -> None:
    status, headers, _ = answer("/events/acme/newstore/", method="GET")
    assert (status, headers["Allow"]) == ("405 Method Not Allowed", "POST")


@pytest.mark.parametrize("path", ["/events/", "/events/acme/", "/events/acme/other/"])
def test_an_unknown_address_below_events_is_not_found(path: str, program: Program) -> None:
    status, headers, content = answer(path)
    assert status == "404 Not Found"
    assert headers["Content-Length"] == str(len(content))
    assert "Content-Security-Policy" in headers


@pytest.mark.postgres  # SQLite has no connection to lose
def test_a_delivery_is_stored_after_a_lost_database_connection(program: Program) -> None:
    assert answer("/events/acme/newstore/", envelope("order.opened", order(id="o-1")))[0] == "200 OK"
    connection.connection.close()
    first = answer("/events/acme/newstore/", envelope("order.opened", order(id="o-2")))[0]
    again = answer("/events/acme/newstore/", envelope("order.opened", order(id="o-2")))[0]
    assert (first, again) in [("503 Service Unavailable", "200 OK"), ("200 OK", "200 OK")]
    assert Event.objects.count() == 2
