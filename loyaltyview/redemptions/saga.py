"""The path of a redemption: request, mint, spend, reveal; and undo."""

from uuid import UUID

from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.requests import Actor, RedeemRequest


def redeem(request: RedeemRequest) -> Redemption:
    """Carry out one tap as far as it goes now, and return the row: REVEALED, REFUSED (with `refusal`),
    UNCERTAIN, or the state in which another request is still working on it.

    The same key with the same parameters returns the same redemption; vendor trouble never raises.
    Raises KeyReused, AnotherTillRedeeming.
    """
    raise NotImplementedError


def undo(redemption_id: UUID, actor: Actor) -> Redemption:
    """Give a spent or revealed redemption back; RELEASED, or RELEASING when the vendor is away (the worker
    goes on). A row in any other state is returned as it is."""
    raise NotImplementedError


def live_codes(program_id: int, cart_id: str) -> list[str]:
    """Return the codes of this cart that are revealed and not expired, oldest first."""
    raise NotImplementedError
