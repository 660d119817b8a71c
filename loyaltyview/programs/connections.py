"""What "Test connection" checks beside the vendor. The app that talks to a system adds its check
(`add_check`)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loyaltyview.programs.models import Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One sentence for the administrator about one part of a connection."""

    is_ok: bool
    text: str


Check = Callable[[Program], Iterable[Checked]]

_checks: list[Check] = []


def add_check(check: Check) -> None:
    """Let "Test connection" call `check`, which calls the other system and raises nothing."""
    _checks.append(check)


def check_connections(program: Program) -> list[Checked]:
    """Return the results of every check of the program; takes as long as all of them together."""
    return [checked for check in _checks for checked in check(program)]
