"""The same tap many times at once: one request works, all get its answer."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.duplicate_taps import work_once
from loyaltyview.webview.problems import Problem

DUPLICATES = 64


class Work:
    """Counts how often it is done; ends when `may_end` is set."""

    def __init__(self, outcome: Redemption | Exception) -> None:
        self.outcome = outcome
        self.times = 0
        self.may_end = threading.Event()
        self.stored: Redemption | None = None

    def __call__(self) -> Redemption:
        self.times += 1
        self.may_end.wait(30)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        self.stored = self.outcome
        return self.outcome

    def find(self) -> Redemption | None:
        return self.stored


def tap_together(work: Work) -> list[Redemption | Exception]:
    started = threading.Barrier(DUPLICATES + 1)

    def tap(_number: int) -> Redemption | Exception:
        started.wait(30)
        try:
            return work_once("tap", work, work.find)
        except Exception as error:
            return error

    with ThreadPoolExecutor(DUPLICATES) as pool:
        taps = [pool.submit(tap, number) for number in range(DUPLICATES)]
        started.wait(30)
        work.may_end.set()
        return [each.result() for each in taps]


def test_duplicate_taps_get_the_redemption_of_the_working_one() -> None:
    row = Redemption()
    work = Work(row)
    assert all(answer is row for answer in tap_together(work))


@pytest.mark.parametrize(
    "make", [lambda: Problem(Refusal.ITEM_UNKNOWN), lambda: Problem(Refusal.ITEM_UNKNOWN, status=409)]
)
def test_duplicates_of_a_refused_tap_get_the_same_refusal(make: Callable[[], Problem]) -> None:
    problem = make()
    answers = tap_together(Work(problem))
    assert {(each.code, each.status) for each in answers if isinstance(each, Problem)} == {
        (problem.code, problem.status)
    }
    assert len(answers) == DUPLICATES


def test_a_duplicate_waits_while_the_first_works() -> None:
    work, answers = Work(Redemption()), []
    first = threading.Thread(target=lambda: answers.append(work_once("tap", work, work.find)))
    first.start()
    while not work.times:
        pass
    second = threading.Thread(target=lambda: answers.append(work_once("tap", work, work.find)))
    second.start()
    work.may_end.set()
    first.join()
    second.join()
    assert answers[0] is answers[1]


def test_taps_that_differ_do_not_wait_for_each_other() -> None:
    held, free = Work(Redemption()), Work(Redemption())
    free.may_end.set()
    first = threading.Thread(target=lambda: work_once("one", held, held.find))
    first.start()
    assert work_once("another", free, free.find) is free.outcome
    held.may_end.set()
    first.join()
