"""`manage.py reconcile`: each gap of a day with its cause, and its repair."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from loyaltyview.events import reconcile
from loyaltyview.events.errors import Hopeless, NotYet, PayloadError
from loyaltyview.events.missed_orders import Gap
from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState, Order
from loyaltyview.events.reconcile import find_gaps, reconcile_yesterday
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from providers.errors import SettingsError, Unavailable
from providers.sales import Finding, SpendFinding

from .conftest import Deliver, Work
from .deliveries import ORDER, completed, order, returned
from .vendor import Books, MemoryVendor

DAY = date(2026, 3, 4)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(datetime(2026, 3, 4, 15, 20, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture
def sale(clock: Any, deliver: Deliver, work: Work, books: Books, redemption: Redemption) -> Redemption:
    """A sale that went well; a day has passed."""
    Redemption.objects.update(requested_at=datetime(2026, 3, 4, 15, 10, tzinfo=UTC))
    deliver("order.opened", order())
    deliver("order.completed", completed())
    work()
    clock.shift(86_400)
    return redemption


def causes(program: Program) -> list[str]:
    return [gap.cause for gap in find_gaps(program, DAY)]


def repair(capsys: Any) -> str:
    call_command("reconcile", "--day", "2026-03-04", "--program", "acme", "--repair")
    return str(capsys.readouterr().out)


def vendor_says(monkeypatch: pytest.MonkeyPatch, finding: Finding) -> None:
    monkeypatch.setattr(MemoryVendor, "find_spend", lambda *_: SpendFinding(finding=finding))


def test_a_day_without_gaps_is_reported_as_such(program: Program, sale: Redemption, capsys: Any) -> None:
    assert repair(capsys) == "acme, 2026-03-04: 0 gaps\n"


def test_a_dead_event_is_handled_again(program: Program, sale: Redemption, work: Work, capsys: Any) -> None:
    Order.objects.update(earning="waiting", earned_points=None)
    Event.objects.filter(name="order.completed").update(state=EventState.DEAD, last_error="Rejected: no")
    assert causes(program) == ["event is dead", "completed, and not earned"]
    out = repair(capsys)
    assert "order.completed: Rejected: no" in out
    work()
    assert causes(program) == []
    assert Order.objects.get().earned_points == 90


def test_an_order_that_did_not_earn_is_handled_again(
    program: Program, sale: Redemption, work: Work, books: Books, capsys: Any
) -> None:
    Order.objects.update(earning="started")
    assert causes(program) == ["completed, and not earned"]
    repair(capsys)
    work()
    assert causes(program) == []
    assert books.points("mia") == 90


def test_a_code_whose_redemption_was_given_back_is_used_again(
    program: Program, sale: Redemption, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Redemption.objects.update(state=State.REVEALED, order_id="", due_at=datetime(2026, 3, 9, tzinfo=UTC))
    assert causes(program) == ["code used, redemption not"]
    assert "done" in repair(capsys)
    sale.refresh_from_db()
    assert (sale.state, sale.order_id) == (State.SETTLED, ORDER)


def test_a_use_that_was_not_confirmed_to_the_provider_is_confirmed(
    program: Program, sale: Redemption, books: Books, capsys: Any
) -> None:
    Redemption.objects.update(state=State.USED)
    assert causes(program) == ["used, and the provider was not told"]
    books.fail["confirm"] = [Unavailable("down")]
    with pytest.raises(CommandError, match="1 gaps are left"):
        repair(capsys)
    assert "failed: down" in capsys.readouterr().out
    repair(capsys)
    assert causes(program) == []


def test_a_code_in_two_orders_is_for_a_person(
    program: Program, sale: Redemption, deliver: Deliver, work: Work, clock: Any, capsys: Any
) -> None:
    clock.shift(-86_400)
    deliver("order.opened", order(id="order-2", items=[]))
    work()
    clock.shift(60)
    assert causes(program) == ["code used in two orders"]
    with pytest.raises(CommandError):
        repair(capsys)
    assert "a person must look" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"state": State.REVEALED}, "revealed long ago, no order, not given back"),
        ({"state": State.UNCERTAIN}, "not finished"),
        ({"state": State.RELEASING}, "not finished"),
    ],
)
def test_a_redemption_that_the_worker_forgot_goes_on(
    changes: dict[str, Any], cause: str, program: Program, books: Books, redemption: Redemption, clock: Any,
    capsys: Any,
) -> None:  # fmt: skip
    Redemption.objects.update(due_at=None, requested_at=datetime(2026, 3, 4, tzinfo=UTC), **changes)
    clock.shift(86_400)
    assert causes(program) == [cause]
    repair(capsys)
    redemption.refresh_from_db()
    assert redemption.due_at is not None


def test_a_stuck_redemption_is_listed(program: Program, sale: Redemption) -> None:
    Redemption.objects.update(state=State.STUCK)
    assert causes(program) == ["needs a person"]


def test_a_spend_that_the_provider_does_not_have_is_for_a_person(
    program: Program, sale: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor_says(monkeypatch, Finding.DID_NOT)
    (gap,) = find_gaps(program, DAY)
    assert (gap.cause, gap.repair) == ("spent here, absent at the provider", None)


def test_a_spend_that_should_be_given_back_is_given_back_again(
    program: Program, sale: Redemption, books: Books, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    Redemption.objects.update(state=State.RELEASED, is_order_cancelled=True)
    vendor_says(monkeypatch, Finding.HAPPENED)
    assert causes(program) == ["given back here, stands at the provider"]
    repair(capsys)
    assert set(books.spends.values()) == {"released"}


def test_a_provider_that_cannot_be_asked_is_reported(
    program: Program, sale: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> Any:
        raise Unavailable("down")

    monkeypatch.setattr(MemoryVendor, "find_spend", down)
    assert causes(program) == ["the provider cannot be asked"]


def test_a_completion_that_was_lost_is_read_from_newstore(
    program: Program, sale: Redemption, books: Books, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    Order.objects.update(earning="waiting", completed_seen_at=None, earned_points=None)
    Event.objects.filter(name="order.completed").delete()

    class Closed:
        status, is_off, items = "closed", False, ()

    monkeypatch.setattr(reconcile, "read_order", lambda *_: Closed)
    assert causes(program) == ["order.completed was lost"]
    repair(capsys)
    assert Order.objects.get().earned_points == 90


def test_a_repaired_completion_takes_back_what_was_returned_before_it(
    program: Program, clock: Any, deliver: Deliver, work: Work, books: Books,
    monkeypatch: pytest.MonkeyPatch, capsys: Any,
) -> None:  # fmt: skip
    """The program did not report the channel when the goods came back, and does now."""
    Program.objects.update(report_channels=["web"])
    deliver("order.opened", order())
    deliver("return.processed", returned(90.0))
    work()
    Program.objects.update(report_channels=["store"])
    clock.shift(86_400)

    class Closed:
        status, is_off, items = "closed", False, ()

    monkeypatch.setattr(reconcile, "read_order", lambda *_: Closed)
    repair(capsys)
    work()
    assert Order.objects.get().earned_points == 90
    assert books.points("mia") == 0


def test_an_order_that_is_still_open_is_no_gap(
    program: Program, sale: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    Order.objects.update(earning="waiting", completed_seen_at=None)

    class Open:
        status, is_off, items = "open", False, ()

    monkeypatch.setattr(reconcile, "read_order", lambda *_: Open)
    assert causes(program) == []


def test_a_newstore_that_cannot_be_asked_is_reported(
    program: Program, sale: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any) -> Any:
        raise NewStoreUnavailable("503")

    Order.objects.update(earning="waiting", completed_seen_at=None)
    monkeypatch.setattr(reconcile, "read_order", down)
    assert causes(program) == ["NewStore cannot be asked"]


def test_an_order_whose_events_still_wait_is_no_gap(program: Program, sale: Redemption) -> None:
    Order.objects.update(earning="waiting")
    Event.objects.filter(name="order.completed").update(state=EventState.WAITING)
    assert causes(program) == []


def test_yesterdays_gaps_are_an_alarm_until_they_are_repaired(
    program: Program, sale: Redemption, capsys: Any
) -> None:
    Redemption.objects.update(state=State.USED)
    reconcile_yesterday()
    alarm = Alarm.objects.get(closed_at=None)
    assert (alarm.kind, alarm.subject) == (AlarmKind.GAP, "2026-03-04")
    assert "reconcile --day 2026-03-04 --program acme" in alarm.detail
    repair(capsys)
    assert not Alarm.objects.filter(closed_at=None).exists()


def test_a_program_that_cannot_be_reconciled_raises_an_alarm_and_the_others_are_reconciled(
    program: Program, sale: Redemption, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Program.objects.create(slug="a-broken", name="Broken", currency="USD", country="US")

    def find(of: Program, day: date) -> list[Gap]:
        if of == broken:
            raise SettingsError("rate_per_s", "must be from 1 to 100")
        return find_gaps(of, day)

    Redemption.objects.update(state=State.USED)
    monkeypatch.setattr(reconcile, "find_gaps", find)
    reconcile_yesterday()
    alarms = Alarm.objects.filter(closed_at=None).order_by("program__slug")
    assert [(alarm.program.slug, alarm.detail) for alarm in alarms] == [
        (
            "a-broken",
            "not reconciled (SettingsError): manage.py reconcile --day 2026-03-04 --program a-broken",
        ),
        ("acme", "1 gaps: manage.py reconcile --day 2026-03-04 --program acme"),
    ]


@pytest.mark.parametrize(
    "error", [PayloadError("items", "missing"), NotYet("no order"), Hopeless("no order"), Unavailable("down")]
)
def test_a_repair_that_fails_leaves_its_gap_and_the_alarm_and_the_others_are_repaired(
    program: Program, sale: Redemption, capsys: Any, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    Redemption.objects.update(state=State.USED)
    Order.objects.update(earning="waiting")
    monkeypatch.setattr(reconcile, "settle_order", fail)
    reconcile_yesterday()
    with pytest.raises(CommandError, match="1 gaps are left"):
        repair(capsys)
    out = capsys.readouterr().out
    assert "failed: " in out
    assert "completed, and not earned" in out
    assert Alarm.objects.filter(closed_at=None).count() == 1


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SettingsError("rate_per_s", "must be from 1 to 100"), "SettingsError: rate_per_s"),
        (ValueError("mia@example.test"), "ValueError)"),
    ],
)
def test_a_program_that_cannot_be_reconciled_is_reported_without_personal_data(
    program: Program, capsys: Any, monkeypatch: pytest.MonkeyPatch, error: Exception, text: str
) -> None:
    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr("loyaltyview.events.management.commands.reconcile.find_gaps", fail)
    with pytest.raises(CommandError, match="1 gaps are left"):
        call_command("reconcile", "--day", "2026-03-04")
    out = str(capsys.readouterr().out)
    assert f"not reconciled ({text}" in out
    assert "mia@" not in out


@pytest.mark.parametrize(
    "arguments", [["--day", "today"], ["--day", "2026-03-04", "--program", "nobody"], []]
)
def test_the_command_wants_a_day_and_a_program(arguments: list[str], program: Program) -> None:
    with pytest.raises(CommandError):
        call_command("reconcile", *arguments)


def test_another_days_redemptions_are_not_compared(program: Program, sale: Redemption) -> None:
    Redemption.objects.update(state=State.STUCK, requested_at=datetime(2026, 3, 3, tzinfo=UTC))
    assert causes(program) == []
    assert [gap.cause for gap in find_gaps(program, DAY - timedelta(days=1))] == ["needs a person"]
