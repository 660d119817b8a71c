"""The map of a redemption's states: the document shows it, and no redemption leaves it."""

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from structlog.testing import capture_logs

from loyaltyview.redemptions.commands import WORKER, RedeemRequest
from loyaltyview.redemptions.management.commands import draw_states
from loyaltyview.redemptions.models import FINAL, Redemption, State
from loyaltyview.redemptions.saga import redeem
from loyaltyview.redemptions.states import EDGES, MEANINGS, START
from loyaltyview.redemptions.transitions import ForbiddenTransition, advance

from .conftest import Mint
from .memory_provider import Ledger

Tap = Callable[..., RedeemRequest]
PACKAGE = Path(draw_states.__file__).parents[2]


def test_the_document_is_drawn_from_the_map() -> None:
    assert draw_states.PATH.read_text() == draw_states.drawn(), "run manage.py draw_states"


def test_every_state_has_a_meaning_and_is_reached_by_a_tap() -> None:
    assert set(MEANINGS) == set(State)
    assert reached_from(START) == set(State)


def test_every_state_leads_to_an_end() -> None:
    assert [state for state in State if not reached_from(state) & set(FINAL)] == []


def test_a_transition_that_is_not_on_the_map_is_refused_by_name() -> None:
    pairs = [pair for pair in product(State, State) if pair not in EDGES]
    assert len(pairs) == len(State) ** 2 - len(EDGES)
    for before, after in pairs:
        with pytest.raises(ForbiddenTransition, match=f"{before.value} -> {after.value}"):
            advance(Redemption(), after, allowed=[before], actor=WORKER)


def test_no_transition_on_the_way_may_leave_the_map() -> None:
    with pytest.raises(ForbiddenTransition, match="requested -> spent"):
        advance(Redemption(), State.REVEALED, via=[State.SPENT], allowed=[State.REQUESTED], actor=WORKER)


def test_production_refuses_the_transition_and_logs_it(
    tap: Tap, vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STRICT_STATES", False)
    row = redeem(tap())
    lines = row.transitions.count()
    with capture_logs() as logs:
        assert not advance(row, State.REFUSED, allowed=[State.REVEALED], actor=WORKER, refusal="X")
    assert [(entry["event"], entry["transition"]) for entry in logs] == [
        ("forbidden_transition", "revealed -> refused")
    ]
    row.refresh_from_db()
    assert (row.state, row.refusal, row.transitions.count()) == (State.REVEALED, "", lines)


@pytest.mark.parametrize("state", [State.REVEALED, State.SETTLED])
def test_production_takes_the_transition_from_where_the_map_has_it(
    tap: Tap, vendor: Ledger, newstore: Mint, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    monkeypatch.setattr(settings, "STRICT_STATES", False)
    row = redeem(tap())
    Redemption.objects.filter(pk=row.pk).update(state=state, order_id="o-1")
    moved = advance(row, State.USED, allowed=[State.REVEALED, State.SETTLED], actor=WORKER)
    assert (moved, row.state) == ((True, State.USED) if state is State.REVEALED else (False, State.SETTLED))


def test_only_a_transition_writes_a_state() -> None:
    wrong = [
        f"{path.name}:{line}"
        for path in sorted(PACKAGE.glob("*.py"))
        for line in state_writes(ast.parse(path.read_text()))
    ]
    assert wrong == []


def test_a_redemption_stored_as_minted_by_an_early_version_is_closed_like_a_requested_one(
    tap: Tap, vendor: Ledger, newstore: Mint
) -> None:
    row = redeem(tap())
    Redemption.objects.filter(pk=row.pk).update(state="minted")
    migration = import_module("loyaltyview.redemptions.migrations.0006_minted_is_no_state")
    migration.store_as_requested(apps, SimpleNamespace(connection=connection))
    row.refresh_from_db()
    assert row.state == State.REQUESTED


def reached_from(start: State) -> set[State]:
    """Return `start` and every state that transitions on the map lead to from there."""
    reached, waiting = {start}, [start]
    while waiting:
        state = waiting.pop()
        found = {after for before, after in EDGES if before is state} - reached
        reached |= found
        waiting += found
    return reached


def state_writes(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that set a column `state`: `rows.update(state=...)`, `row.state = ...`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            if any(keyword.arg == "state" for keyword in node.keywords):
                yield node.lineno
        elif isinstance(node, ast.Assign):
            targets = [target for target in node.targets if isinstance(target, ast.Attribute)]
            if any(target.attr == "state" for target in targets):
                yield node.lineno
