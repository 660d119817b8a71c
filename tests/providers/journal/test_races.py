"""Many real threads at the same time: one of them sends, and no two take the same thing."""

from contextlib import suppress

import pytest
from django.utils import timezone

from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, Unavailable
from providers.journal import batches, queue
from providers.journal.booking import book_part, book_release
from providers.journal.delivery import deliver
from providers.journal.models import BatchLine, Write, WriteKind, WriteState
from providers.journal.spending import Found, Made, find, spend
from providers.journal.states import Journal
from providers.sales import Finding, Spend
from tests.providers.journal.stamps import INTENT, SETTLED_AFTER, UNKNOWN, Stamps, StampWay, intent
from tests.races.at_once import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
TILLS = 8
ACME = Journal(vendor="stamps", program="acme")


def spends(way: StampWay, key: str) -> Spend | ProviderError:
    try:
        return spend(way, intent(key))
    except ProviderError as error:
        return error


def test_the_same_key_sent_at_once_is_sent_once() -> None:
    way = StampWay(Stamps())
    answers = at_once([lambda: spends(way, "key-1")] * TILLS)
    assert way.stamps.calls == 1
    assert all(isinstance(each, Spend | OutcomeUnknown) for each in answers)
    assert len({each.provider_ref for each in answers if isinstance(each, Spend)}) == 1


def test_one_thing_goes_to_one_spend() -> None:
    way = StampWay(Stamps(), exclusive_key="coupon-7")
    answers = at_once([lambda number=number: spends(way, f"key-{number}") for number in range(TILLS)])  # type: ignore[misc]
    assert sum(isinstance(each, Spend) for each in answers) == 1
    refused = [each for each in answers if isinstance(each, Rejected)]
    assert {each.reason for each in refused} == {RejectReason.ALREADY_USED}
    assert len(refused) == TILLS - 1


def test_two_lost_spends_never_find_the_same_thing() -> None:
    stamps = Stamps(trouble=UNKNOWN)
    way = StampWay(stamps)
    for key in ("key-1", "key-2"):
        with suppress(OutcomeUnknown):
            spend(way, intent(key))
    stamps.trouble = None
    stamps.spent.append("stamp-1")
    findings = at_once([lambda key=key: find(way, intent(key)) for key in ("key-1", "key-2")] * 4)  # type: ignore[misc]
    assert Write.objects.filter(vendor_ref="stamp-1").count() == 1
    assert {each.spend.key for each in findings if each.spend} <= {"key-1", "key-2"}


def test_simultaneous_find_and_spend_agree() -> None:
    for number in range(10):
        way, wanted = StampWay(Stamps()), intent(f"key-{number}")
        answer, _finding = at_once([lambda: spends(way, wanted.key), lambda: find(way, wanted)])  # noqa: B023
        happened = find(way, wanted).finding is Finding.HAPPENED
        assert happened == bool(way.stamps.spent)
        assert isinstance(answer, Spend) == happened


def test_one_of_many_workers_sends_a_write() -> None:
    stamps = Stamps()
    ACME.open(WriteKind.SALE, "order-1")

    def send() -> None:
        write = ACME.writes(WriteKind.SALE).get()
        with suppress(Unavailable):
            deliver(write, lambda: Made(ref=stamps.spend()), lambda: Found(is_complete=False), SETTLED_AFTER)

    at_once([send] * TILLS)
    assert stamps.calls == 1


def test_a_lost_write_is_sent_again_by_one_of_many() -> None:
    stamps, long_ago = Stamps(), timezone.now() - 2 * SETTLED_AFTER
    ACME.open(WriteKind.SALE, "order-1", state=WriteState.SENT, sent_at=long_ago)

    def send() -> None:
        write = ACME.writes(WriteKind.SALE).get()
        with suppress(Unavailable):
            deliver(write, lambda: Made(ref=stamps.spend()), Found, SETTLED_AFTER)

    at_once([send] * TILLS)
    assert stamps.calls == 1


def test_a_part_and_a_release_at_once_are_together_the_spend() -> None:
    for number in range(10):
        spend(StampWay(Stamps()), intent(f"key-{number}"))
        row, given = ACME.writes(WriteKind.SPEND).last(), list[int | None]()
        assert row

        def give(write: Write | None) -> None:
            if write:
                with suppress(Unavailable):
                    deliver(write, lambda: given.append(write.points), None, SETTLED_AFTER)  # noqa: B023

        at_once([lambda: give(book_part(row, "a", 4)), lambda: give(book_release(row, 10))])  # noqa: B023
        give(book_release(row, 10))
        assert sum(points or 0 for points in given) == 10


def test_parts_planned_at_once_are_never_more_than_the_spend() -> None:
    spend(StampWay(Stamps()), INTENT)
    row = Write.objects.get()
    at_once([lambda key=key: book_part(row, key, 3) for key in "abcdefgh"])  # type: ignore[misc]
    assert sum(row.children.values_list("points", flat=True)) == 10


def test_one_of_many_workers_takes_a_waiting_write() -> None:
    write, _is_new = ACME.open(WriteKind.SALE, "order-1", due_at=Write(key="x").noted_at)
    taken = at_once([lambda: queue.take(Write.objects.get(pk=write.pk))] * TILLS)
    assert Write.objects.get().state == WriteState.SENT
    assert sum(taken) == Write.objects.get().attempts


def test_files_that_are_written_at_once_share_no_line() -> None:
    now = timezone.now()
    writes = [ACME.open(WriteKind.SALE, f"sale-{number}", due_at=now)[0] for number in range(20)]

    def collect() -> int:
        batch = batches.collect(ACME, writes, now.date(), str, lambda rows: str(len(rows)), now)
        return int(batch.content) if batch else 0

    assert sum(at_once([collect] * TILLS)) == BatchLine.objects.count() == 20
    assert BatchLine.objects.values("write").distinct().count() == 20
