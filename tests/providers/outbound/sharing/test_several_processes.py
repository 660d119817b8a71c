"""What one process read of a member is used by the others for seconds, sealed."""

import queue

import pytest
import time_machine
from cryptography.fernet import Fernet
from pytest_django import Settings

from providers.models import MemberChange
from providers.outbound import behind, member_rows, sharing
from providers.outbound.exchange import Answer
from providers.outbound.sharing import TAP_S, changed, fact, keep_fact, prime, shared
from providers.sealing import unseal

from .conftest import KEY, LEO, MIA, Reads, page, tap

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _several_processes(settings: Settings) -> None:
    settings.VENDOR_BUDGETS = "database"


def answers(read: Reads) -> Answer:
    return Answer(status=200, headers={}, body=b'{"name": "Mia S.", "n": %d}' % read())


def read_for_all(read: Reads, key: sharing.Key = KEY) -> bytes:
    answer: Answer = shared(key, lambda: answers(read), for_all=True)
    return answer.body


def test_another_process_uses_what_was_read_of_the_member(read: Reads, clock: time_machine.Traveller) -> None:
    with page():
        first = [read_for_all(read), read_for_all(read, (*KEY, "rewards"))]
    sharing.forget_all()
    clock.shift(TAP_S - 1)
    assert not sharing.is_known("acme", LEO)
    with tap():
        assert [read_for_all(read), read_for_all(read, (*KEY, "rewards"))] == first
    sharing.forget_all()
    with page():
        assert read_for_all(read) == b'{"name": "Mia S.", "n": 3}'


def test_another_process_knows_before_a_tap_that_the_member_was_read(
    read: Reads, clock: time_machine.Traveller
) -> None:
    with page():
        read_for_all(read)
    sharing.forget_all()
    assert sharing.is_known("acme", MIA)
    clock.shift(TAP_S)
    sharing.forget_all()
    assert not sharing.is_known("acme", MIA)


def test_another_process_uses_the_record_that_a_look_up_brought(read: Reads) -> None:
    with page(member=""):
        prime(KEY, answers(read), MIA)
    with page():
        first = read_for_all(read)
    sharing.forget_all()
    with tap():
        assert read_for_all(read) == first


def test_a_write_to_the_member_ends_the_sharing_with_other_processes(read: Reads) -> None:
    with page():
        read_for_all(read)
    changed("acme", MIA)
    sharing.forget_all()
    with tap():
        assert read_for_all(read) == b'{"name": "Mia S.", "n": 2}'


def test_what_was_read_before_a_write_of_another_process_is_not_handed_over(read: Reads) -> None:
    def read_and_change() -> Answer:
        changed("acme", MIA)
        return answers(read)

    with page():
        shared(KEY, read_and_change, for_all=True)
    assert not MemberChange.objects.get().reads


def test_what_is_handed_over_is_sealed_and_deleted_after_a_minute(
    read: Reads, clock: time_machine.Traveller
) -> None:
    with page():
        read_for_all(read)
    row = MemberChange.objects.get()
    assert "Mia S." not in row.reads
    assert "Mia S." in unseal(row.reads)
    member_rows.forget_reads()
    assert MemberChange.objects.get().reads
    clock.shift(61)
    member_rows.forget_reads()
    assert not MemberChange.objects.get().reads


def test_a_process_with_other_keys_reads_for_itself(read: Reads, settings: Settings) -> None:
    with page():
        read_for_all(read)
    sharing.forget_all()
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with tap():
        assert read_for_all(read) == b'{"name": "Mia S.", "n": 2}'


def test_a_very_long_answer_is_read_by_each_process(read: Reads) -> None:
    long = Answer(status=200, headers={}, body=b"x" * member_rows.LONGEST_READS)
    with page():
        shared(KEY, lambda: long, for_all=True)
    assert not MemberChange.objects.exists()


def test_one_process_hands_nothing_over(read: Reads, settings: Settings) -> None:
    settings.VENDOR_BUDGETS = "process"
    with page():
        read_for_all(read)
    assert not MemberChange.objects.exists()


def test_nothing_is_left_of_a_member_who_is_erased(read: Reads) -> None:
    with page():
        keep_fact("may have", ["R1"])
        read_for_all(read)
    sharing.erase("acme", MIA)
    row = MemberChange.objects.get()
    assert (row.reads, row.facts) == ("", "")
    with page():
        assert fact("may have") is None
        assert read_for_all(read) == b'{"name": "Mia S.", "n": 2}'


def test_a_clock_that_was_set_back_makes_no_read_of_another_process_last(
    read: Reads, clock: time_machine.Traveller
) -> None:
    clock.shift(3600)
    with page():
        read_for_all(read)
    sharing.forget_all()
    clock.shift(-TAP_S - 1)
    with tap():
        assert read_for_all(read) == b'{"name": "Mia S.", "n": 2}'


def test_while_the_database_hangs_no_more_than_so_many_writes_wait(
    read: Reads, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: queue.SimpleQueue[tuple[float, behind.Step]] = queue.SimpleQueue()
    monkeypatch.undo()
    monkeypatch.setattr(behind, "_writes", lambda: waiting)
    monkeypatch.setattr(behind, "MOST_WRITES", 1)
    monkeypatch.setattr(sharing, "_has_other_processes", lambda: True)
    for member in (LEO, MIA):
        with page(member):
            read_for_all(read, (*KEY, member))
    assert waiting.qsize() == 1
    waiting.get()[1]()
    with page():
        read_for_all(read, (*KEY, "rewards"))
    assert waiting.qsize() == 1
