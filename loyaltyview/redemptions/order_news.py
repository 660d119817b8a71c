"""What redemptions ask of the app that hears of orders. That app registers its answers in
`AppConfig.ready`; a redemption knows of orders, and of no event.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loyaltyview.programs.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearer:
    """`has_unread(program, codes, before)`: whether unread news that came in before that time may be of an
    order with one of `codes`. `read_again(program, order_id)`: have the worker read the news of this
    order again; returns whether there is any, and may be repeated."""

    has_unread: Callable[[Program, tuple[str, ...], datetime], bool]
    read_again: Callable[[Program, str], bool]


_hearers: list[Hearer] = []


def add_hearer(hearer: Hearer) -> None:
    """Register who hears of orders."""
    _hearers.append(hearer)


def has_unread(program: Program, codes: tuple[str, ...], before: datetime) -> bool:
    """Return whether an order with one of `codes`, of which nobody has read yet, may be among what came in
    before that time."""
    return any(hearer.has_unread(program, codes, before) for hearer in _hearers)


def read_again(program: Program, order_id: str) -> bool:
    """Have the order's redemptions settled once more, by the worker. False when nothing is kept of it."""
    return any(hearer.read_again(program, order_id) for hearer in _hearers)
