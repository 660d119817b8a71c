"""Races of tills with each other and with orders: real HTTP, gunicorn, two workers, PostgreSQL."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import requests
from django.db.models import F, QuerySet
from pytest_django import DjangoDbBlocker

from loyaltyview.redemptions.models import Redemption, State, Transition
from tests.kill.books import check_books, check_code, rows_of
from tests.kill.stack import ALIAS, Stack, wait_for
from tests.kill.till import problem_of

from .at_once import at_once

pytestmark = pytest.mark.postgres

COST = 200
TAPS = 64


@pytest.fixture(autouse=True)
def _may_read_the_stacks_database(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


def test_the_same_tap_64_times_at_once_is_one_redemption_with_64_equal_answers(stack: Stack) -> None:
    for _round in range(10):
        mia = stack.enrol(COST)  # points for one reward: a tap that is judged after the first spend sees none
        with stack.launch(mia) as till:
            form = till.form("redeem", "ten-off")
            answers = at_once([lambda form=form, till=till: till.send(*form)] * TAPS)
            given = {
                (each.status_code, each.headers.get("Location"), problem_of(each.text)) for each in answers
            }
            (row,) = rows_of(mia)
            assert given == {(303, f"{till.path}applied/{row.pk}/?go=1", "")}
            till.open(f"{till.member_url}applied/{row.pk}/")
            check_code(till.code)


def test_two_tills_with_points_for_one_give_one_code_and_one_clear_refusal(stack: Stack) -> None:
    for _round in range(15):
        mia = stack.enrol(COST)
        with stack.launch(mia, "shirts") as first, stack.launch(mia, "jacket") as second:
            forms = [(till, till.form("redeem", "ten-off")) for till in (first, second)]
            answers = at_once([lambda till=till, form=form: till.send(*form) for till, form in forms])
        won, lost = sorted(answers, key=lambda answer: answer.status_code)
        assert won.status_code == 303
        assert "/applied/" in won.headers["Location"]
        assert (lost.status_code, problem_of(lost.text)) in [
            (409, "ANOTHER_TILL"),
            (422, "INSUFFICIENT_POINTS"),
        ]
        states = sorted(row.state for row in rows_of(mia))
        assert states in ([State.REVEALED], [State.REFUSED, State.REVEALED])
        mia.refresh_from_db()
        assert (mia.spendable, mia.reserved) == (0, COST)


def test_an_undo_racing_with_the_order_never_gives_a_free_discount_and_loses_no_point(stack: Stack) -> None:
    answered = set()
    for number in range(15):
        mia = stack.enrol(COST)
        with stack.launch(mia) as till:
            till.tap(item="ten-off")
            assert stack.sandbox.app.apply(till.handoff).codes
            form = till.form("undo")
            undone, _order = at_once(
                [
                    later(number * 0.005, lambda form=form, till=till: till.send(*form)),
                    lambda: stack.sandbox.app.pay(hand_over=False),
                ]
            )
        assert isinstance(undone, requests.Response)
        answered.add((undone.status_code, problem_of(undone.text)))
        stack.wait_until_done()
        assert [row.state for row in rows_of(mia)] == [State.SETTLED]
        check_books(mia, points=0)
    assert answered <= {(303, ""), (409, "UNDO_NOT_POSSIBLE")}


def test_a_release_racing_with_the_order_never_gives_a_free_discount_and_loses_no_point(stack: Stack) -> None:
    earlier = timedelta(minutes=41)
    given_back = 0
    for number in range(15):
        mia = stack.enrol(COST)
        with stack.launch(mia) as till:
            till.tap(item="ten-off")
            assert stack.sandbox.app.apply(till.handoff).codes
        rows = Redemption.objects.using(ALIAS).filter(member_ref=mia.member_id)

        def let_it_become_due(rows: QuerySet[Redemption] = rows) -> object:
            return rows.update(due_at=F("due_at") - earlier)

        def pay(rows: QuerySet[Redemption] = rows, number: int = number) -> object:
            if number == 0:  # the worker is first at least once, however slow this machine is
                wait_for(lambda: not rows.filter(state=State.REVEALED).exists())
            return stack.sandbox.app.pay(hand_over=False)

        # Each is first sometimes: a worker looks every 50 ms, and an order takes as long to arrive.
        at_once(
            [later((number - 10) * 0.01, let_it_become_due), later((10 - number) * 0.01, pay)],
        )
        stack.wait_until_done()
        trail = Transition.objects.using(ALIAS).filter(redemption__in=rows)
        given_back += trail.filter(to_state=State.RELEASED).exists()
        assert [row.state for row in rows_of(mia)] == [State.SETTLED]
        check_books(mia, points=0)
    assert given_back, "the order was first each time: nothing raced"


def later(seconds: float, call: Callable[[], object]) -> Callable[[], object]:
    """Return `call` with a delay, so that the rounds of a race meet at different moments."""

    def put_off() -> object:
        time.sleep(max(0, seconds))
        return call()

    return put_off
