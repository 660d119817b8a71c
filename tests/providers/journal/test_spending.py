"""One spend, sent once and found again after any answer or none."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from providers.errors import AuthFailed, OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.spending import find, spend
from providers.journal.states import advance
from providers.sales import Finding, SpendIntent
from tests.providers.journal.stamps import INTENT, SETTLED_AFTER, UNKNOWN, Stamps, StampWay, intent

pytestmark = pytest.mark.django_db


@pytest.fixture
def stamps() -> Stamps:
    return Stamps()


@pytest.fixture
def way(stamps: Stamps) -> StampWay:
    return StampWay(stamps)


def lose_answer(way: StampWay, *, happened: bool) -> None:
    way.stamps.trouble, way.stamps.is_late = UNKNOWN, happened
    with pytest.raises(OutcomeUnknown):
        spend(way, INTENT)
    way.stamps.trouble = None


def test_a_spend_is_described_with_the_vendors_reference(way: StampWay) -> None:
    made = spend(way, INTENT)
    assert (made.key, made.provider_ref, made.points) == ("key-1", "stamp-1", 10)
    assert made.memo == {"coupon": "C-1"}
    assert way.finished == ["key-1"]


def test_the_same_key_again_is_the_same_spend(way: StampWay) -> None:
    assert spend(way, INTENT) == spend(way, INTENT)
    assert way.stamps.calls == 1


def test_a_key_that_was_begun_is_never_sent_again(way: StampWay) -> None:
    lose_answer(way, happened=False)
    with pytest.raises(OutcomeUnknown):
        spend(way, INTENT)
    assert way.stamps.calls == 1


@pytest.mark.parametrize("error", [Unavailable("down"), AuthFailed("key"), Rejected(RejectReason.EXPIRED)])
def test_a_refused_spend_did_not_happen_and_its_key_is_closed(way: StampWay, error: Exception) -> None:
    way.stamps.trouble = error
    with pytest.raises(type(error)):
        spend(way, INTENT)
    way.stamps.trouble = None
    assert find(way, INTENT).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        spend(way, INTENT)
    assert way.stamps.spent == []


def test_nothing_is_sent_when_the_state_before_cannot_be_read(way: StampWay) -> None:
    way.stamps.cannot_read = True
    with pytest.raises(Unavailable):
        spend(way, INTENT)
    assert (way.stamps.calls, find(way, INTENT).finding) == (0, Finding.DID_NOT)


def test_a_refusal_before_the_row_leaves_none(way: StampWay) -> None:
    with pytest.raises(Rejected):
        spend(way, intent("key-2", points=1000))
    assert not Write.objects.exists()


def test_a_spend_whose_answer_was_lost_is_found(way: StampWay) -> None:
    lose_answer(way, happened=True)
    found = find(way, INTENT)
    assert found.finding is Finding.HAPPENED
    assert found.spend
    assert found.spend.provider_ref == "stamp-1"
    assert find(way, INTENT) == found
    assert way.finished == ["key-1"]


def test_a_spend_that_left_no_trace_is_given_up_only_when_it_can_no_longer_arrive(way: StampWay) -> None:
    lose_answer(way, happened=False)
    assert find(way, INTENT).finding is Finding.CANNOT_TELL
    with time_machine.travel(timezone.now() + SETTLED_AFTER + timedelta(seconds=1)):
        assert find(way, INTENT).finding is Finding.DID_NOT
        with pytest.raises(Rejected):
            spend(way, INTENT)


def test_a_spend_is_never_given_up_after_an_incomplete_look(way: StampWay) -> None:
    lose_answer(way, happened=False)
    way.stamps.sees_all = False
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert find(way, INTENT).finding is Finding.CANNOT_TELL


def test_several_new_things_are_left_to_a_person(way: StampWay) -> None:
    lose_answer(way, happened=True)
    way.stamps.spent.append("from the web shop")
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert find(way, INTENT).finding is Finding.CANNOT_TELL


def test_the_result_of_another_spend_is_not_taken_for_this_one(way: StampWay) -> None:
    lose_answer(way, happened=False)
    spend(way, intent("key-2"))
    assert find(way, INTENT).finding is Finding.CANNOT_TELL


def test_an_earlier_thing_is_not_taken_for_this_spend(way: StampWay) -> None:
    way.stamps.spent.append("old")
    lose_answer(way, happened=False)
    assert find(way, INTENT).finding is Finding.CANNOT_TELL


def test_asking_first_closes_the_key(way: StampWay) -> None:
    assert find(way, INTENT).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        spend(way, INTENT)
    assert way.stamps.calls == 0


def test_a_process_that_died_before_sending_spent_nothing(way: StampWay) -> None:
    way.journal.open(WriteKind.SPEND, INTENT.key, member_ref="mia", item_kind="reward")
    assert find(way, INTENT).finding is Finding.DID_NOT


def test_a_key_that_was_closed_while_the_vendor_was_read_is_not_sent(way: StampWay) -> None:
    class Slow(StampWay):
        def before(self, write: Write, intent: object) -> list[str]:
            assert find(way, INTENT).finding is Finding.DID_NOT
            return []

    with pytest.raises(Rejected):
        spend(Slow(way.stamps), INTENT)
    assert way.stamps.calls == 0


def test_an_answer_after_the_key_was_closed_is_an_unknown_outcome(way: StampWay) -> None:
    class Late(StampWay):
        def send(self, write: Write, intent: object) -> object:  # type: ignore[override]
            advance(write, WriteState.SENT, WriteState.VOID)
            return super().send(write, INTENT)

    with pytest.raises(OutcomeUnknown):
        spend(Late(way.stamps), INTENT)


def test_two_spends_cannot_have_the_same_thing(stamps: Stamps) -> None:
    way = StampWay(stamps, exclusive_key="coupon-7")
    spend(way, INTENT)
    with pytest.raises(Rejected) as caught:
        spend(way, intent("key-2"))
    assert caught.value.reason is RejectReason.ALREADY_USED
    assert stamps.calls == 1


def test_a_spend_is_planned_again_when_another_takes_what_it_wanted(stamps: Stamps) -> None:
    class Held(StampWay):
        def plan(self, intent: SpendIntent) -> dict[str, Any]:
            is_free = not Write.objects.exists()
            if is_free and intent.key == "key-2":
                spend(Held(self.stamps), INTENT)
            return {"exclusive_key": "hold mia"} if is_free else {}

    spend(Held(stamps), intent("key-2"))
    assert set(Write.objects.values_list("key", "exclusive_key")) == {("key-1", "hold mia"), ("key-2", "")}


def test_a_spend_before_which_nothing_is_read_is_sent_at_once(stamps: Stamps) -> None:
    class Reserving(StampWay):
        def before(self, write: Write, intent: SpendIntent) -> list[str]:
            raise AssertionError("nothing is read")

    way = Reserving(stamps, shown_before={})
    lose_answer(way, happened=False)
    row = Write.objects.get()
    assert (row.state, row.shown_before, row.sent_at is None) == (WriteState.SENT, {}, False)
    assert find(way, INTENT).finding is Finding.CANNOT_TELL


def test_a_spend_costs_few_queries(way: StampWay, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(6):  # the key, a savepoint and its end, the row, sent, done
        spend(way, INTENT)


def test_what_was_given_back_can_be_spent_again(stamps: Stamps) -> None:
    way = StampWay(stamps, exclusive_key="coupon-7")
    spend(way, INTENT)
    advance(Write.objects.get(), WriteState.DONE, WriteState.UNDONE)
    assert find(way, INTENT).finding is Finding.DID_NOT
    assert spend(way, intent("key-2")).provider_ref == "stamp-2"


def test_a_step_that_is_not_on_the_map_is_refused(way: StampWay) -> None:
    spend(way, INTENT)
    with pytest.raises(ValueError, match="no step"):
        advance(Write.objects.get(), WriteState.DONE, WriteState.VOID)
