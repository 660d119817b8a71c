"""Writes that the vendor gets exactly once: alone, in a queue, and never above the total."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal import queue
from providers.journal.booking import book_part, book_refund, book_release, parts_of, swap
from providers.journal.delivery import deliver, is_under_way
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import Found, Made, spend
from providers.journal.states import Journal, advance
from tests.providers.journal.stamps import INTENT, SETTLED_AFTER, UNKNOWN, Stamps, StampWay

pytestmark = pytest.mark.django_db
ACME = Journal(vendor="stamps", program="acme")
LATER = SETTLED_AFTER + timedelta(seconds=1)


@pytest.fixture
def stamps() -> Stamps:
    return Stamps()


@pytest.fixture
def write() -> Write:
    return ACME.open(WriteKind.SALE, "order-1", member_ref="mia")[0]


@pytest.fixture
def spent(stamps: Stamps) -> Write:
    spend(StampWay(Stamps()), INTENT)
    return Write.objects.get(kind=WriteKind.SPEND)


def sender(stamps: Stamps) -> Callable[[], Made]:
    return lambda: Made(ref=stamps.spend())


def looker(stamps: Stamps) -> Callable[[], Found]:
    return lambda: Found(made=tuple(Made(ref=each) for each in stamps.read()), is_complete=stamps.sees_all)


def send(write: Write, stamps: Stamps) -> None:
    deliver(write, sender(stamps), looker(stamps), SETTLED_AFTER)


def lose_answer(write: Write, stamps: Stamps, *, happened: bool) -> None:
    stamps.trouble, stamps.is_late = UNKNOWN, happened
    with pytest.raises(OutcomeUnknown):
        send(write, stamps)
    stamps.trouble = None


def test_what_was_noted_of_a_write_while_it_was_sent_stays(write: Write, stamps: Stamps) -> None:
    def send_and_note() -> Made:
        Write.objects.filter(pk=write.pk).update(detail={"owed": 0})
        return Made(ref="1", detail={"coupon": "C"})

    Write.objects.filter(pk=write.pk).update(detail={"owed": 30})
    write.refresh_from_db()
    deliver(write, send_and_note, None, SETTLED_AFTER)
    assert write.detail == {"owed": 0, "coupon": "C"}
    write.refresh_from_db()
    assert write.detail == {"owed": 0, "coupon": "C"}


def test_a_write_is_delivered_once(write: Write, stamps: Stamps) -> None:
    for _ in range(3):
        send(write, stamps)
    assert (write.state, write.vendor_ref, stamps.calls) == (WriteState.DONE, "stamp-1", 1)


def test_a_lost_answer_is_found_and_nothing_is_sent_again(write: Write, stamps: Stamps) -> None:
    lose_answer(write, stamps, happened=True)
    send(write, stamps)
    assert (write.state, write.vendor_ref, stamps.calls) == (WriteState.DONE, "stamp-1", 1)


def test_a_lost_request_is_sent_again_only_when_it_can_no_longer_arrive(write: Write, stamps: Stamps) -> None:
    lose_answer(write, stamps, happened=False)
    assert is_under_way(write, SETTLED_AFTER)
    with pytest.raises(Unavailable):
        send(write, stamps)
    assert stamps.calls == 1
    with time_machine.travel(timezone.now() + LATER):
        assert not is_under_way(write, SETTLED_AFTER)
        send(write, stamps)
    assert (write.state, stamps.calls) == (WriteState.DONE, 2)


def test_what_another_process_sends_again_while_we_look_is_not_sent_by_both(
    write: Write, stamps: Stamps
) -> None:
    lose_answer(write, stamps, happened=False)
    other = Write.objects.get(pk=write.pk)

    def look_slowly() -> Found:
        found = looker(stamps)()
        lose_answer(other, stamps, happened=True)
        return found

    with time_machine.travel(timezone.now() + LATER):
        with pytest.raises(Unavailable):
            deliver(write, sender(stamps), look_slowly, SETTLED_AFTER)
        assert stamps.calls == 2
        send(write, stamps)
    assert (write.state, stamps.calls) == (WriteState.DONE, 2)


def test_an_attempt_that_did_not_arrive_says_nothing_of_one_that_began_meanwhile(
    write: Write, stamps: Stamps
) -> None:
    def send_late() -> Made:
        stamps.trouble, stamps.is_late = UNKNOWN, True
        other = Write.objects.get(pk=write.pk)
        with pytest.raises(OutcomeUnknown):
            deliver(other, sender(stamps), None, SETTLED_AFTER)
        raise Unavailable("down")

    with pytest.raises(Unavailable):
        deliver(write, send_late, None, SETTLED_AFTER)
    write.refresh_from_db()
    assert write.state == WriteState.SENT


def test_a_write_is_not_sent_again_after_an_incomplete_look(write: Write, stamps: Stamps) -> None:
    lose_answer(write, stamps, happened=False)
    stamps.sees_all = False
    with time_machine.travel(timezone.now() + timedelta(days=1)), pytest.raises(Unavailable):
        send(write, stamps)
    assert stamps.calls == 1


@pytest.mark.parametrize("error", [Unavailable("down"), Rejected(RejectReason.NOT_ALLOWED)])
def test_a_write_that_certainly_did_not_arrive_is_sent_again_immediately(
    write: Write, stamps: Stamps, error: Exception
) -> None:
    stamps.trouble = error
    with pytest.raises(type(error)):
        send(write, stamps)
    assert write.state == WriteState.PLANNED
    stamps.trouble = None
    send(write, stamps)
    assert write.state == WriteState.DONE


def test_a_write_with_a_key_may_be_sent_again_at_any_time(write: Write, stamps: Stamps) -> None:
    lose_answer(write, stamps, happened=True)
    stamps.trouble = Unavailable("down")
    stamps.is_late = False
    with pytest.raises(Unavailable):
        deliver(write, sender(stamps), None, SETTLED_AFTER)
    # That attempt did not arrive; the first one may have.
    assert write.state == WriteState.SENT
    stamps.trouble = None
    deliver(write, sender(stamps), None, SETTLED_AFTER)
    assert write.state == WriteState.DONE


def test_parts_and_the_rest_are_together_what_the_spend_took(spent: Write) -> None:
    assert [part.points if (part := book_part(spent, key, 4)) else None for key in "aab"] == [4, 4, 4]
    last = book_part(spent, "c", 4)
    assert last is not None
    assert last.points == 2
    assert book_part(spent, "d", 1) is None
    assert parts_of(spent) == 10
    assert book_release(spent, 10).points == 0


def test_the_points_of_a_release_are_fixed_when_it_is_sent(spent: Write) -> None:
    release = book_release(spent, 0)
    assert book_part(spent, "a", 4)
    assert book_release(spent, 10).points == 6
    advance(release, WriteState.PLANNED, WriteState.SENT, sent_at=timezone.now())
    assert book_release(spent, 0).points == 6
    assert book_part(spent, "b", 1) is None


def test_a_part_that_is_planned_just_before_the_release_is_sent_is_not_in_it(spent: Write) -> None:
    given: list[int | None] = []

    def give(release: Write) -> None:
        deliver(release, lambda: given.append(release.points), None, SETTLED_AFTER)

    release = book_release(spent, 10)
    part = book_part(spent, "a", 4)
    assert part
    with pytest.raises(Unavailable):
        give(release)
    give(book_release(spent, 10))
    give(part)
    assert given == [6, 4]


def test_the_key_of_a_part_may_be_long(spent: Write) -> None:
    parts = [book_part(spent, f"{'r' * 250}-{number}", 1) for number in (1, 1, 2)]
    assert len({part.pk for part in parts if part}) == 2


def test_a_spend_does_not_get_what_one_without_an_outcome_has(spent: Write) -> None:
    fields = {"member_ref": "mia", "waits_for_order": True, "exclusive_key": "won-2"}
    ACME.add(WriteKind.SPEND, "key-2", state=WriteState.SENT, sent_at=timezone.now(), **fields)
    assert not swap(spent, ["won-2"])
    assert spent.vendor_ref == "stamp-1"
    swap(spent, ["won-2", "won-3"])
    assert spent.vendor_ref == "won-3"


def test_refunds_are_together_what_the_order_was(write: Write) -> None:
    def book(key: str, amount: int, kind: WriteKind = WriteKind.RETURN) -> Decimal | None:
        row = book_refund(ACME, kind, key, "order-1", amount=Decimal(amount), total=Decimal(50))
        return row and row.amount

    assert [book("r-1", 30), book("r-1", 30), book("r-2", 30)] == [30, 30, 20]
    assert book("order-1", 50, WriteKind.CANCEL) is None


def test_one_worker_takes_a_waiting_write_and_retries_after_a_pause() -> None:
    now = timezone.now()
    write, _is_new = ACME.open(WriteKind.SALE, "order-2", due_at=now)
    [taken] = queue.take_due(ACME, WriteKind.SALE, 50)
    assert queue.take_due(ACME, WriteKind.SALE, 50) == []
    assert not queue.take(write)
    queue.postpone(taken, "Unavailable")
    with time_machine.travel(now + timedelta(minutes=2)):
        [again] = queue.take_due(ACME, WriteKind.SALE, 50)
        queue.done(again)
    assert (again.state, again.attempts, again.due_at) == (WriteState.DONE, 2, None)


def test_only_a_waiting_write_that_was_never_tried_can_be_dropped() -> None:
    keys = ("order-2", "order-3")
    tried, new = (ACME.open(WriteKind.SALE, key, due_at=timezone.now())[0] for key in keys)
    assert queue.take(tried)
    assert [queue.drop(tried), queue.drop(new)] == [False, True]
    assert (new.state, new.due_at, queue.take(new)) == (WriteState.VOID, None, False)
