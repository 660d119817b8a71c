"""One request and its answer, bounded in time and size. Nothing here repeats a call or judges a status."""

import json
import math
import time
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import requests
from urllib3 import exceptions as uex

from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.deadline import check_calls_allowed
from providers.outbound.faults import CallFailed, Fault, fault_of
from providers.outbound.lenient_json import read_json
from providers.outbound.transport import attempt_ends_at, session_for

SHORTEST_ATTEMPT_S = 0.05
LONGEST_RETRY_AFTER_S = 3600.0
CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make. `path` follows the address of the API; ids are put into it by `segment`. `operation`
    is the call's name in logs and metrics ("get_member"). The body is `json` or `form`."""

    method: str
    path: str
    _: KW_ONLY
    operation: str = ""
    params: Mapping[str, str | int] | None = None
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The other side's answer. Header names are matched without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the parsed body, fractions as Decimal; raise UnexpectedAnswer for anything but JSON."""
        try:
            return read_json(self.body)
        except (ValueError, RecursionError, ArithmeticError) as error:
            raise UnexpectedAnswer(f"{self.status}: not JSON") from error

    def retry_after_s(self, *names: str) -> float | None:
        """Return the wait that the first of these headers asks for, in seconds or as a date; None where it
        cannot be read, or is below zero."""
        text = next((self.headers[name].strip() for name in names if self.headers.get(name)), "")
        try:
            wait_s = float(text)
        except ValueError:
            try:
                at = parsedate_to_datetime(text)
                wait_s = max((at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds(), 0.0)
            except (ValueError, TypeError, OverflowError):
                return None
        return min(wait_s, LONGEST_RETRY_AFTER_S) if math.isfinite(wait_s) and wait_s >= 0 else None


def segment(value: str) -> str:
    """Quote `value` as one segment of a path. Raise Rejected(INVALID_INPUT) for "", "." and "..", which no
    quoting keeps from naming another address."""
    if value in ("", ".", ".."):
        raise Rejected(RejectReason.INVALID_INPUT)
    return quote(value, safe="")


def to_json(value: object) -> str:
    """Return JSON text. A Decimal is written as its own digits: 12.10."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{to_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(to_json(item) for item in value) + "]"
    return json.dumps(value, allow_nan=False)


def prepare(
    system: tuple[str, str], base_url: str, call: Call, headers: Mapping[str, str] | None = None
) -> requests.PreparedRequest:
    """Return the request that `call` stands for, to be signed and sent. `system` is program and vendor: whose
    session it is. Raises CallFailed(OUR_REQUEST)."""
    check_calls_allowed()
    if call.path and not call.path.startswith("/"):  # "@host" behind the address would lead to another one
        raise CallFailed(Fault.OUR_REQUEST, f"{call.method}: a path must begin with a slash")
    all_headers = {**(headers or {}), **call.headers}
    body: Any = call.form
    if call.json is not None:
        body = to_json(call.json).encode()
        all_headers.setdefault("Content-Type", "application/json")
    url = base_url.rstrip("/") + call.path
    request = requests.Request(call.method, url, params=call.params, data=body, headers=all_headers)
    try:
        return session_for(*system).prepare_request(request)
    except requests.RequestException as error:
        raise CallFailed(Fault.OUR_REQUEST, type(error).__name__) from error


def exchange(
    system: tuple[str, str],
    request: requests.PreparedRequest,
    *,
    ends_at: float,
    connect_s: float,
    max_bytes: int,
) -> Answer:
    """Send `request` once and return the answer, whatever its status. Ends at `ends_at` (monotonic), follows
    no redirect. Raises CallFailed."""
    left_s = max(ends_at - time.monotonic(), SHORTEST_ATTEMPT_S)
    token = attempt_ends_at.set(ends_at)
    head: Answer | None = None
    try:
        with session_for(*system).send(
            request, stream=True, allow_redirects=False, timeout=(min(connect_s, left_s), left_s)
        ) as response:
            head = Answer(status=response.status_code, headers=response.headers, body=b"")
            body = bytearray()
            for chunk in response.iter_content(CHUNK_BYTES):
                body += chunk
                if len(body) > max_bytes:
                    raise CallFailed(Fault.BAD_ANSWER, f"answer above {max_bytes} bytes", head)
            return Answer(status=head.status, headers=head.headers, body=bytes(body))
    except (OSError, uex.HTTPError) as error:  # every RequestException is an OSError
        raise CallFailed(*fault_of(error), head) from error
    finally:
        attempt_ends_at.reset(token)
