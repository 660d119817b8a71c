"""What redemptions ask of the app that hears of orders. That app registers its answers in
`AppConfig.ready`; a redemption knows of orders, and of no event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loyaltyview.programs.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearer:
    """`has_unread(program, before)`: whether news of orders came in before that time and was not read yet.
    `read_again(program, order_id)`: have the worker read the news of this order again; may be repeated."""

    has_unread: Callable[[Program, datetime], bool]
    read_again: Callable[[Program, str], object]


_hearers: list[Hearer] = []


def add_hearer(hearer: Hearer) -> None:
    """Register who hears of orders."""
    _hearers.append(hearer)


def has_unread(program: Program, before: datetime) -> bool:
    """Return whether an order that nobody has read of yet may be among what came in before that time."""
    return any(hearer.has_unread(program, before) for hearer in _hearers)


def read_again(program: Program, order_id: str) -> None:
    """Have the order's redemptions settled once more, by the worker."""
    for hearer in _hearers:
        hearer.read_again(program, order_id)
