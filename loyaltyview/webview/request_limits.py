"""How many look-ups, enrolments and redemptions one caller may make: enough for a queue, too few to
collect data.

An associate is counted by their identity. Without one the cart is counted, across its launches, and the
address that the requests come from: another cart does not make another caller.
"""

from django.conf import settings

from loyaltyview.ops.ratelimit import allow
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem


def count_lookup(launch: Launch) -> None:
    """Count one look-up; raise Problem(TOO_MANY_LOOKUPS) above LOOKUPS_PER_MINUTE."""
    if _is_too_many("lookup", launch, settings.LOOKUPS_PER_MINUTE, 60):
        raise Problem(Refusal.TOO_MANY_LOOKUPS)


def count_enrolment(launch: Launch) -> None:
    """Count one enrolment; raise Problem(TOO_MANY_ENROLMENTS) above ENROLMENTS_PER_HOUR."""
    if _is_too_many("enrolment", launch, settings.ENROLMENTS_PER_HOUR, 3600):
        raise Problem(Refusal.TOO_MANY_ENROLMENTS)


def count_redemption(launch: Launch) -> None:
    """Count one tap without an associate; raise Problem(TOO_MANY_UNVERIFIED) above
    CART_REDEMPTIONS_PER_HOUR. An associate's are limited by the program (`redemptions.limits`)."""
    if not launch.is_verified and _is_too_many(
        "redemption", launch, settings.CART_REDEMPTIONS_PER_HOUR, 3600
    ):
        raise Problem(Refusal.TOO_MANY_UNVERIFIED)


def count_cart_launch(program: Program, caller: str) -> None:
    """Count one launch without an associate, for each of which NewStore is asked; raise
    Problem(TOO_MANY_UNVERIFIED) above CART_LAUNCHES_PER_MINUTE of one caller."""
    if allow("cart-launch", f"{program.pk}:{caller}", settings.CART_LAUNCHES_PER_MINUTE, 60):
        raise Problem(Refusal.TOO_MANY_UNVERIFIED)


def _is_too_many(scope: str, launch: Launch, limit: int, per_s: int) -> bool:
    names = (
        [launch.associate_id] if launch.is_verified else [f"cart {launch.cart_id}", f"from {launch.caller}"]
    )
    # All are counted, also when the first is over its limit.
    return any([allow(scope, f"{launch.program_id}:{name}", limit, per_s) for name in names])  # noqa: C419
