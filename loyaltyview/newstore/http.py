"""One call to NewStore: its answer, or one of `newstore.errors`.

Sessions, deadline and size are those of all outgoing calls (`providers.outbound.exchange`). This module
decides what NewStore's answers mean, and when calls to a silent NewStore pause. Error texts are shortened and
carry no address, since an address may hold an e-mail, and nothing here logs a body.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from loyaltyview.newstore.errors import (
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from providers.outbound import exchange
from providers.outbound.breaker import Breaker, BreakerOpen
from providers.outbound.exchange import Call
from providers.outbound.faults import CallFailed, Fault
from providers.outbound.lenient_json import read_json

log = structlog.get_logger(__name__)

MAX_ANSWER_BYTES = 2_097_152
CONNECT_TIMEOUT_S = 1.0
THROTTLED_S = 300.0  # of NewStore's older limit, 403 without JSON: docs/contracts/newstore.md 9
# What gateways answer for a server that is silent.
SILENT_STATUSES = (502, 503, 504)
# A call with a shorter time-out does not prove that NewStore is silent: a launch waits for one second.
PATIENT_S = 2.0
LONGEST_QUOTED = 3000
# NewStore may quote what it was sent. We send phones with their "+" only, so that no id is taken for one.
PERSONAL = (
    (re.compile(r"(?:\+|%2B)[\d ()./-]{6,}\d", re.IGNORECASE), "[phone]"),
    (re.compile(r"\bq=[^\s&]+"), "q=[left out]"),
    (re.compile(r"\S+(?:@|%40)\S+"), "[e-mail]"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A 2xx answer. `body` is parsed JSON with Decimal for fractions, None when the body is empty."""

    status: int
    request_id: str
    body: object


def send(program: str, base_url: str, call: Call, *, timeout_s: float) -> Answer:
    """Send one request for the program with this slug and return its 2xx answer. Never repeats, never
    follows a redirect. Decimals in the body are written digit by digit.

    Raises NewStoreUnavailable (no answer within `timeout_s`, silent a moment ago, 429, 5xx, 403 without
    JSON), NewStoreRejected (another 4xx, its `status` kept), NewStoreUnexpected.
    """
    if timeout_s <= 0:
        raise NewStoreUnavailable("no time left")
    _refuse_floats(call.json)
    started = time.monotonic()

    def is_silence(error: Exception) -> bool | None:
        if not isinstance(error, NewStoreError):
            return None
        if not isinstance(error, NewStoreUnavailable) or error.status not in (0, *SILENT_STATUSES):
            return False
        return True if timeout_s >= PATIENT_S or time.monotonic() - started < timeout_s / 2 else None

    # API and identity are different hosts, and each has its own breaker.
    host = base_url.partition("//")[2].partition("/")[0]
    breaker = Breaker(vendor=f"newstore:{host}", program=program)
    try:
        with breaker.watching(is_silence):
            return _send(program, base_url, call, timeout_s)
    except BreakerOpen:
        raise NewStoreUnavailable("NewStore was silent a moment ago", retry_after_s=breaker.open_s) from None


def _send(program: str, base_url: str, call: Call, timeout_s: float) -> Answer:
    started, system = time.monotonic(), (program, "newstore")
    # A launch waits for less than a second: time is left for the host's next address, or a second attempt.
    connect_s = min(CONNECT_TIMEOUT_S, timeout_s / 3)
    head: exchange.Answer | None = None
    try:
        request = exchange.prepare(system, base_url, call, {"Accept": "application/json"})
        head = exchange.exchange(
            system, request, ends_at=started + timeout_s, connect_s=connect_s, max_bytes=MAX_ANSWER_BYTES
        )
        return _judge(head)
    except CallFailed as failed:
        head = failed.head
        raise _error_of(failed) from failed
    finally:
        # Not `request_id`: every log line has the id of our own request under that name.
        log.info(
            "newstore_call",
            program=program,
            method=call.method,
            path="/" + f"{base_url.rstrip('/')}{call.path}".partition("//")[2].partition("/")[2],
            status=head.status if head else 0,
            newstore_request_id=_request_id(head),
            ms=round((time.monotonic() - started) * 1000),
        )


def _error_of(failed: CallFailed) -> NewStoreError:
    request_id = _request_id(failed.head)
    if failed.fault is Fault.OUR_REQUEST:
        return NewStoreRejected(f"{failed.detail}: is the NewStore address of the program right?", request_id)
    if failed.fault is Fault.BAD_ANSWER:
        return NewStoreUnexpected(failed.detail, request_id)
    return NewStoreUnavailable(failed.detail, request_id)


def parse_json(text: str | bytes) -> object:
    """Return parsed JSON with Decimal for fractions; raise ValueError for anything else, NaN included."""
    try:
        return read_json(text)
    except (RecursionError, ArithmeticError) as error:  # too deep; an exponent that Decimal cannot hold
        raise ValueError(type(error).__name__) from error


def _refuse_floats(value: Any) -> None:
    """Raise TypeError for a float in a request's body: money must never be a float."""
    if isinstance(value, float):
        raise TypeError("float in a request body")
    for item in (
        value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    ):
        _refuse_floats(item)


def _judge(answer: exchange.Answer) -> Answer:
    status, request_id = answer.status, _request_id(answer)
    is_json = True
    parsed: object = None
    try:
        parsed = parse_json(answer.body) if answer.body.strip() else None
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
        raise NewStoreUnavailable(detail, request_id, answer.retry_after_s("Retry-After"), status=status)
    if status == 403 and (not is_json or not answer.body.strip()):
        raise NewStoreUnavailable("403 without JSON: throttled", request_id, THROTTLED_S, status=status)
    if status == 410:
        detail = f"{detail}: NewStore has switched this API version off".replace("  ", " ")
    if 400 <= status < 500:
        raise NewStoreRejected(detail, request_id, status)
    raise NewStoreUnexpected(f"{status}: a redirect or an unknown status", request_id)


def _reason(envelope: Mapping[str, object]) -> str:
    """Return the texts of an error envelope: problem+json, promotions, GraphQL, or the token endpoint's."""
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
        "errors",
    ):
        value = envelope.get(key)
        for found in value if isinstance(value, list) else [value]:
            text = found.get("message") if isinstance(found, dict) else found
            if isinstance(text, str) and text and text not in texts:
                texts.append(text)
    text = "; ".join(texts)[:LONGEST_QUOTED]
    for pattern, replacement in PERSONAL:
        text = pattern.sub(replacement, text)
    return _printable(text, 300)


def _request_id(answer: exchange.Answer | None) -> str:
    return _printable(answer.headers.get("X-Newstore-Request-Id", "")) if answer else ""


def _printable(text: str, length: int = 100) -> str:
    return "".join(char for char in text if char.isprintable())[:length]
