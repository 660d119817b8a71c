"""Daily files: each purchase, return and cancellation is one line of one file, and is looked for after it."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import time_machine

from loyaltyview.sandbox.vendors.antavo.state import Customer
from providers.antavo import feed_outcomes, transactions
from providers.antavo.provider import AntavoProvider
from providers.journal.batches import send_again
from providers.journal.models import Batch, BatchLine, BatchState, Write, WriteState
from tests.providers.antavo.build import goods, order, points_intent
from tests.providers.antavo.conftest import MIA, Connect, Served
from tests.providers.antavo.feed_setup import LINES, SOLD_AT, clock, files, folder, lines_of, provider, state  # noqa: F401

# ruff: noqa: F811


def test_purchases_wait_for_the_daily_file(
    provider: AntavoProvider, vendor: Served, folder: Path, clock: time_machine.Traveller
) -> None:
    vendor.imports.folder = None
    assert provider.record_order(order("order-1", placed_at=SOLD_AT)).points is None
    provider.record_order(order("order-2", "20.50"))
    provider.maintain()
    assert not folder.exists()
    clock.shift(timedelta(hours=15))  # the hour is 3
    provider.maintain()
    day = datetime.now(UTC).strftime("%Y%m%d")
    name = f"acme-{day}-1.csv"
    assert files(folder) == [name, f"{name}.sha256"]
    first, second = lines_of(folder / name)
    assert [first[column] for column in LINES] == [
        MIA, "checkout", "", "order-1", "80", "", "USD", "boston-1",
    ]  # fmt: skip
    assert first["effective_timestamp"] == str(int(SOLD_AT.timestamp()))
    assert json.loads(first["items"]) == [
        {"product_id": "SHIRT-01", "quantity": 2, "price": 40, "subtotal": 80}
    ]
    assert (second["transaction_id"], second["total"]) == ("order-2", "20.5")
    digest = sha256((folder / name).read_bytes()).hexdigest()
    assert (folder / f"{name}.sha256").read_text() == f"{digest}  {name}\n"
    assert vendor.asked == []


def test_a_line_is_done_when_its_transaction_is_seen(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller
) -> None:
    provider.record_order(order())
    provider.run_feed(everything=True)
    assert state("order-1") == WriteState.SENT
    clock.shift(timedelta(minutes=15))
    assert provider.run_feed().done == 1
    assert (state("order-1"), Write.objects.get().points) == (WriteState.DONE, 100)
    assert Batch.objects.get().state == BatchState.CLOSED
    assert provider.record_order(order()).points == 100
    assert provider.get_member(MIA).balance.spendable == 920


def test_what_is_not_imported_stays_unknown_and_is_told(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller
) -> None:
    vendor.imports.folder = None
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    assert provider.run_feed().done == 0
    assert (state("order-1"), provider.alarms()) == (WriteState.SENT, ())
    clock.shift(timedelta(days=3))
    (alarm,) = provider.alarms()
    assert alarm.detail == "1 lines are not at Antavo: was it imported?"


def test_a_return_is_written_when_its_purchase_is_seen(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller
) -> None:
    provider.record_order(order())
    for _ in range(2):
        assert provider.record_return(goods("20.00")).points is None
    provider.record_return(goods("10.00", "return-2"))
    assert provider.run_feed(everything=True).written
    assert state("return-1") == WriteState.PLANNED, "its purchase is not at Antavo yet"
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    provider.run_feed(everything=True)
    assert (state("return-1"), state("return-2")) == (WriteState.SENT, WriteState.PLANNED), "one at a time"
    for _ in range(2):
        clock.shift(timedelta(minutes=15))
        provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    assert [event.action for event in vendor.mia.events] == [
        "point_add", "checkout", "partial_refund", "partial_refund",
    ]  # fmt: skip
    assert provider.record_return(goods("20.00")).points == -25
    assert provider.get_member(MIA).balance.spendable == 820 + 100 - 37  # 30 of 80
    assert vendor.count("/events") == 0


def test_returns_never_exceed_their_order(provider: AntavoProvider, clock: time_machine.Traveller) -> None:
    provider.record_order(order())
    provider.record_return(goods("60.00"))
    provider.record_return(goods("60.00", "return-2"))
    assert provider.record_return(goods("1.00", "return-3")).points == 0
    assert [str(write.amount) for write in Write.objects.filter(kind="return").order_by("pk")] == [
        "60.0000",
        "20.0000",
    ]


def test_an_order_that_is_cancelled_before_its_file_is_in_none(provider: AntavoProvider) -> None:
    provider.record_order(order())
    assert provider.cancel_order(order()).points == 0
    assert not provider.run_feed(everything=True).written


@pytest.mark.parametrize(("mode", "action"), [("off", "refund"), ("manual", "checkout_reject")])
def test_a_cancelled_order_is_a_line_of_a_later_file(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller, mode: str, action: str
) -> None:
    vendor.workspace.accept_mode = mode
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    for _ in range(2):
        assert provider.cancel_order(order()).points is None
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    assert vendor.mia.events[-1].action == action
    assert set(Write.objects.values_list("state", flat=True)) == {WriteState.DONE}
    balance = provider.get_member(MIA).balance
    assert (balance.spendable, balance.pending) == (820, 0)


def test_a_return_of_a_pending_order_makes_it_smaller(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller
) -> None:
    vendor.workspace.accept_mode = "manual"
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    provider.record_return(goods("20.00"))
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    assert vendor.mia.transactions["order-1"].total == 60
    assert state("return-1") == WriteState.DONE


def test_an_order_that_burned_points_is_in_no_file(provider: AntavoProvider, vendor: Served) -> None:
    spend = provider.spend(points_intent(200))
    sale = order(spends=(spend,))
    provider.confirm(spend, sale)
    assert provider.record_order(sale).points == 100
    assert provider.record_return(goods("20.00")).points == -25
    assert provider.cancel_order(sale).points == -75
    assert not provider.run_feed(everything=True).written


def test_a_refused_line_is_listed_alarmed_and_sent_again(
    provider: AntavoProvider, vendor: Served, folder: Path, clock: time_machine.Traveller
) -> None:
    provider.record_order(order("order-1", ref="stranger"))
    provider.record_order(order("order-2"))
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    done = provider.run_feed()
    assert (done.done, done.refused) == (1, 1)
    refused = Write.objects.get(key="order-1")
    assert (refused.state, refused.last_error) == (WriteState.PLANNED, "Customer not found")
    (alarm,) = provider.alarms()
    assert alarm.detail.startswith("1 lines were refused")
    assert [path.suffix for path in (folder / "errors").iterdir()] == [".read"]
    assert not provider.run_feed(everything=True).written, "it waits for a person"
    assert provider.record_order(order("order-1", ref="stranger")).points is None
    assert vendor.count("/events") == 0
    vendor.workspace.customers["stranger"] = Customer(customer_id="stranger")
    send_again(BatchLine.objects.all())
    assert provider.alarms() == ()
    assert provider.run_feed(everything=True).written
    clock.shift(timedelta(minutes=15))
    assert provider.run_feed().done == 1


def test_returns_that_wait_go_by_file_when_the_program_sends_in_real_time_again(
    provider: AntavoProvider, connect: Connect, vendor: Served, clock: time_machine.Traveller
) -> None:
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    provider.record_return(goods("20.00"))
    real_time = connect()
    assert real_time.record_return(goods("20.00")).points is None, "it waits for its file"
    assert real_time.record_order(order("order-2")).points == 100
    for _ in range(2):
        clock.shift(timedelta(days=1))
        real_time.maintain()
    assert (vendor.mia.events[-1].action, state("return-1")) == ("partial_refund", WriteState.DONE)
    assert real_time.record_return(goods("10.00", "return-2")).points == -12


def test_a_return_waits_for_a_file_while_another_of_its_order_is_in_one(
    provider: AntavoProvider, connect: Connect, vendor: Served, clock: time_machine.Traveller
) -> None:
    """Refunds of one order are told apart by counting, so two ways at once would count each other's."""
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    vendor.imports.folder = None
    provider.record_return(goods("20.00"))
    provider.run_feed(everything=True)
    real_time = connect()
    assert real_time.record_return(goods("10.00", "return-2")).points is None
    assert real_time.cancel_order(order()).points is None
    clock.shift(timedelta(minutes=15))
    real_time.maintain()
    assert (state("return-1"), state("return-2")) == (WriteState.SENT, WriteState.PLANNED)
    assert vendor.count("/events") == 0


def test_two_processes_that_prepare_one_return_do_not_disturb_each_other(
    provider: AntavoProvider,
    vendor: Served,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider.record_order(order())
    provider.run_feed(everything=True)
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    provider.record_return(goods("20.00"))
    count = transactions.refunds_of

    def slow(*given: Any) -> tuple[int, int]:
        """Another process writes, delivers and Antavo imports the file, before this one counts."""
        with monkeypatch.context() as patch:
            patch.setattr(transactions, "refunds_of", count)
            assert provider.run_feed(everything=True).delivered
        return count(*given)

    with monkeypatch.context() as patch:
        patch.setattr(transactions, "refunds_of", slow)
        assert not provider.run_feed(everything=True).written
    assert Write.objects.get(key="return-1").shown_before == {"count": 0, "points": 0}
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    assert state("return-1") == WriteState.DONE


def test_without_a_folder_files_wait_and_nothing_is_written_elsewhere(
    provider: AntavoProvider, settings: Any
) -> None:
    provider.record_order(order())
    settings.FEED_FOLDER = ""
    assert provider.run_feed(everything=True).delivered == []
    assert Batch.objects.get().last_error == "Unavailable: this installation has no FEED_FOLDER"


def test_an_order_that_waits_for_days_is_told(
    provider: AntavoProvider, vendor: Served, clock: time_machine.Traveller
) -> None:
    provider.record_order(order())
    clock.shift(timedelta(days=3))
    (alarm,) = provider.alarms()
    assert alarm.detail.startswith("1 orders and returns wait to be sent")


def test_a_line_that_is_listed_as_refused_and_is_at_antavo_is_done(
    provider: AntavoProvider, vendor: Served, folder: Path, clock: time_machine.Traveller
) -> None:
    provider.record_order(order())
    (name,) = provider.run_feed(everything=True).written
    (folder / "errors").mkdir()
    (folder / "errors" / f"{name}.txt").write_text("transaction_id,error\norder-1,used before\n")
    clock.shift(timedelta(minutes=15))
    provider.get_member(MIA)
    run = provider.run_feed()
    assert (run.done, run.refused, state("order-1")) == (1, 0, WriteState.DONE)


def test_a_list_that_cannot_be_read_is_told(
    provider: AntavoProvider, vendor: Served, folder: Path, clock: time_machine.Traveller
) -> None:
    vendor.imports.folder = None
    provider.record_order(order())
    (name,) = provider.run_feed(everything=True).written
    (folder / "errors").mkdir()
    (folder / "errors" / name).write_text("a,b\n1,2\n")
    clock.shift(timedelta(minutes=15))
    provider.run_feed()
    (alarm,) = provider.alarms()
    assert "a column is missing" in alarm.detail


@pytest.mark.parametrize(
    "broken",
    [b"transaction_id,error\norder-1," + b"x" * 200_000, b"transaction_id,error\norder-9,no\n", b"\xff"],
    ids=["too long", "about no line", "not UTF-8"],
)
def test_one_list_that_cannot_be_read_does_not_hold_up_the_others(
    provider: AntavoProvider, vendor: Served, folder: Path, clock: time_machine.Traveller, broken: bytes
) -> None:
    vendor.imports.folder = None
    provider.record_order(order("order-1"))
    (first,) = provider.run_feed(everything=True).written
    provider.record_order(order("order-2"))
    (second,) = provider.run_feed(everything=True).written
    (folder / "errors").mkdir()
    (folder / "errors" / first).write_bytes(broken)
    (folder / "errors" / second).write_text("transaction_id,error\norder-2,no\0such store\n")
    clock.shift(timedelta(minutes=15))
    assert provider.run_feed().refused == 1
    assert Write.objects.get(key="order-2").last_error == "nosuch store"
    assert [alarm.subject for alarm in provider.alarms()] == [f"{first} refusals", f"{second} refused"]


def test_a_list_of_a_fixed_name_is_read_for_each_file_of_that_name(
    connect: Connect, vendor: Served, folder: Path, clock: time_machine.Traveller
) -> None:
    provider = connect(orders="feed", feed_name="purchases.csv")
    for key in ("order-1", "order-2"):
        provider.record_order(order(key))
        provider.run_feed(everything=True)
        (folder / "purchases.csv").unlink()
    (folder / "errors").mkdir()
    (folder / "errors" / "purchases.csv").write_text("transaction_id,error\norder-2,no\n")
    clock.shift(timedelta(minutes=15))
    assert provider.run_feed().refused == 1
    assert (state("order-1"), state("order-2")) == (WriteState.SENT, WriteState.PLANNED)


def test_a_long_list_is_judged_in_several_runs(
    provider: AntavoProvider,
    vendor: Served,
    folder: Path,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed_outcomes, "JUDGED", 2)
    for number in range(3):
        provider.record_order(order(f"order-{number}", ref="stranger"))
    provider.run_feed(everything=True)
    runs = []
    for _ in range(2):
        clock.shift(timedelta(hours=2))
        runs.append(provider.run_feed().refused)
    assert runs == [2, 1]
    assert [path.suffix for path in (folder / "errors").iterdir()] == [".read"]
