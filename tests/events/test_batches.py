"""Events of many orders in one claim, with a vendor in our own database: what they share, and what not."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from loyaltyview.events import earning, processing
from loyaltyview.events.inbox import store_delivery
from loyaltyview.events.models import Event, EventState, Order
from loyaltyview.events.processing import run_batch
from loyaltyview.programs.models import Program
from loyaltyview.work.claims import claim
from providers.outbound.deadline import check_calls_allowed

from .deliveries import cancelled, envelope, item, order
from .house import build_house


@pytest.fixture
def house(program: Program) -> Program:
    build_house(program)
    return program


def deliver(program: Program, *order_ids: str, name: str = "order.created", **changes: Any) -> None:
    for order_id in order_ids:
        payload = order(id=order_id, discounts=[], items=[item(discounts=[])], **changes)
        store_delivery(program, envelope(name, payload), {})


def states() -> dict[str, str]:
    return dict(Event.objects.values_list("subject", "state"))


def test_one_claim_takes_the_first_event_of_each_order(house: Program) -> None:
    deliver(house, "a", "b", "c")
    deliver(house, "a", "b", name="order.opened")
    assert run_batch(20) == 3
    assert run_batch(20) == 2
    assert run_batch(20) == 0
    assert set(states().values()) == {EventState.DONE}


def test_a_batch_has_no_more_rows_than_asked_for(house: Program) -> None:
    deliver(house, "a", "b", "c")
    assert run_batch(2) == 2
    assert sorted(states().values()) == ["done", "done", "waiting"]


def test_a_batch_is_of_one_program(house: Program) -> None:
    other = Program.objects.create(slug="other", name="Other", newstore_tenant="acme-staging")
    deliver(house, "a")
    deliver(other, "b")
    deliver(house, "c")
    assert run_batch(20) == 2
    assert states() == {"a": EventState.DONE, "b": EventState.WAITING, "c": EventState.DONE}


def test_an_event_that_fails_leaves_the_others_of_its_batch_done(
    house: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = processing.NEWSTORE_HANDLERS["order.created"]

    def broken(event: Event) -> None:
        created(event)
        if event.subject == "b":
            raise RuntimeError("a bug")

    monkeypatch.setitem(processing.NEWSTORE_HANDLERS, "order.created", broken)
    deliver(house, "a", "b", "c")
    assert run_batch(20) == 2  # after the one that failed the lease may be short
    assert run_batch(20) == 1
    assert states() == {"a": EventState.DONE, "b": EventState.WAITING, "c": EventState.DONE}
    assert Event.objects.get(subject="b").attempts == 1
    assert Event.objects.get(subject="c").attempts == 0


def test_an_event_that_kills_its_worker_takes_no_other_with_it(
    house: Program, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.WORK_MAX_ATTEMPTS = 2
    created = processing.NEWSTORE_HANDLERS["order.created"]

    def deadly(event: Event) -> None:
        if event.subject == "b":
            raise SystemExit
        created(event)

    monkeypatch.setitem(processing.NEWSTORE_HANDLERS, "order.created", deadly)
    deliver(house, "a", "b", "c", "d")
    for _ in range(8):
        with suppress(SystemExit):
            run_batch(20)
        Event.objects.filter(lease_until__isnull=False).update(
            lease_until=timezone.now() - timedelta(seconds=1)
        )
    done, dead = EventState.DONE, EventState.DEAD
    assert states() == {"a": done, "b": dead, "c": done, "d": done}


def test_an_event_that_needs_a_call_makes_it_outside_of_a_transaction(
    house: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    depth, depths = len(connection.savepoint_ids), []

    def cancel(program: Program, order_id: str) -> None:
        earning.note_cancelled(program, order_id)
        check_calls_allowed()  # as before each call to NewStore or a vendor
        depths.append(len(connection.savepoint_ids))

    monkeypatch.setattr("loyaltyview.events.handlers.cancel_order", cancel)
    for order_id in ("a", "b"):
        store_delivery(house, envelope("order.cancelled", cancelled("item-1", id=order_id)), {})
    assert [run_batch(20), run_batch(20)] == [1, 1]
    assert depths == [depth, depth]
    assert Event.objects.filter(state=EventState.DONE, attempts=0).count() == 2


def test_what_an_event_wrote_without_its_lease_is_undone(
    house: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = processing.NEWSTORE_HANDLERS["order.created"]

    def slow(event: Event) -> None:
        created(event)
        event.lease_until = timezone.now() - timedelta(seconds=1)  # another worker has claimed it since

    monkeypatch.setitem(processing.NEWSTORE_HANDLERS, "order.created", slow)
    deliver(house, "a")
    assert run_batch(20) == 1
    assert not Order.objects.exists()
    assert Event.objects.get().state == EventState.WAITING


def test_a_batch_whose_lease_is_half_over_is_handed_back(
    house: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processing, "_is_half_over", lambda lease_until: True)
    deliver(house, "a", "b")
    assert run_batch(20) == 1
    waiting = Event.objects.get(state=EventState.WAITING)
    assert (waiting.attempts, waiting.lease_until) == (0, None)


def test_a_killed_workers_order_waits_for_its_own_event_only(house: Program) -> None:
    deliver(house, "a")
    assert claim(Event.objects.all())
    deliver(house, "a", name="order.opened")
    deliver(house, "b")
    Event.objects.filter(name="order.created", subject="a").update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert run_batch(20) == 1  # what was tried before goes alone
    assert Event.objects.get(name="order.opened").state == EventState.WAITING
    assert run_batch(20) == 2


def test_a_full_batch_costs_few_statements_an_event(house: Program) -> None:
    deliver(house, *map(str, range(20)))
    with CaptureQueriesContext(connection) as asked:
        assert run_batch(20) == 20
    assert len(asked) <= 20 * 10
