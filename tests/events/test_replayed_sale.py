"""A sale whose events are handled once more, in the order in which they came: nothing is spent again."""

from itertools import permutations

import pytest

from loyaltyview.events.models import Event
from loyaltyview.events.stored_events import replay
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.release import undo

from .conftest import Deliver, Work
from .deliveries import completed, item, order
from .house import balance, build_house, spend

EVENTS = {
    "created": ("order.created", order()),
    "completed": ("order.completed", completed()),
    "opened": ("order.opened", order(discounts=[], items=[item(discounts=[], order_discounts=0)])),
}


@pytest.mark.parametrize("names", list(permutations(EVENTS)))
def test_a_code_that_was_taken_out_and_given_back_is_not_spent_again_by_a_replay(
    names: tuple[str, ...], program: Program, redemption: Redemption, deliver: Deliver, work: Work
) -> None:
    spend(redemption, build_house(program))
    for name in names:
        deliver(*EVENTS[name])
    work(3)
    undo(redemption.pk, Actor(name="a-17"))
    before = balance()
    assert replay(Event.objects.all()) == len(EVENTS)
    work(3)
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id, balance()) == (State.RELEASED, "", before)
