"""How the worker goes through the inbox: one order after another, back-off, dead events, replays."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from loyaltyview.events import processing
from loyaltyview.events.alarms import close_dead
from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState, Order
from loyaltyview.events.processing import run_one
from loyaltyview.events.stored_events import check_backlog
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.transitions import release_at
from loyaltyview.work.claims import claim, due, finish
from loyaltyview.work.worker import drain
from providers.errors import ProviderError, RateLimited, Unavailable
from tests.plans import plan_of as captured_plan_of

from .conftest import Deliver, Work, post
from .deliveries import ORDER, completed, item, order
from .vendor import Books


def the(name: str) -> Event:
    return Event.objects.get(name=name)


def test_events_of_one_order_are_handled_one_after_another(deliver: Deliver, books: Books) -> None:
    deliver("order.created", order())
    deliver("order.opened", order())
    deliver("order.opened", order(id="order-2"))
    first = claim(Event.objects.all())
    assert first is not None
    assert first.subject == ORDER
    assert run_one()
    assert Event.objects.get(subject="order-2").state == EventState.DONE
    assert not run_one()
    assert the_opened().state == EventState.WAITING


def the_opened() -> Event:
    return Event.objects.get(name="order.opened", subject=ORDER)


def test_a_busy_order_with_many_events_hides_no_other_order(deliver: Deliver, books: Books) -> None:
    deliver("order.created", order())
    assert claim(Event.objects.all())
    for number in range(30):
        deliver("order.items_cancelled", {"id": ORDER, "items": [{"id": f"item-{number}"}]})
    deliver("order.opened", order(id="order-2"))
    assert run_one()
    assert Event.objects.get(subject="order-2").state == EventState.DONE


def test_completed_waits_for_opened_and_then_goes_on_at_once(deliver: Deliver, books: Books) -> None:
    deliver("order.completed", completed())
    drain()
    event = the("order.completed")
    assert (event.state, event.last_error) == (EventState.WAITING, "order.opened has not arrived")
    deliver("order.opened", order())
    drain()
    assert the("order.completed").state == EventState.DONE
    assert books.points("mia") == 90


def test_what_never_gets_its_order_ends_dead_and_says_so(
    deliver: Deliver, work: Work, books: Books, settings: Settings
) -> None:
    settings.WORK_MAX_ATTEMPTS = 4
    deliver("order.completed", completed())
    work(10)
    event = the("order.completed")
    assert (event.state, event.attempts, event.due_at) == (EventState.DEAD, 4, None)
    assert event.last_error == "order.opened has not arrived"
    assert Alarm.objects.get(kind=AlarmKind.DEAD).detail == "order.completed: order.opened has not arrived"


@pytest.mark.parametrize(
    ("error", "at_least", "at_most"),
    [
        (Unavailable("down"), 2, 2.2),
        (RateLimited("slow down", retry_after_s=90), 90, 91),
        (RateLimited("slow down", retry_after_s=0), 2, 2.2),
        (RateLimited("tomorrow", retry_after_s=86_400), 3600, 3601),
    ],
)
def test_the_vendor_is_asked_again_no_sooner_than_it_says(
    error: ProviderError, at_least: float, at_most: float, deliver: Deliver, books: Books
) -> None:
    books.fail["record_order"] = [error]
    with time_machine.travel(datetime(2026, 3, 4, 15, 0, tzinfo=UTC), tick=False):
        deliver("order.opened", order())
        deliver("order.completed", completed())
        drain()
        due_at = the("order.completed").due_at
        assert due_at is not None
        assert at_least <= (due_at - timezone.now()).total_seconds() <= at_most


def test_a_programming_error_is_retried_and_its_text_not_kept(
    deliver: Deliver, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("mia@example.test")

    monkeypatch.setitem(processing.NEWSTORE_HANDLERS, "order.opened", broken)
    deliver("order.opened", order())
    deliver("order.created", order(id="order-2"))
    drain()
    assert (the("order.opened").state, the("order.opened").last_error) == (EventState.WAITING, "RuntimeError")
    assert the("order.created").state == EventState.DONE


def test_an_event_that_kills_its_worker_each_time_ends_dead(
    deliver: Deliver, books: Books, settings: Settings
) -> None:
    settings.WORK_MAX_ATTEMPTS = 3
    deliver("order.opened", order())
    for _ in range(3):
        assert claim(Event.objects.all())
        Event.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    drain()
    event = the("order.opened")
    assert (event.state, event.last_error) == (EventState.DEAD, "the worker died each time")


def test_a_worker_that_lost_its_lease_leaves_the_event_to_the_other(
    deliver: Deliver, books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_lease = timezone.now() + timedelta(seconds=500)

    def slow(event: Event) -> None:
        Event.objects.update(lease_until=other_lease)

    monkeypatch.setitem(processing.NEWSTORE_HANDLERS, "order.opened", slow)
    deliver("order.opened", order())
    assert run_one()
    event = the("order.opened")
    assert (event.state, event.lease_until) == (EventState.WAITING, other_lease)


# --- Replay ---------------------------------------------------------------------------------------


def test_dead_events_are_replayed_by_command(deliver: Deliver, books: Books, capsys: Any) -> None:
    deliver("order.completed", completed())
    Event.objects.update(state=EventState.DEAD, due_at=None, attempts=12, last_error="x")
    deliver("order.opened", order())
    call_command("replay_events", "--state", "dead", "--dry-run")
    assert the("order.completed").state == EventState.DEAD
    call_command("replay_events", "--state", "dead", "--program", "acme", "--name", "order.completed")
    assert "1 events replayed" in capsys.readouterr().out
    drain()
    assert the("order.completed").state == EventState.DONE
    assert books.points("mia") == 90


def test_replaying_what_is_done_changes_nothing(deliver: Deliver, work: Work, books: Books) -> None:
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    before = Order.objects.values().get()
    call_command("replay_events", *map(str, Event.objects.values_list("pk", flat=True)))
    work()
    assert Order.objects.values().get() == before
    assert books.points("mia") == 90


def test_events_are_replayed_by_time(deliver: Deliver, books: Books, capsys: Any) -> None:
    for hour in (10, 11, 12):
        with time_machine.travel(datetime(2026, 3, 4, hour, tzinfo=UTC)):
            deliver("order.created", order(id=f"order-{hour}"))
    call_command("replay_events", "--since", "2026-03-04T10:30Z", "--until", "2026-03-04T11:30:00+00:00")
    assert "1 events replayed" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["--program", "acme"], ["--since", "noon"]])
def test_replay_wants_to_know_which(arguments: list[str], db: None) -> None:
    with pytest.raises(CommandError):
        call_command("replay_events", *arguments)


def test_an_event_in_hand_is_not_replayed(deliver: Deliver, books: Books, capsys: Any) -> None:
    deliver("order.opened", order())
    assert claim(Event.objects.all())
    call_command("replay_events", "--state", "waiting")
    assert "0 events replayed" in capsys.readouterr().out


def test_an_event_of_another_tenant_stays_dead_until_the_program_is_right(
    deliver: Deliver, books: Books, program: Program
) -> None:
    deliver("order.opened", order(), tenant="acme-production")
    call_command("replay_events", "--state", "dead")
    drain()
    assert the("order.opened").state == EventState.DEAD
    program.newstore_tenant = "acme-production"
    program.save()
    call_command("replay_events", "--state", "dead")
    drain()
    assert the("order.opened").state == EventState.DONE


def test_a_dead_event_that_is_replayed_waits_for_the_other_events_of_its_order(
    deliver: Deliver, books: Books, program: Program
) -> None:
    deliver("order.opened", order(), tenant="acme-production")
    deliver("order.completed", completed())
    Program.objects.update(newstore_tenant="acme-production")
    busy = claim(Event.objects.filter(name="order.completed"))
    assert busy
    call_command("replay_events", "--state", "dead")
    assert run_one()
    assert the("order.opened").state == EventState.WAITING
    assert the("order.opened").subject == ORDER
    finish(busy)
    Event.objects.update(due_at=timezone.now())
    assert run_one()
    assert the("order.opened").state == EventState.DONE


# --- What /readyz sees, and the plans of the worker's queries -------------------------------------


def test_readiness_counts_events_the_worker_left_lying(
    deliver: Deliver, books: Books, settings: Settings
) -> None:
    assert check_backlog().is_ok
    with time_machine.travel(datetime(2026, 3, 4, 10, tzinfo=UTC), tick=False) as clock:
        deliver("order.opened", order())
        assert check_backlog().is_ok
        clock.shift(settings.READY_MAX_EVENT_AGE_S + 1)
        assert not check_backlog().is_ok
        drain()
        assert check_backlog().is_ok


def plan_of(rows: Any) -> str:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # A table of a test is so small that reading it whole is cheaper than any index.
            cursor.execute("SET LOCAL enable_seqscan = off")
    return str(rows.explain())


def test_the_search_for_due_events_uses_its_index(program: Program) -> None:
    plan = plan_of(due(processing._free_events()).values_list("pk", flat=True)[:20])
    assert "Seq Scan" not in plan
    if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
        assert "event_due" in plan
        assert "one_event_per_order_in_hand" in plan or "event_subject" in plan
    assert "SCAN loyaltyview" not in plan
    assert "TEMP B-TREE" not in plan


def test_a_claim_reads_no_more_events_than_it_may_take(deliver: Deliver, program: Program) -> None:
    deliver("order.created", order())
    with CaptureQueriesContext(connection) as asked:
        assert run_one()
    claims = [each["sql"] for each in asked.captured_queries if '"due_at" <=' in each["sql"]]
    assert len(claims) == 2
    for sql in claims:
        plan = captured_plan_of(sql)
        assert "Seq Scan" not in plan
        if connection.vendor == "sqlite":  # PostgreSQL's choice depends on how much there is
            assert "event_program" not in plan


@pytest.mark.parametrize("is_final", [True, False])
def test_an_order_that_waited_for_the_worker_still_uses_its_code(
    is_final: bool, deliver: Deliver, books: Books, redemption: Redemption
) -> None:
    Redemption.objects.update(is_final=is_final, due_at=release_at(redemption))
    deliver("order.opened", order())
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        drain()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.spend_number) == (State.SETTLED, 1)
    assert not redemption.transitions.filter(to_state=State.RELEASING).exists()


def test_one_redemption_in_two_orders_is_an_alarm(
    deliver: Deliver, books: Books, redemption: Redemption
) -> None:
    """The first code was used in its last second, and renewed before the event of that order arrived."""
    IssuedCode.objects.create(
        program=redemption.program, redemption=redemption, code="LOYRENEWED", issued_at=timezone.now()
    )
    deliver("order.opened", order())
    renewed = {"coupon_code": "LOYRENEWED"}
    deliver("order.opened", order(id="order-2", discounts=[renewed], items=[item(discounts=[renewed])]))
    drain()
    alarm = Alarm.objects.get(kind=AlarmKind.TWICE)
    assert alarm.subject == "order-2"
    assert alarm.detail == f"one redemption is used in order {ORDER} and in order order-2"


def test_one_redemption_twice_in_one_order_is_an_alarm(
    deliver: Deliver, books: Books, redemption: Redemption
) -> None:
    """The app added the renewed code to the first one, where it should have taken its place."""
    IssuedCode.objects.create(
        program=redemption.program, redemption=redemption, code="LOYRENEWED", issued_at=timezone.now()
    )
    both = [{"coupon_code": redemption.code}, {"coupon_code": "LOYRENEWED"}]
    deliver("order.opened", order(discounts=both, items=[item(discounts=both)]))
    drain()
    alarm = Alarm.objects.get(kind=AlarmKind.TWICE)
    assert alarm.subject == ORDER
    assert alarm.detail == f"one redemption is used twice in order {ORDER}"


def test_a_code_whose_event_failed_before_it_was_read_is_not_given_back(
    deliver: Deliver, books: Books, redemption: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(event: Event) -> None:
        raise OperationalError("database is locked")

    Redemption.objects.update(due_at=release_at(redemption))
    deliver("order.opened", order())
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        with monkeypatch.context() as patch:
            patch.setitem(processing.NEWSTORE_HANDLERS, "order.opened", locked)
            assert run_one()
        assert the("order.opened").attempts == 1
        drain()
        redemption.refresh_from_db()
        assert redemption.state == State.REVEALED
    with time_machine.travel(timezone.now() + timedelta(minutes=43)):
        drain()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.spend_number) == (State.SETTLED, 1)


def test_another_orders_failing_event_does_not_delay_giving_points_back(
    deliver: Deliver, books: Books, redemption: Redemption
) -> None:
    Redemption.objects.update(due_at=release_at(redemption))
    deliver("order.opened", order(id="other", discounts=[], items=[item(discounts=[])]))
    Event.objects.update(attempts=3, due_at=timezone.now() + timedelta(hours=5))
    with time_machine.travel(timezone.now() + timedelta(minutes=41)):
        drain()
    redemption.refresh_from_db()
    assert redemption.state == State.RELEASED


def test_the_repetition_of_a_dead_delivery_that_was_dealt_with_is_no_alarm(
    client: Client, program: Program
) -> None:
    for _ in range(2):
        post(client, b"not JSON")
        Event.objects.update(state=EventState.IGNORED)
        close_dead()
    post(client, b"not JSON")
    assert not Alarm.objects.filter(closed_at=None).exists()
