"""Reads an answer: its value, or the refusal in one of Antavo's seven envelopes, also inside HTTP 200.

The numeric code is the key; texts are the workspace's own. Source: docs/contracts/antavo.md 10.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from providers.errors import ProviderError, RateLimited, Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.exchange import Answer
from providers.outbound.vendor_session import judge_status

TRANSACTION_USED = 5003
ALREADY_OPTED_IN = 112101
NOT_ACCEPTED = 112201
MEMBER_NOT_FOUND = 160212
NO_CRITERIA = 160211
NO_COUPON_CRITERIA = 160311
COUPON_NOT_FOUND = 1601
ALREADY_REVOKED = 160344
# A workflow of the workspace stopped; the event itself is stored. Antavo's Magento client ignores it, too.
WORKFLOW_INTERRUPTED = 127201

REASONS = {
    COUPON_NOT_FOUND: RejectReason.REWARD_NOT_FOUND,
    1606: RejectReason.PRICE_CHANGED,
    TRANSACTION_USED: RejectReason.ALREADY_USED,
    10001: RejectReason.LIMIT_REACHED,
    103902: RejectReason.NOT_ALLOWED,
    110003: RejectReason.NOT_ALLOWED,
    ALREADY_OPTED_IN: RejectReason.ALREADY_MEMBER,
    112900: RejectReason.NOT_ALLOWED,
    113401: RejectReason.INVALID_INPUT,
    120030: RejectReason.NOT_ALLOWED,
    120031: RejectReason.NOT_ALLOWED,
    120211: RejectReason.LIMIT_REACHED,
    120212: RejectReason.OUT_OF_STOCK,
    120213: RejectReason.NOT_ALLOWED,
    120241: RejectReason.INSUFFICIENT_POINTS,
    NO_CRITERIA: RejectReason.INVALID_INPUT,
    MEMBER_NOT_FOUND: RejectReason.MEMBER_NOT_FOUND,
    160216: RejectReason.NOT_ALLOWED,
    NO_COUPON_CRITERIA: RejectReason.INVALID_INPUT,
    160321: RejectReason.EXPIRED,
    160340: RejectReason.REWARD_NOT_FOUND,
    ALREADY_REVOKED: RejectReason.ALREADY_USED,
    160602: RejectReason.MEMBER_NOT_FOUND,
}
# 120211 to 120213 carry sentences that the workspace wrote for customers. A code that is not in the table
# may be one of them, too ("Claim temporarily locked" has a code that no document names).
OWN_WORDS = (120211, 120212, 120213)


class Refused(Rejected):
    """Antavo refused. `code` is its number, 0 for its generic one; `status` the HTTP status."""

    def __init__(self, code: int, message: str, status: int) -> None:
        has_own_words = code in OWN_WORDS or code not in REASONS
        reason = REASONS.get(code, RejectReason.NOT_ALLOWED)
        super().__init__(reason, detail=f"{status} code {code}", text=message if has_own_words else "")
        self.code = code
        self.status = status


@contextmanager
def suppress_code(*codes: int) -> Iterator[None]:
    """Ignore a Refused with one of these codes, and only those."""
    try:
        yield
    except Refused as refused:
        if refused.code not in codes:
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    code: int
    message: str


def read_envelope(data: Any) -> Envelope | None:
    """Return the error that a body holds in any of the envelopes, None where it holds none."""
    if not isinstance(data, dict):
        return None
    error = data.get("error")
    if isinstance(error, str) and error:
        # Points preview ("error" is the text) and the token endpoint ("details" has the rest).
        inner: dict[str, Any] = data["details"] if isinstance(data.get("details"), dict) else data
        return Envelope(code=_code(inner), message=str(inner.get("message") or error))
    if isinstance(error, dict) and error:
        return Envelope(code=_code(error), message=str(error.get("message") or ""))
    if data.get("status") == "error" or data.get("success") is False:
        return Envelope(code=_code(data), message=str(data.get("message") or ""))
    # Unwrapped. A coupon has `code` and `type`, too, but neither a number nor a message.
    if isinstance(data.get("message"), str) and isinstance(data.get("code"), int):
        return Envelope(code=_code(data), message=data["message"])
    return None


def value_of(answer: Answer) -> Any:
    """Return the content of a successful answer; raise Refused, UnexpectedAnswer. The content type is not
    looked at: Antavo serves JSON as text/javascript."""
    data = answer.json()
    envelope = read_envelope(data)
    if envelope and envelope.code != WORKFLOW_INTERRUPTED:
        raise Refused(envelope.code, envelope.message, answer.status)
    if answer.status >= 400 and not envelope:
        raise UnexpectedAnswer(f"{answer.status} without a reason")
    return data


def judge(answer: Answer, kind: str) -> ProviderError | None:
    """As `judge_status`, but a 403 that gives no reason is the block that follows too many calls: Antavo
    has neither a 429 in its documents nor Retry-After (docs/contracts/antavo.md 10)."""
    if answer.status == 403 and not _has_reason(answer):
        return RateLimited("403 without a reason", retry_after_s=2.0)
    return judge_status(answer, kind)


def _has_reason(answer: Answer) -> bool:
    try:
        return read_envelope(answer.json()) is not None
    except UnexpectedAnswer:
        return False


def _code(error: dict[str, Any]) -> int:
    code = error.get("code")
    if isinstance(code, str) and code.isdecimal():
        return int(code)
    return code if isinstance(code, int) else 0
