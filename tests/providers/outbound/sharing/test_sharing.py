"""Shared reads: for how long, with whom, and what ends the sharing."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from pytest_django import DjangoAssertNumQueries

from providers.base import LoyaltyProvider, ProviderConfig
from providers.errors import Unavailable
from providers.models import MemberChange
from providers.outbound import member_rows, sharing
from providers.outbound.sharing import PAGE_S, TAP_S, alone, changed, fact, keep_fact, lasting, prime, shared

from .conftest import KEY, LEO, MIA, Reads, page, tap

pytestmark = pytest.mark.django_db


def test_outside_a_page_every_read_is_made(read: Reads) -> None:
    assert [shared(KEY, read), shared(KEY, read)] == [1, 2]


def test_a_page_makes_each_read_once(read: Reads) -> None:
    with page():
        assert [shared(KEY, read), shared(KEY, read)] == [1, 1]
        assert shared((*KEY, "rewards"), read) == 2


def test_reads_of_a_page_serve_its_tap_but_no_later_page(read: Reads, clock: time_machine.Traveller) -> None:
    with page():
        shared(KEY, read)
    clock.shift(TAP_S - 1)
    with tap():
        assert shared(KEY, read) == 1
    with page():
        assert shared(KEY, read) == 2


def test_an_old_read_is_too_old_for_a_tap(read: Reads, clock: time_machine.Traveller) -> None:
    with page():
        shared(KEY, read)
    clock.shift(TAP_S + 1)
    with tap():
        assert shared(KEY, read) == 2


def test_a_write_to_the_member_ends_the_sharing(read: Reads) -> None:
    with page():
        shared(KEY, read)
    changed("acme", MIA)
    with tap():
        assert shared(KEY, read) == 2


def test_a_delivery_about_the_member_ends_the_sharing_where_the_adapter_keeps_nothing(read: Reads) -> None:
    class Shop(LoyaltyProvider):
        kind = "shop"

    Shop.__abstractmethods__ = frozenset()
    with page():
        shared(KEY, read)
    Shop(ProviderConfig(program="acme", currency="USD", country="US")).note_member(MIA)
    with tap():
        assert shared(KEY, read) == 2


def test_a_write_in_another_process_ends_the_sharing(read: Reads) -> None:
    with page():
        shared(KEY, read)
    MemberChange.objects.create(digest=member_rows._digest("acme", MIA), number=1)
    with tap():
        assert shared(KEY, read) == 2


def test_a_write_during_a_read_ends_the_sharing(read: Reads) -> None:
    def read_and_change() -> int:
        changed("acme", MIA)
        return read()

    with page():
        shared(KEY, read_and_change)
    with tap():
        assert shared(KEY, read) == 2


def test_a_write_to_another_member_changes_nothing(read: Reads) -> None:
    with page():
        shared(KEY, read)
    changed("acme", LEO)
    with tap():
        assert shared(KEY, read) == 1


def test_a_look_up_serves_the_page_that_follows_and_its_tap(
    read: Reads, clock: time_machine.Traveller
) -> None:
    with page(member=""):
        prime(KEY, "of the look-up", MIA)
    with page():
        assert shared(KEY, read) == "of the look-up"
    clock.shift(TAP_S - 1)
    with tap():
        assert shared(KEY, read) == "of the look-up"


def test_a_write_ends_the_sharing_of_look_ups_that_may_have_found_the_member(read: Reads) -> None:
    with page(member=""):
        shared(KEY, read)
    changed("acme", MIA)
    with page(member=""):
        assert shared(KEY, read) == 2
    changed("other", MIA)
    with page(member=""):
        assert shared(KEY, read) == 2


def test_a_read_for_proof_is_never_shared(read: Reads) -> None:
    with page():
        shared(KEY, read)
        with alone():
            assert shared(KEY, read) == 2


def test_a_failed_read_is_not_kept(read: Reads) -> None:
    def fail() -> int:
        raise Unavailable("down")

    with page():
        with pytest.raises(Unavailable):
            shared(KEY, fail)
        assert shared(KEY, read) == 1


def test_an_answer_that_is_not_kept_is_read_again(read: Reads) -> None:
    with page():
        assert [shared(KEY, read, lambda _: False), shared(KEY, read)] == [1, 2]


def test_equal_reads_at_the_same_moment_are_one(read: Reads) -> None:
    may_answer = threading.Event()
    scope = sharing.Scope(max_age_s=PAGE_S, program="acme", member=MIA)

    def slow() -> int:
        may_answer.wait(30)
        return read()

    def ask(_number: int) -> int:
        sharing._scope.set(scope)
        return int(shared(KEY, slow))

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, number) for number in range(8)]
        may_answer.set()
        assert {each.result() for each in answers} == {1}


def test_pages_of_a_day_keep_what_seldom_changes_about_a_member(clock: time_machine.Traveller) -> None:
    with page():
        assert fact("may have") is None
        keep_fact("may have", ["R1"])
        keep_fact("other", 2)
    with page():
        assert (fact("may have"), fact("other")) == (["R1"], 2)
    with page(member=LEO):
        assert fact("may have") is None
    clock.shift(sharing.FACT_S)
    with page():
        assert fact("may have") is None


def test_a_tap_goes_by_no_fact_but_keeps_what_it_read() -> None:
    with tap():
        keep_fact("may have", ["R1"])
        assert fact("may have") is None
    with page():
        assert fact("may have") == ["R1"]


def test_a_fact_outlives_a_write_but_not_what_forgets_it() -> None:
    with page():
        keep_fact("may have", ["R1"])
    changed("acme", MIA)
    with page():
        assert fact("may have") == ["R1"]
    sharing.forget_facts("acme", MIA)
    with page():
        assert fact("may have") is None
        keep_fact("may have", ["R2"])
        changed("acme", MIA)
        keep_fact("may have", ["R3"])  # read before the write
    with page():
        assert fact("may have") == ["R2"]


def test_a_member_has_a_last_change_only_after_a_change(clock: time_machine.Traveller) -> None:
    with page():
        keep_fact("may have", ["R1"])
    assert sharing.change_of("acme", MIA) == ""
    changed("acme", MIA)
    first = sharing.change_of("acme", MIA)
    clock.shift(1)
    with page():
        keep_fact("may have", ["R2"])
    assert sharing.change_of("acme", MIA) == first != ""
    changed("acme", MIA)
    assert sharing.change_of("acme", MIA) != first


def test_a_change_is_one_statement_with_and_without_a_row(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in (1, 2):
        with django_assert_num_queries(1):
            changed("acme", MIA)
        assert MemberChange.objects.get().number == number


def test_a_page_stays_a_page_where_it_shares_for_longer() -> None:
    with page(), lasting(60):
        assert sharing.is_page()
    with tap(), lasting(1):
        assert not sharing.is_page()


def test_a_look_up_keeps_nothing_about_a_member() -> None:
    with page(member=""):
        keep_fact("may have", ["R1"])
        assert fact("may have") is None
    assert not MemberChange.objects.exists()


@pytest.mark.parametrize("member", [MIA, ""])
@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_a_page_does_not_wait_for_a_read_that_began_before_the_write(
    read: Reads, member: str, is_elsewhere: bool
) -> None:
    """What such a read brings is outdated, and is not kept either. Of another process no look-up knows."""
    began, may_answer = threading.Event(), threading.Event()

    def slow() -> str:
        began.set()
        may_answer.wait(30)
        return "outdated"

    def ask() -> str:
        sharing._scope.set(sharing.Scope(max_age_s=PAGE_S, program="acme", member=member))
        return str(shared(KEY, slow))

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask)
        assert began.wait(30)
        if is_elsewhere:
            MemberChange.objects.create(digest=member_rows._digest("acme", MIA), number=1)
        else:
            changed("acme", MIA)
        with page():
            assert shared(KEY, read) == 1
            may_answer.set()
            assert first.result(30) == "outdated"
            assert shared(KEY, read) == 1


def test_equal_reads_fail_together() -> None:
    may_answer = threading.Event()
    scope = sharing.Scope(max_age_s=PAGE_S, program="acme", member=MIA)

    def fail() -> int:
        may_answer.wait(30)
        raise Unavailable("down")

    def ask(_number: int) -> str:
        sharing._scope.set(scope)
        try:
            return str(shared(KEY, fail))
        except Unavailable as error:
            return error.detail

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, number) for number in range(8)]
        may_answer.set()
        assert {each.result() for each in answers} == {"down"}


def test_changes_of_yesterday_are_deleted(clock: time_machine.Traveller) -> None:
    changed("acme", MIA)
    clock.shift(86_401)
    changed("acme", LEO)
    assert member_rows.forget_old() == 1
    assert MemberChange.objects.get().number == 1


def test_a_member_written_to_again_is_kept(clock: time_machine.Traveller) -> None:
    changed("acme", MIA)
    clock.shift(86_000)
    changed("acme", MIA)
    clock.shift(86_000)
    assert member_rows.forget_old() == 0


def test_what_hardly_changes_is_shared_for_longer_until_the_member_changes(
    read: Reads, clock: time_machine.Traveller
) -> None:
    with page():
        assert shared(KEY, read) == 1
    clock.shift(600)
    with page(), lasting(900):
        assert shared(KEY, read) == 1
    changed("acme", MIA)
    with page(), lasting(900):
        assert shared(KEY, read) == 2
    with lasting(900):  # nothing shares around it
        assert shared(KEY, read) == 3
