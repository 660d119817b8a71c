"""What orders do to redemptions: use, settle, give back. Called by the event handlers."""

from loyaltyview.programs.models import Program
from providers.types import Order, Spend


def use_codes(program: Program, *, order_id: str, codes: tuple[str, ...]) -> tuple[Spend, ...]:
    """An order exists that carries `codes`: mark their redemptions used and return all spends of the
    order. Codes that are not ours are passed over. Database only; may be repeated."""
    raise NotImplementedError


def member_of_order(program: Program, order_id: str) -> str:
    """Return the member_ref whose redemption was used in this order, "" without one."""
    raise NotImplementedError


def settle(program: Program, order: Order) -> None:
    """Confirm the order's used redemptions with the vendor. Raises ProviderError; may be repeated."""
    raise NotImplementedError


def give_back(program: Program, *, order_id: str) -> None:
    """The order was cancelled: release its redemptions. Raises ProviderError; may be repeated.
    Where the vendor cannot take back, the redemption becomes STUCK for a person to decide."""
    raise NotImplementedError
