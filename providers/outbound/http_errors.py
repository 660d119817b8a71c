"""What an exception of `requests` (or urllib3) says of a call: whether anything can have been sent."""

import ssl
from typing import Any

from requests import exceptions as rex
from urllib3 import exceptions as uex

from providers.errors import OutcomeUnknown, ProviderError, Unavailable, UnexpectedAnswer

READ, WRITE = "read", "write"

# What became of a request, by the exception it ended with: (of a read, of a write). Closed by default: a
# write is Unavailable only where nothing can have been sent. See also `_never_sent`.
_UNKNOWN = (Unavailable, OutcomeUnknown)
_NOT_SENT = (Unavailable, Unavailable)
_UNUSABLE = (UnexpectedAnswer, UnexpectedAnswer)
ERRORS: dict[type[Exception], tuple[type[ProviderError], type[ProviderError]]] = {
    rex.RequestException: _UNKNOWN,
    rex.ConnectionError: _UNKNOWN,
    rex.ProxyError: _UNKNOWN,
    rex.SSLError: _UNKNOWN,
    rex.Timeout: _UNKNOWN,
    rex.ReadTimeout: _UNKNOWN,
    rex.ChunkedEncodingError: _UNKNOWN,
    rex.HTTPError: _UNKNOWN,
    rex.RetryError: _UNKNOWN,
    rex.StreamConsumedError: _UNKNOWN,
    rex.UnrewindableBodyError: _UNKNOWN,
    uex.HTTPError: _UNKNOWN,  # what requests forgets to wrap
    rex.ConnectTimeout: _NOT_SENT,
    rex.URLRequired: _NOT_SENT,
    rex.MissingSchema: _NOT_SENT,
    rex.InvalidSchema: _NOT_SENT,
    rex.InvalidURL: _NOT_SENT,
    rex.InvalidProxyURL: _NOT_SENT,
    rex.InvalidHeader: _UNUSABLE,  # while sending it is the answer's; ours are looked at when building
    rex.InvalidJSONError: _UNUSABLE,
    rex.JSONDecodeError: _UNUSABLE,
    rex.ContentDecodingError: _UNUSABLE,
    rex.TooManyRedirects: _UNUSABLE,
}

# requests.ConnectionError and SSLError cover both "never connected" and "died half way"; these tell.
_BEFORE_SENDING = (uex.NewConnectionError, uex.ConnectTimeoutError, ssl.SSLCertVerificationError)


def error_class(error: Exception, kind: str) -> type[ProviderError]:
    """Return which of our errors an exception of requests (or urllib3) stands for."""
    if _never_sent(error):
        return Unavailable
    of_read, of_write = next(ERRORS[cls] for cls in type(error).__mro__ if cls in ERRORS)
    return of_read if kind == READ else of_write


def _never_sent(error: BaseException) -> bool:
    """True when the chain below `error` shows that no connection came about."""
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
