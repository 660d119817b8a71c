"""Customers who asked at the till to be enrolled with the order that they pay.

The app with the pages keeps what they said and registers here in `AppConfig.ready`; the app that receives
orders asks. So neither knows the other.
"""

from collections.abc import Callable
from dataclasses import dataclass

from loyaltyview.programs.models import Program
from providers.types import Consents, Member, MemberProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What the customer said. `done` is called once they are a member, outside of transactions."""

    profile: MemberProfile
    consents: Consents
    done: Callable[[Member], None]


Find = Callable[[Program, str], Newcomer | None]
_finders: list[Find] = []


def add_newcomers(find: Find) -> None:
    """Register an app that keeps newcomers by the id of NewStore's customer profile."""
    _finders.append(find)


def newcomer_of(program: Program, profile_id: str) -> Newcomer | None:
    """Return the customer with this profile who waits for their order, None for nobody."""
    found = (find(program, profile_id) for find in _finders)
    return next((newcomer for newcomer in found if newcomer), None)
