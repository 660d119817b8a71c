"""A spend that the vendor cancelled by itself, as its webhook tells."""

import structlog

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.release import give_back
from loyaltyview.redemptions.requests import Actor
from loyaltyview.redemptions.steps import advance
from providers.errors import Unavailable

log = structlog.get_logger(__name__)

REASON = "cancelled by the program"
PROVIDER = Actor(name="provider")


def cancel_spend(program: Program, *, provider_ref: str) -> bool:
    """Give the redemption of this spend back, or hand it to a person when an order has used it: the customer
    had the discount. False when no redemption of ours has the reference. Raises Unavailable while its
    outcome is unknown. May be repeated."""
    rows = Redemption.objects.select_related("program").filter(program=program, provider_ref=provider_ref)
    for row in rows:
        if row.state in OPEN:
            raise Unavailable(f"redemption {row.id} is {row.state}")
        give_back(row, PROVIDER, REASON)
        reason = f"{REASON} after order {row.order_id} had used it"
        used = (State.USED, State.SETTLED)
        if advance(
            row, State.STUCK, allowed=used, actor=PROVIDER, reason=reason,
            last_error=reason, due_at=None, lease_until=None,
        ):  # fmt: skip
            log.error("redemption_stuck", redemption=str(row.id), reason=reason)
    return bool(rows)
