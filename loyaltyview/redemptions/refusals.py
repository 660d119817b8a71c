"""Why a redemption was refused, beside the vendor's own `RejectReason`s. Pages word each of them."""

from enum import StrEnum

from django.utils.translation import ngettext

from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreError,
    NewStoreRejected,
    NewStoreUnavailable,
)
from providers.errors import AuthFailed, ProviderError, RateLimited, Rejected, Unavailable, Unsupported


class Refusal(StrEnum):
    """A redemption refused for one of these spent nothing. (A renewal that fails for one keeps its
    spend.)"""

    NEWSTORE_UNAVAILABLE = "NEWSTORE_UNAVAILABLE"
    NEWSTORE_AUTH = "NEWSTORE_AUTH"
    NEWSTORE_REJECTED = "NEWSTORE_REJECTED"
    NEWSTORE_GONE = "NEWSTORE_GONE"  # it has switched this version of its API off
    NEWSTORE_UNEXPECTED = "NEWSTORE_UNEXPECTED"
    PROVIDER_UNAVAILABLE = "PROVIDER_UNAVAILABLE"
    PROVIDER_BUSY = "PROVIDER_BUSY"  # its limit of calls, or ours
    PROVIDER_AUTH = "PROVIDER_AUTH"
    NOT_SPENT = "NOT_SPENT"  # the outcome was unknown; the vendor says now that it did not happen
    ABANDONED = "ABANDONED"  # our process died before it asked the vendor


def mint_refusal(error: NewStoreError) -> Refusal:
    """Return the reason for a coupon that NewStore did not make."""
    if isinstance(error, NewStoreUnavailable):
        return Refusal.NEWSTORE_UNAVAILABLE
    if isinstance(error, NewStoreAuthFailed):
        return Refusal.NEWSTORE_AUTH
    if isinstance(error, NewStoreRejected):
        return Refusal.NEWSTORE_GONE if error.status == 410 else Refusal.NEWSTORE_REJECTED
    return Refusal.NEWSTORE_UNEXPECTED


def spend_refusal(error: ProviderError) -> tuple[str, str] | None:
    """Return (reason, the vendor's sentence) for a spend that certainly did not happen, None when it may
    have. Closed by default: an error not named here counts as an unknown outcome."""
    if isinstance(error, Rejected):
        return error.reason.value, f"{_gap(error.points_gap)} {error.text}".strip()
    if isinstance(error, RateLimited):
        return Refusal.PROVIDER_BUSY.value, ""
    if isinstance(error, Unavailable):
        return Refusal.PROVIDER_UNAVAILABLE.value, ""
    if isinstance(error, AuthFailed):
        return Refusal.PROVIDER_AUTH.value, ""
    if isinstance(error, Unsupported):
        return "NOT_ALLOWED", ""
    return None


def _gap(points: int) -> str:
    if not points:
        return ""
    return ngettext("%(n)d point more is needed.", "%(n)d points more are needed.", points) % {"n": points}
