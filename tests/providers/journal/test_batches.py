"""Files of writes: each write is in one file exactly, whatever crashes."""

from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from providers.errors import Rejected, Unavailable
from providers.journal import batches, queue
from providers.journal.models import Batch, BatchLine, BatchState, Write, WriteKind, WriteState
from providers.journal.retention import erase_member, forget_old
from providers.journal.states import Journal

pytestmark = pytest.mark.django_db
ACME = Journal(vendor="stamps", program="acme")
DAY = date(2026, 3, 1)


def sales(*keys: str) -> list[Write]:
    now = timezone.now()
    return [ACME.open(WriteKind.SALE, key, due_at=now, member_ref="mia")[0] for key in keys]


def render(writes: Sequence[Write]) -> str:
    return "".join(f"{write.key}\n" for write in writes)


def collect(writes: Sequence[Write]) -> Batch | None:
    return batches.collect(ACME, writes, DAY, "{}.csv".format, render, timezone.now() + timedelta(hours=1))


def made(*keys: str) -> Batch:
    batch = collect(sales(*keys))
    assert batch
    return batch


def delivered(*keys: str) -> Batch:
    batch = made(*keys)
    batches.move(batch, BatchState.ARRIVING)
    batches.move(batch, BatchState.DELIVERED, delivered_at=timezone.now(), content="")
    return batch


def state_of(key: str) -> str:
    return ACME.writes(key=key).get().state


def test_a_file_has_the_lines_and_the_content_of_its_writes() -> None:
    batch = made("a", "b")
    assert (batch.name, batch.content) == ("1.csv", "a\nb\n")
    assert batch.sha256 == sha256(b"a\nb\n").hexdigest()
    assert [(line.position, line.write.key) for line in batch.lines.order_by("position")] == [
        (1, "a"),
        (2, "b"),
    ]
    assert {state_of("a"), state_of("b")} == {WriteState.SENT}


def test_a_write_is_in_one_file() -> None:
    writes = sales("a")
    assert collect(writes)
    assert collect(writes) is None
    assert made("b").number == 2


def test_the_database_refuses_a_write_in_a_second_file() -> None:
    first, second = made("a"), made("b")
    line = first.lines.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        BatchLine.objects.create(batch=second, write=line.write, position=2)


def test_a_file_that_cannot_be_written_takes_no_line() -> None:
    writes = sales("a")
    with pytest.raises(ZeroDivisionError):
        batches.collect(ACME, writes, DAY, str, lambda _writes: str(1 // 0), timezone.now())
    assert state_of("a") == WriteState.PLANNED
    assert not Batch.objects.exists()


def test_a_file_is_worked_on_by_one_process() -> None:
    batch = made("a")
    other = Batch.objects.get()
    assert batches.take(batch)
    assert not batches.take(other)


def test_a_file_that_failed_waits_longer_each_time() -> None:
    batch = made("a")
    batches.take(batch)
    batches.postpone(batch, "the server is down")
    first = Batch.objects.get()
    batches.take(batch := Batch.objects.get())
    batches.postpone(batch, "the server is down")
    assert Batch.objects.get().due_at > first.due_at
    assert Batch.objects.get().last_error == "the server is down"


def test_a_step_that_is_not_on_the_map_is_refused() -> None:
    batch = made("a")
    with pytest.raises(ValueError, match="no step"):
        batches.move(batch, BatchState.DELIVERED)
    stale = Batch.objects.get()
    batches.move(batch, BatchState.ARRIVING)
    with pytest.raises(Unavailable, match="another process"):
        batches.move(stale, BatchState.ARRIVING)


def test_a_refused_line_can_be_sent_again_in_the_next_file_only() -> None:
    batch = delivered("a", "b")
    line = batch.lines.get(position=1)
    assert batches.refuse(line, "unknown customer")
    assert not batches.refuse(line, "unknown customer")
    write = ACME.writes(key="a").get()
    assert (write.state, write.due_at, write.last_error) == (WriteState.PLANNED, None, "unknown customer")
    assert collect([write]) is None, "it waits for a person"
    assert [each.pk for each in batches.refused_lines(ACME)] == [line.pk]
    assert batches.send_again(BatchLine.objects.all()) == 1
    assert not batches.refused_lines(ACME)
    again = collect([write])
    assert again is not None
    assert again.content == "a\n"


def test_a_refused_line_can_be_left_out() -> None:
    batch = delivered("a")
    batches.refuse(batch.lines.get(), "unknown customer")
    assert batches.leave_out(BatchLine.objects.all()) == 1
    assert state_of("a") == WriteState.VOID
    assert not batches.refused_lines(ACME)


def test_a_file_is_closed_when_every_line_is_decided_and_forgotten_later() -> None:
    batch = delivered("a", "b")
    queue.done(ACME.writes(key="a").get())
    batches.close_decided(ACME)
    assert Batch.objects.get().state == BatchState.DELIVERED
    batches.refuse(batch.lines.get(position=2), "unknown customer")
    batches.close_decided(ACME)
    assert Batch.objects.get().state == BatchState.CLOSED
    forget_old(timezone.now() + timedelta(days=1))
    assert not Batch.objects.exists()
    assert not Write.objects.exists()


def test_a_line_of_which_nothing_is_told_can_be_noted_as_refused(admin_client: Client) -> None:
    batch = delivered("a", "b")
    queue.done(ACME.writes(key="b").get())
    lines = "/admin/journal/batchline/"
    chosen = [str(line.pk) for line in batch.lines.all()]
    page = admin_client.post(lines, {"action": "note_refused", "_selected_action": chosen}, follow=True)
    assert "1 line is noted as refused." in page.content.decode()
    assert (state_of("a"), state_of("b")) == (WriteState.PLANNED, WriteState.DONE)
    admin_client.post(lines, {"action": "send_again", "_selected_action": chosen})
    assert collect(list(Write.objects.all())) is not None


def test_administrators_see_files_and_decide_about_refused_lines(admin_client: Client) -> None:
    batch = delivered("a")
    batches.refuse(batch.lines.get(), "unknown customer")
    page = admin_client.get("/admin/journal/batch/").content.decode()
    assert "1.csv" in page
    lines = "/admin/journal/batchline/"
    assert "unknown customer" in admin_client.get(lines).content.decode()
    answer = {"action": "send_again", "_selected_action": [str(batch.lines.get().pk)]}
    admin_client.post(lines, answer)
    assert ACME.writes(key="a").get().due_at is not None
    assert admin_client.get(f"/admin/journal/batch/{batch.pk}/change/").status_code == 200


def test_a_refused_line_of_an_erased_member_is_never_sent_again() -> None:
    batch = delivered("a")
    line = batch.lines.get()
    batches.refuse(line, "mia@example.test is no customer")
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 1
    line.refresh_from_db()
    assert (state_of("a"), line.refusal, line.write.last_error) == (WriteState.VOID, "refused", "refused")
    assert batches.send_again([line]) == 0


def test_a_member_in_a_file_that_is_not_delivered_is_not_erased_yet() -> None:
    """Its lines can be done in another way before, where the program sends purchases at once again."""
    batch = made("a")
    queue.done(batch.lines.get().write)
    with pytest.raises(Rejected, match="file"):
        erase_member("stamps", "acme", ["mia"], "ERASED-1")
    batches.move(batch, BatchState.ARRIVING)
    batches.move(batch, BatchState.DELIVERED, delivered_at=timezone.now(), content="")
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 1
