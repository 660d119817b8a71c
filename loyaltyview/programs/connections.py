"""What "Test connection" asks beside the vendor. The app that talks to a system says how (`add_check`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loyaltyview.programs.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One sentence for the administrator on one part of a connection."""

    is_ok: bool
    text: str


Check = Callable[[Program], Iterable[Checked]]

_checks: list[Check] = []


def add_check(check: Check) -> None:
    """Have "Test connection" call `check`. It calls the other system and raises nothing."""
    _checks.append(check)


def check_connections(program: Program) -> list[Checked]:
    """Return what every check says of the program's connections; takes as long as they together."""
    return [checked for check in _checks for checked in check(program)]
