"""Classifies failed calls: can the other side have acted on the request?"""

import ssl
from enum import Enum, auto
from typing import Any

from requests import exceptions as rex
from urllib3 import exceptions as uex

from providers.outbound.transport import is_refused


class Fault(Enum):
    """How a call failed."""

    OUR_REQUEST = auto()  # the address or a header is wrong: nothing was sent
    NOT_SENT = auto()  # no connection was made
    NO_ANSWER = auto()  # the request may have arrived, and may have been acted on
    BAD_ANSWER = auto()  # an answer came, and cannot be read


class CallFailed(Exception):
    """A call without an answer that can be used. `detail` carries no address, since that may name a customer.
    `head` has status and headers where they came, an object of `exchange.Answer`."""

    def __init__(self, fault: Fault, detail: str, head: Any = None) -> None:
        super().__init__(detail)
        self.fault = fault
        self.detail = detail
        self.head = head


# Closed by default: what is not listed here, or in `_BEFORE_SENDING`, may have arrived.
FAULTS: dict[type[Exception], Fault] = {
    rex.RequestException: Fault.NO_ANSWER,
    rex.ConnectionError: Fault.NO_ANSWER,
    rex.ProxyError: Fault.NO_ANSWER,
    rex.SSLError: Fault.NO_ANSWER,
    rex.Timeout: Fault.NO_ANSWER,
    rex.ReadTimeout: Fault.NO_ANSWER,
    rex.ChunkedEncodingError: Fault.NO_ANSWER,
    rex.HTTPError: Fault.NO_ANSWER,
    rex.RetryError: Fault.NO_ANSWER,
    rex.UnrewindableBodyError: Fault.NO_ANSWER,
    rex.ConnectTimeout: Fault.NOT_SENT,
    rex.URLRequired: Fault.OUR_REQUEST,
    rex.MissingSchema: Fault.OUR_REQUEST,
    rex.InvalidSchema: Fault.OUR_REQUEST,
    rex.InvalidURL: Fault.OUR_REQUEST,
    rex.InvalidProxyURL: Fault.OUR_REQUEST,
    rex.InvalidHeader: Fault.BAD_ANSWER,  # of the answer: our own headers are checked before
    rex.InvalidJSONError: Fault.BAD_ANSWER,
    rex.JSONDecodeError: Fault.BAD_ANSWER,
    rex.StreamConsumedError: Fault.BAD_ANSWER,
    rex.ContentDecodingError: Fault.BAD_ANSWER,
    rex.TooManyRedirects: Fault.BAD_ANSWER,
    uex.DecodeError: Fault.BAD_ANSWER,  # requests does not wrap it
}

# requests.ConnectionError and SSLError cover both "never connected" and "died half way"; these tell.
_BEFORE_SENDING = (uex.NewConnectionError, uex.ConnectTimeoutError, ssl.SSLCertVerificationError)


def fault_of(error: Exception) -> tuple[Fault, str]:
    """Return the fault for an exception of requests or urllib3, and its name. Its text is left out: it may
    hold the address."""
    if is_refused(error):
        return Fault.OUR_REQUEST, "private address refused (ALLOW_PRIVATE_ADDRESSES)"
    name = type(error).__name__
    if _never_sent(error):
        return Fault.NOT_SENT, name
    return next((FAULTS[cls] for cls in type(error).__mro__ if cls in FAULTS), Fault.NO_ANSWER), name


def _never_sent(error: BaseException) -> bool:
    """Return whether the chain below `error` shows that no connection was made."""
    below: list[Any] = [error]
    seen: set[int] = set()
    while below:
        cause = below.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        if isinstance(cause, _BEFORE_SENDING):
            return True
        seen.add(id(cause))
        below += [*cause.args, getattr(cause, "reason", None), cause.__cause__]
    return False
