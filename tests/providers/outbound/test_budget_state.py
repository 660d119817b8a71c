"""The order of turns at a vendor that allows few calls."""

import random

import pytest

from providers.outbound.budget_state import PAGE_SHARE, Limit, State, Use

FIVE_A_SECOND = Limit(calls=5, window_s=1.0)
SIXTY_A_MINUTE = Limit(calls=60, window_s=60.0)
LONG = 30.0


def make_all(state: State, key: str, use: Use, calls: int, now: float) -> int:
    """Make as many of `calls` as are allowed now; return how many."""
    return sum(state.call(key, use, now) == 0 for _ in range(calls))


def test_taps_get_their_turns_in_order() -> None:
    state = State(FIVE_A_SECOND)
    waits = [state.book(f"tap-{n}", Use.TAP, 1, 100.0, LONG).wait_s for n in range(12)]
    assert waits == sorted(waits)
    assert waits[:5] == [0.0] * 5
    assert waits[5] == pytest.approx(1.154, abs=0.01)
    assert waits[11] == pytest.approx(2.308, abs=0.01)


def test_the_same_key_keeps_its_place() -> None:
    state = State(FIVE_A_SECOND)
    for n in range(8):
        state.book(f"tap-{n}", Use.TAP, 1, 100.0, LONG)
    first = state.book("tap-6", Use.TAP, 1, 100.0, LONG)
    again = state.book("tap-6", Use.TAP, 1, 100.5, LONG)
    assert again.wait_s == pytest.approx(first.wait_s - 0.5)
    assert len(state.bookings) == 8


def test_a_tap_that_would_wait_too_long_is_not_booked() -> None:
    state = State(FIVE_A_SECOND)
    turns = [state.book(f"tap-{n}", Use.TAP, 5, 100.0, 3.0) for n in range(8)]
    assert [turn.is_booked for turn in turns] == [True] * 3 + [False] * 5
    assert turns[-1].wait_s > 3.0


def test_a_page_never_books_ahead_and_leaves_room_for_taps() -> None:
    state = State(FIVE_A_SECOND)
    assert state.book("page-1", Use.PAGE, 2, 100.0, LONG).is_booked
    turn = state.book("page-2", Use.PAGE, 2, 100.0, LONG)
    assert not turn.is_booked
    assert turn.wait_s > 0
    assert state.book("tap", Use.TAP, 3, 100.0, LONG).wait_s == 0


def test_a_page_that_does_not_fit_uses_no_call() -> None:
    state = State(FIVE_A_SECOND)
    make_all(state, "page-1", Use.PAGE, 2, 100.0)
    before = state._count()
    assert not state.book("page-2", Use.PAGE, 3, 100.0, LONG).is_booked
    assert state._count() == before


def test_no_page_begins_while_a_tap_waits() -> None:
    state = State(FIVE_A_SECOND)
    for n in range(7):
        state.book(f"tap-{n}", Use.TAP, 1, 100.0, LONG)
    make_all(state, "tap-0", Use.TAP, 1, 100.0)
    assert not state.book("page", Use.PAGE, 1, 100.2, LONG).is_booked


def test_the_worker_keeps_its_share_beside_many_pages() -> None:
    state = State(SIXTY_A_MINUTE)
    pages = make_all(state, "", Use.PAGE, 100, 100.0)
    work = make_all(state, "", Use.WORK, 100, 100.0)
    taps = make_all(state, "", Use.TAP, 100, 100.0)
    assert (pages, work, taps) == (60 * PAGE_SHARE, 12, 12)


def test_unused_bookings_are_given_back() -> None:
    state = State(FIVE_A_SECOND)
    state.book("tap", Use.TAP, 5, 100.0, LONG)
    assert state.book("another", Use.TAP, 1, 100.0, LONG).wait_s > 0
    state.end("another", 100.0)
    state.call("tap", Use.TAP, 100.0)
    state.end("tap", 100.1)
    assert state.book("another", Use.TAP, 4, 100.1, LONG).wait_s == 0


def test_an_unused_place_of_a_tap_expires() -> None:
    state = State(FIVE_A_SECOND)
    state.book("gone", Use.TAP, 5, 100.0, LONG)
    assert state.book("next", Use.TAP, 5, 109.0, LONG).wait_s == 0


def test_a_tap_that_has_begun_finishes_before_those_that_wait() -> None:
    state = State(FIVE_A_SECOND)
    for n in range(9):
        state.book(f"tap-{n}", Use.TAP, 1, 100.0, LONG)
    assert state.call("tap-0", Use.TAP, 100.0) == 0
    assert state.call("tap-0", Use.TAP, 100.0) == 0  # one more than it had booked


def test_no_call_is_made_during_a_pause_of_the_vendor() -> None:
    state = State(FIVE_A_SECOND)
    state.book("tap", Use.TAP, 1, 100.0, LONG)
    state.pause(3.0, 100.0)
    assert state.call("tap", Use.TAP, 100.5) == pytest.approx(2.5)
    assert state.book("tap", Use.TAP, 1, 101.0, LONG).wait_s == pytest.approx(2.0)
    assert not state.book("page", Use.PAGE, 1, 102.0, LONG).is_booked
    assert state.call("tap", Use.TAP, 103.0) == 0


def test_a_clock_that_goes_back_frees_no_calls() -> None:
    state = State(FIVE_A_SECOND)
    make_all(state, "", Use.TAP, 5, 100.0)
    assert state.call("", Use.TAP, 40.0) > 0


def test_a_state_is_the_same_after_it_was_stored() -> None:
    state = State(FIVE_A_SECOND)
    state.book("tap", Use.TAP, 2, 100.0, LONG)
    state.call("tap", Use.TAP, 100.0)
    state.pause(1.0, 100.0)
    assert State(FIVE_A_SECOND, state.to_text()).to_text() == state.to_text()


@pytest.mark.parametrize("limit", [FIVE_A_SECOND, SIXTY_A_MINUTE, Limit(calls=1, window_s=1.0)])
@pytest.mark.parametrize("seed", range(5))
def test_no_window_ever_holds_more_calls_than_the_vendor_allows(limit: Limit, seed: int) -> None:
    chance = random.Random(seed)
    state, now, made = State(limit), 1000.0, []
    for step in range(1500):
        now += chance.random() * limit.window_s / limit.calls
        use = chance.choice(list(Use))
        key = f"{use}-{chance.randrange(step // 8 + 1)}"
        if chance.random() < 0.4:
            state.book(key, use, chance.randint(1, 4), now, LONG)
        if state.call(key, use, now) == 0:
            made.append(now)
        if chance.random() < 0.1:
            state.end(key, now)
    assert len(made) > 50
    for index, at in enumerate(made):
        in_window = [each for each in made[index:] if each < at + limit.window_s]
        assert len(in_window) <= limit.calls
