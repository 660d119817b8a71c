"""The request layer for NewStore: one pooled session per thread and program, bounded in time and size.

The session is that of the vendors' calls: its deadline holds when the server sends byte after byte.
Whatever goes wrong leaves here as one of `newstore.errors`. Error texts are shortened and carry no address,
since an address may hold an e-mail, and nothing here logs a body.
"""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime

import requests
import structlog
import urllib3

from loyaltyview.newstore.errors import (
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.silence import listening
from providers.outbound.lenient_json import read_json
from providers.outbound.transport import attempt_ends_at, is_refused, session_for

log = structlog.get_logger(__name__)

MAX_ANSWER_BYTES = 2_097_152
CONNECT_TIMEOUT_S = 1.0
THROTTLED_S = 300.0  # of NewStore's older limit, 403 without JSON: docs/contracts/newstore.md 9
LONGEST_RETRY_AFTER_S = 3600.0
LONGEST_QUOTED = 3000
# NewStore may quote what it was sent. We send phones with their "+" only, so that no id is taken for one.
PERSONAL = (
    (re.compile(r"(?:\+|%2B)[\d ()./-]{6,}\d", re.IGNORECASE), "[phone]"),
    (re.compile(r"\bq=[^\s&]+"), "q=[left out]"),
    (re.compile(r"\S+(?:@|%40)\S+"), "[e-mail]"),
)

# What each exception of requests means; the first match counts, and what is not listed is Unavailable.
OUR_REQUEST_IS_WRONG = (
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.URLRequired,
    requests.exceptions.UnrewindableBodyError,
)
THE_ANSWER_IS_WRONG = (
    requests.exceptions.ContentDecodingError,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.StreamConsumedError,
    requests.exceptions.TooManyRedirects,
    urllib3.exceptions.DecodeError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 2xx answer. `body` is parsed JSON with Decimal for fractions, None when the body is empty."""

    status: int
    request_id: str
    body: object


def send(
    program: str,
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    body: object = None,
) -> Answer:
    """Send one request for the program with this slug and return its 2xx answer. Never repeats, never
    follows a redirect. `body` is written as JSON, Decimals digit by digit.

    Raises NewStoreUnavailable (no answer within `timeout_s`, silent a moment ago, 429, 5xx, 403 without
    JSON), NewStoreRejected (another 4xx, its `status` kept), NewStoreUnexpected.
    """
    if timeout_s <= 0:
        raise NewStoreUnavailable("no time left")
    with listening(program, url, timeout_s):
        return _send(program, method, url, timeout_s, headers or {}, params, form, body)


def _send(
    program: str,
    method: str,
    url: str,
    timeout_s: float,
    headers: Mapping[str, str],
    params: Mapping[str, str] | None,
    form: Mapping[str, str] | None,
    body: object,
) -> Answer:
    started = time.monotonic()
    connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 3)
    all_headers = {"Accept": "application/json", **headers}
    if body is not None:
        all_headers["Content-Type"] = "application/json"
    status, request_id = 0, ""
    token = attempt_ends_at.set(started + timeout_s)
    try:
        with session_for(program, "newstore").request(
            method,
            url,
            params=params,
            data=form if body is None else to_json(body).encode(),
            headers=all_headers,
            timeout=(connect_s, timeout_s - connect_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            status, request_id = (
                response.status_code,
                _printable(response.headers.get("X-Newstore-Request-Id", "")),
            )
            raw = _read(response, request_id)
            return _judge(response, raw, request_id)
    except (OSError, urllib3.exceptions.HTTPError) as error:  # every RequestException is an OSError
        raise newstore_error(error, request_id) from error
    finally:
        attempt_ends_at.reset(token)
        # Not `request_id`: that is the id of our own request, which stands in every line.
        log.info(
            "newstore_call",
            program=program,
            method=method,
            path="/" + url.partition("//")[2].partition("/")[2],
            status=status,
            newstore_request_id=request_id,
            ms=round((time.monotonic() - started) * 1000),
        )


def newstore_error(error: Exception, request_id: str = "") -> NewStoreError:
    """Return ours for an exception of requests or urllib3. Its text is left out: it may hold the address."""
    detail = type(error).__name__
    if is_refused(error):
        return NewStoreRejected("a private address, which ALLOW_PRIVATE_ADDRESSES does not allow", request_id)
    if isinstance(error, OUR_REQUEST_IS_WRONG):
        return NewStoreRejected(f"{detail}: is the NewStore address of the program right?", request_id)
    if isinstance(error, THE_ANSWER_IS_WRONG):
        return NewStoreUnexpected(detail, request_id)
    return NewStoreUnavailable(detail, request_id)


def to_json(value: object) -> str:
    """Return JSON text. A Decimal is written as its own digits (12.10); a float is refused, because money
    must not have been one."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        raise TypeError("float in a request body")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(to_json(item) for item in value) + "]"
    return json.dumps(value)


def parse_json(text: str | bytes) -> object:
    """Return parsed JSON with Decimal for fractions; raise ValueError for anything else, NaN included."""
    try:
        return read_json(text)
    except (RecursionError, ArithmeticError) as error:  # too deep; an exponent that Decimal cannot hold
        raise ValueError(type(error).__name__) from error


def _read(response: requests.Response, request_id: str) -> bytes:
    """Read the body piece by piece, and stop at an answer that is too large."""
    raw = bytearray()
    while piece := response.raw.read1(65_536, decode_content=True):
        raw += piece
        if len(raw) > MAX_ANSWER_BYTES:
            raise NewStoreUnexpected(f"answer above {MAX_ANSWER_BYTES} bytes", request_id)
    return bytes(raw)


def _judge(response: requests.Response, raw: bytes, request_id: str) -> Answer:
    status = response.status_code
    is_json = True
    parsed: object = None
    try:
        parsed = parse_json(raw) if raw.strip() else None
    except ValueError:
        is_json = False
    if 200 <= status < 300:
        if not is_json:
            raise NewStoreUnexpected(f"{status} without JSON", request_id)
        return Answer(status=status, request_id=request_id, body=parsed)
    envelope = parsed if isinstance(parsed, dict) else {}
    request_id = request_id or _printable(str(envelope.get("request_id") or ""))
    detail = f"{status} {_reason(envelope)}".strip()
    if status == 429 or status >= 500:
        wait_s = _retry_after_s(response.headers.get("Retry-After", ""))
        raise NewStoreUnavailable(detail, request_id, wait_s, status=status)
    if status == 403 and (not is_json or not raw.strip()):
        raise NewStoreUnavailable("403 without JSON: throttled", request_id, THROTTLED_S, status=status)
    if status == 410:
        detail = f"{detail}: NewStore has switched this API version off".replace("  ", " ")
    if 400 <= status < 500:
        raise NewStoreRejected(detail, request_id, status)
    raise NewStoreUnexpected(f"{status}: a redirect or an unknown status", request_id)


def _reason(envelope: Mapping[str, object]) -> str:
    """Return the texts of either error envelope (problem+json, promotions) or of the token endpoint."""
    texts: list[str] = []
    for key in (
        "error_code",
        "title",
        "message",
        "detail",
        "messages",
        "causes",
        "error",
        "error_description",
    ):
        value = envelope.get(key)
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and text and text not in texts:
                texts.append(text)
    text = "; ".join(texts)[:LONGEST_QUOTED]
    for pattern, replacement in PERSONAL:
        text = pattern.sub(replacement, text)
    return _printable(text, 300)


def _retry_after_s(header: str) -> float | None:
    """Return the seconds to wait, from a number or an HTTP date; None without a usable header."""
    text = header.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return min(float(text), LONGEST_RETRY_AFTER_S)
    try:
        at = parsedate_to_datetime(text)
        wait_s = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait_s, 0.0), LONGEST_RETRY_AFTER_S)


def _printable(text: str, length: int = 100) -> str:
    return "".join(char for char in text if char.isprintable())[:length]
