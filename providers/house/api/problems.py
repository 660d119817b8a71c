"""Refusals as problem+json (RFC 9457): a status, a code that never changes, a sentence for developers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import JsonResponse

from providers.errors import Rejected, RejectReason

# Every code with its status and sentence. Codes are part of the contract: they are added, never renamed.
PROBLEMS: Mapping[str, tuple[int, str]] = {
    "wrong_json": (400, "The body is not JSON that can be read."),
    "key_missing": (401, "Send your key as “Authorization: Bearer <key>”."),
    "invalid_key": (401, "This key is not known here."),
    "key_revoked": (401, "This key was revoked."),
    "key_expired": (401, "This key has expired."),
    "scope_missing": (403, "The key lacks the scope that this call needs."),
    "not_found": (404, "There is nothing at this address."),
    "member_not_found": (404, "The program has no such member."),
    "reward_not_found": (404, "The member has no such voucher, or the program no such reward."),
    "reservation_not_found": (404, "There is no such reservation."),
    "method_not_allowed": (405, "This address does not take this method."),
    "id_used": (409, "This id was used before with other content."),
    "other_member": (409, "This order belongs to another member."),
    "insufficient_points": (409, "The member has too few points; `points_gap` more are needed."),
    "tier_too_low": (409, "The member's tier is too low for this reward."),
    "out_of_stock": (409, "The reward is out of stock."),
    "limit_reached": (409, "The member has taken this reward as often as allowed."),
    "already_used": (409, "The voucher is used or reserved already."),
    "expired": (409, "The voucher or the reward has expired."),
    "price_changed": (409, "The reward costs another number of points now: show it again."),
    "not_allowed": (409, "This cannot be used now."),
    "reservation_closed": (409, "The reservation was released or has expired, or its order was cancelled."),
    "reservation_confirmed": (409, "The reservation was confirmed with another order."),
    "body_too_large": (413, "The body is too large."),
    "wrong_media_type": (415, "Send the body as application/json."),
    "invalid_field": (422, "A field is wrong: see `errors`."),
    "too_many_calls": (429, "Too many calls: wait as long as Retry-After says."),
    "internal": (500, "Something went wrong on our side. The call may be repeated."),
    "busy": (503, "The server is busy. Nothing happened; the call may be repeated."),
}  # fmt: skip
# What the house program refuses, in the words above.
REJECTIONS: Mapping[RejectReason, str] = {
    RejectReason.INSUFFICIENT_POINTS: "insufficient_points",
    RejectReason.MEMBER_NOT_FOUND: "member_not_found",
    RejectReason.REWARD_NOT_FOUND: "reward_not_found",
    RejectReason.OUT_OF_STOCK: "out_of_stock",
    RejectReason.LIMIT_REACHED: "limit_reached",
    RejectReason.ALREADY_USED: "already_used",
    RejectReason.EXPIRED: "expired",
    RejectReason.TIER_TOO_LOW: "tier_too_low",
    RejectReason.PRICE_CHANGED: "price_changed",
    RejectReason.INVALID_INPUT: "not_allowed",
    RejectReason.ALREADY_MEMBER: "not_allowed",
    RejectReason.NOT_ALLOWED: "not_allowed",
}


class Problem(Exception):
    """A call is refused. `errors` are pairs of a field and what is wrong with it."""

    def __init__(self, code: str, *, errors: Sequence[tuple[str, str]] = (), **more: Any) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors
        self.more = more


def wrong_field(field: str, message: str) -> Problem:
    """Return the refusal of one field."""
    return Problem("invalid_field", errors=[(field, message)])


def problem_of(rejected: Rejected) -> Problem:
    """Return what the house program refused in the API's words."""
    more: dict[str, Any] = {"points_gap": rejected.points_gap, "text": rejected.text}
    return Problem(REJECTIONS[rejected.reason], **{name: value for name, value in more.items() if value})


def answer_of(problem: Problem) -> JsonResponse:
    """Return the answer that refuses a call."""
    status, sentence = PROBLEMS[problem.code]
    errors = [{"field": field, "message": message} for field, message in problem.errors]
    retry_after = problem.more.pop("retry_after", None)
    answer = JsonResponse(
        {
            "type": "about:blank",
            "status": status,
            "code": problem.code,
            "detail": sentence,
            **({"errors": errors} if errors else {}),
            **problem.more,
        },
        status=status,
        content_type="application/problem+json",
    )
    if retry_after:
        answer["Retry-After"] = str(retry_after)
    if status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer
