"""Threads are shared: a hanging lane leaves threads to the others."""

from providers.outbound.lanes import Lanes


def filled(turns: Lanes[int], lane: str) -> int:
    """Return how many items of `lane` start, when far more come than there are threads."""
    return sum(turns.take(lane, number) for number in range(200))


def test_hanging_lanes_leave_threads_to_other_lanes() -> None:
    turns: Lanes[int] = Lanes(32, reserve=4, privileged=frozenset({"events"}))

    started = [filled(turns, lane) for lane in ("hanging", "hanging too", "sound")]

    assert started[0] == 21
    assert min(started) >= 1


def test_privileged_work_has_threads_when_many_lanes_hang() -> None:
    turns: Lanes[int] = Lanes(32, reserve=4, privileged=frozenset({"events"}))
    for number in range(50):
        filled(turns, f"program {number}")

    assert filled(turns, "events") >= 2


def test_one_thread_serves_all_lanes_in_turn() -> None:
    turns: Lanes[str] = Lanes(1)
    assert turns.take("a", "a1")
    assert not any(turns.take(lane, item) for lane, item in (("a", "a2"), ("a", "a3"), ("b", "b1")))

    order = []
    running = "a"
    for _ in range(3):
        turns.done(running)
        following = turns.following()
        assert following
        running = following[0]
        order.append(following[1])

    assert order == ["a2", "b1", "a3"]
    turns.done(running)
    assert turns.following() is None
    assert turns.take("b", "b2")


def test_a_waiting_item_can_be_withdrawn_once() -> None:
    turns: Lanes[str] = Lanes(1)
    turns.take("a", "first")
    turns.take("a", "second")

    assert turns.remove("a", "second")
    assert not turns.remove("a", "second")
    turns.done("a")
    assert turns.following() is None


def test_a_lane_with_a_limit_of_its_own_leaves_the_other_threads_free() -> None:
    lanes: Lanes[int] = Lanes(32, most={"api": 4})
    assert [lanes.take("api", number) for number in range(100)].count(True) == 4
    assert all(lanes.take(f"program {number}", 1000 + number) for number in range(28))
    assert not lanes.take("program 28", 2000)
    lanes.done("program 0")
    assert lanes.following() == ("program 28", 2000)
    for number in range(1, 10):
        lanes.done(f"program {number}")
    assert lanes.following() is None
    lanes.done("api")
    assert lanes.following() == ("api", 4)
