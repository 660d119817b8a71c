"""`manage.py draw_states`: draw the states of a redemption into docs/state-machine.md."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from loyaltyview.redemptions.models import FINAL, State
from loyaltyview.redemptions.states import EDGES, MEANINGS, START

PATH = settings.BASE_DIR / "docs" / "state-machine.md"
HEAD = """# The states of a redemption

`manage.py draw_states` draws this page from `loyaltyview/redemptions/states.py`. To change it, change that
file and draw again.

`transitions.advance` changes a state with one conditional UPDATE and writes one line of the trail in the same
commit. It refuses a transition that is not listed here. A line of the trail whose two states are equal is a
note.
"""


class Command(BaseCommand):
    help = "Draw the states of a redemption into docs/state-machine.md."

    def handle(self, *_args: Any, **_options: Any) -> None:
        PATH.write_text(drawn())
        self.stdout.write(f"{PATH} has {len(MEANINGS)} states and {len(EDGES)} transitions.")


def drawn() -> str:
    """Return the document: the diagram, the states and the transitions."""
    return "\n".join((HEAD, *_diagram(), "", *_states(), "", *_transitions(), ""))


def _diagram() -> Iterator[str]:
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {START.value}"
    for before, after in EDGES:
        yield f"    {before.value} --> {after.value}"
    for state in FINAL:
        yield f"    {state.value} --> [*]"
    yield "```"


def _states() -> Iterator[str]:
    yield "## States"
    yield ""
    yield "Nothing follows an end, except after a late order or a cancellation."
    yield ""
    yield "| state | meaning | end |"
    yield "|---|---|---|"
    for state in State:
        yield f"| `{state.value}` | {MEANINGS[state]} | {'yes' if state in FINAL else ''} |"


def _transitions() -> Iterator[str]:
    yield "## Transitions"
    yield ""
    yield "| from | to | reason |"
    yield "|---|---|---|"
    for (before, after), reason in EDGES.items():
        yield f"| `{before.value}` | `{after.value}` | {reason} |"
