"""Every way `requests` can fail becomes exactly one of our errors, differently for reads and writes."""

import inspect
import ssl
from typing import Any

import pytest
import requests
from requests import exceptions as rex
from urllib3 import exceptions as uex
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from providers.errors import OutcomeUnknown, ProviderError, Unavailable, UnexpectedAnswer
from providers.outbound.faults import FAULTS, CallFailed, fault_of
from providers.outbound.vendor_session import READ, WRITE, error_of

REQUESTS_ERRORS = [
    cls
    for _, cls in inspect.getmembers(rex, inspect.isclass)
    if issubclass(cls, rex.RequestException) and cls.__module__ == rex.__name__
]


def make(cls: type[Exception]) -> Exception:
    return cls("no", "doc", 0) if issubclass(cls, rex.JSONDecodeError) else cls("trouble")


def error_class(error: Exception, kind: str) -> type[ProviderError]:
    return type(error_of(CallFailed(*fault_of(error)), kind, "spend"))


def test_the_table_names_every_exception_of_requests() -> None:
    assert len(REQUESTS_ERRORS) > 20
    assert {cls for cls in FAULTS if cls is not uex.DecodeError} == set(REQUESTS_ERRORS)


@pytest.mark.parametrize("cls", REQUESTS_ERRORS, ids=lambda cls: cls.__name__)
def test_each_exception_becomes_one_error_for_reads_and_one_for_writes(cls: type[Exception]) -> None:
    error = make(cls)
    assert error_class(error, READ) in (Unavailable, UnexpectedAnswer)
    assert error_class(error, WRITE) in (Unavailable, OutcomeUnknown, UnexpectedAnswer)


@pytest.mark.parametrize(
    "cls", [c for c in FAULTS if error_class(make(c), WRITE) is Unavailable], ids=lambda c: c.__name__
)
def test_a_write_may_be_repeated_only_after_errors_that_precede_sending(cls: type[Exception]) -> None:
    assert issubclass(
        cls,
        rex.ConnectTimeout | rex.URLRequired | rex.MissingSchema | rex.InvalidSchema | rex.InvalidURL,
    )


POOL: Any = HTTPConnectionPool("vendor.test")


@pytest.mark.parametrize(
    "cause",
    [
        uex.NewConnectionError(HTTPConnection("vendor.test"), "refused"),
        uex.NameResolutionError("vendor.test", HTTPConnection("vendor.test"), OSError("no such host")),  # type: ignore[arg-type]
        uex.ConnectTimeoutError("too slow"),
        uex.SSLError(ssl.SSLCertVerificationError("expired certificate")),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_a_failed_connection_is_unavailable_also_for_a_write(cause: Exception) -> None:
    error = rex.ConnectionError(uex.MaxRetryError(POOL, "/x", cause))
    assert error_class(error, WRITE) is Unavailable


@pytest.mark.parametrize(
    "cause",
    [
        uex.ProtocolError("Connection aborted.", ConnectionResetError(104, "reset")),
        uex.ReadTimeoutError(POOL, "/x", "Read timed out."),
        uex.SSLError(ssl.SSLError("bad record mac")),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_a_connection_that_died_half_way_leaves_a_write_unknown(cause: Exception) -> None:
    error = rex.ConnectionError(cause)
    assert error_class(error, WRITE) is OutcomeUnknown
    assert error_class(error, READ) is Unavailable


def test_an_exception_that_requests_did_not_wrap_leaves_a_write_unknown() -> None:
    assert error_class(uex.ResponseError("odd"), WRITE) is OutcomeUnknown


def test_exceptions_that_contain_each_other_are_classified() -> None:
    one, two = requests.ConnectionError(), requests.ConnectionError()
    one.args, two.args = (two,), (one,)
    assert error_class(one, WRITE) is OutcomeUnknown
