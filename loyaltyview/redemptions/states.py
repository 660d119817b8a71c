"""The map of a redemption: what each state means, every transition between two states, and its reason.

`transitions.advance` refuses a transition that is not on the map. `manage.py draw_states` draws the map into
docs/state-machine.md.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from loyaltyview.redemptions.models import State

MEANINGS: Mapping[State, str] = {
    State.REQUESTED: "The associate tapped. NewStore may be making a code. The program was not asked yet.",
    State.UNCERTAIN: "There is a code. The program may or may not have taken the points.",
    State.SPENT: "The program took the points. The associate has not seen the code.",
    State.REVEALED: "The associate saw the code. It may be in the cart.",
    State.USED: "An order carries the code. The program does not know yet.",
    State.SETTLED: "The program knows that an order used the spend.",
    State.REFUSED: "Nothing was spent.",
    State.RELEASING: "The spend is to be given back. The program may or may not have done so.",
    State.RELEASED: "The program gave the spend back, or the customer keeps what they bought.",
    State.STUCK: "A person must look at the program's side and decide.",
}

START = State.REQUESTED
EDGES: Mapping[tuple[State, State], str] = {
    # The tap.
    (State.REQUESTED, State.UNCERTAIN): "NewStore made a code. The program is called next.",
    (State.REQUESTED, State.REFUSED): "A limit was reached, NewStore made no code, or the process died.",
    (State.REQUESTED, State.STUCK): "The worker failed at the row too often.",
    (State.UNCERTAIN, State.SPENT): "The program confirms the spend.",
    (State.UNCERTAIN, State.REFUSED): "The program refused the spend, or says that it did not happen.",
    (State.UNCERTAIN, State.STUCK): "The outcome stayed unknown for too long, or an order used the code of "
    "a spend that did not happen.",
    (State.SPENT, State.REVEALED): "The code is shown, or a new code took the place of an expired one.",
    (State.REVEALED, State.REVEALED): "A new code took the place of an expired one.",
    # The order.
    (State.SPENT, State.USED): "An order carries the code.",
    (State.REVEALED, State.USED): "An order carries the code.",
    (State.UNCERTAIN, State.USED): "An order carries the code, and the program confirms the spend.",
    (State.USED, State.SETTLED): "The program knows of the order.",
    (State.USED, State.REVEALED): "The code was taken out of the order before the order was final.",
    (State.USED, State.STUCK): "The program refuses to confirm, or cancelled the spend by itself, or our "
    "copy of the order is deleted.",
    (State.SETTLED, State.STUCK): "The program cancelled the spend after an order had used it.",
    (State.REFUSED, State.STUCK): "An order carries a code that was never shown.",
    # Giving back.
    (State.SPENT, State.RELEASING): "Undone, cancelled by the program, or no order came in time.",
    (State.REVEALED, State.RELEASING): "Undone, cancelled by the program, or no order came in time.",
    (State.USED, State.RELEASING): "The order was cancelled, or its goods came back.",
    (State.SETTLED, State.RELEASING): "The order was cancelled, or its goods came back.",
    (State.RELEASING, State.RELEASED): "The program gave it back, or the customer keeps what they bought.",
    (State.RELEASING, State.STUCK): "The program refuses to take it back, or did not answer for too long.",
    # An order that came after its spend was given back.
    (State.RELEASED, State.UNCERTAIN): "A late order carries the code: it is spent again.",
    (State.UNCERTAIN, State.RELEASED): "The program could not be reached to spend again. The order waits.",
    # A person's answer.
    (State.STUCK, State.SETTLED): "A person says that the program knows, or it does not have to know.",
    (State.STUCK, State.USED): "A person says that the spend stands. The program gets the order.",
    (State.STUCK, State.RELEASING): "A person says that the spend stands without an order.",
    (State.STUCK, State.REFUSED): "A person says that nothing was spent.",
    (State.STUCK, State.RELEASED): "A person says that it was given back.",
}


def missing_edge(start: State, path: Sequence[State]) -> tuple[State, State] | None:
    """Return the first transition along `path`, from `start`, that is not on the map; None when all are."""
    return next((pair for pair in pairwise((start, *path)) if pair not in EDGES), None)
