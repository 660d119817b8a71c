"""What redemptions ask about orders. The app that receives orders answers: it registers an `OrderLookup` in
`AppConfig.ready`. So redemptions know orders, but no events.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loyaltyview.programs.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLookup:
    """The two answers of an app that receives orders; see the functions of the same names below."""

    has_unread: Callable[[Program, tuple[str, ...], datetime], bool]
    read_again: Callable[[Program, str], bool]


_lookups: list[OrderLookup] = []


def add_order_lookup(lookup: OrderLookup) -> None:
    """Register an app that receives orders."""
    _lookups.append(lookup)


def has_unread(program: Program, codes: tuple[str, ...], before: datetime) -> bool:
    """Return whether an event that was received before that time, and that no worker has handled, may be
    about an order with one of `codes`."""
    return any(lookup.has_unread(program, codes, before) for lookup in _lookups)


def read_again(program: Program, order_id: str) -> bool:
    """Have the worker handle the order's events again, which settles its redemptions. Returns False when no
    event of the order is kept. May be repeated."""
    return any(lookup.read_again(program, order_id) for lookup in _lookups)
