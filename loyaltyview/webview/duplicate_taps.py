"""The same tap sent many times at once: one request works on it, and the others return its answer.

Only for requests of one process. Between processes the redemption's key decides (`redemptions.saga`).
"""

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview.problems import Problem

# Longer than the reads of a tap, NewStore's code and the vendor's spend take together.
LONGEST_S = 30.0


@dataclass(slots=True)
class _Tap:
    """A tap under way. `is_done` is set when its `problem` is known, or its redemption stored."""

    is_done: threading.Event = field(default_factory=threading.Event)
    problem: Problem | None = None


_taps: dict[Hashable, _Tap] = {}
_lock = threading.Lock()


def work_once(
    name: Hashable, work: Callable[[], Redemption], find: Callable[[], Redemption | None]
) -> Redemption:
    """Return what `work` returns, or raise what it raises. While another request works on the tap `name`,
    wait for it: raise its Problem, or return the redemption that `find` finds then."""
    with _lock:
        under_way = _taps.get(name)
        if under_way is None:
            ours = _taps[name] = _Tap()
    if under_way is not None:
        under_way.is_done.wait(LONGEST_S)
        if under_way.problem is not None:
            raise under_way.problem.copy()
        # Without a redemption the other request ended in a programming error, or takes far too long.
        return find() or work()
    try:
        return work()
    except Problem as problem:
        ours.problem = problem
        raise
    finally:
        with _lock:
            _taps.pop(name, None)
        ours.is_done.set()
