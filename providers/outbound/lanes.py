"""Decides which program gets a thread next, so that none can take all of them.

Work comes in lanes: a lane is a program, or the intake of events. While one lane's vendor hangs, its work
keeps its threads. So a lane may hold at most SHARE times as many threads as are left free: the first lane
that hangs leaves a quarter, the second a quarter of that. Waiting items are served lane by lane. Not
thread-safe: the caller holds a lock or calls from one thread.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

Item = TypeVar("Item")

SHARE = 3


class Lanes(Generic[Item]):
    """`threads` threads, of which `reserve` are kept for the lanes in `privileged`. A lane in `most` has at
    most so many, however many are free."""

    def __init__(
        self,
        threads: int,
        reserve: int = 0,
        privileged: frozenset[str] = frozenset(),
        most: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._threads = threads
        self._reserve = reserve
        self._privileged = privileged
        self._most = most
        self._running = 0
        self._busy: Counter[str] = Counter()
        # The lanes that wait, the one whose turn it is first; in each the longest waiting first.
        self._waiting: dict[str, dict[Item, None]] = {}

    def take(self, lane: str, item: Item) -> bool:
        """Take a thread for `item`; False when it has to wait: `following` returns it later."""
        if lane not in self._waiting and self._has_thread(lane):
            self._start(lane)
            return True
        self._waiting.setdefault(lane, {})[item] = None
        return False

    def done(self, lane: str) -> None:
        """Give back the thread that an item of `lane` had."""
        self._running -= 1
        self._busy[lane] -= 1
        if not self._busy[lane]:
            del self._busy[lane]

    def following(self) -> tuple[str, Item] | None:
        """Return the next item that may start, and take a thread for it; None when there is none."""
        for lane in self._waiting:
            if self._has_thread(lane):
                item = next(iter(self._waiting[lane]))
                self.remove(lane, item)
                if lane in self._waiting:  # moves to the end: every lane has its turn
                    self._waiting[lane] = self._waiting.pop(lane)
                self._start(lane)
                return lane, item
        return None

    def remove(self, lane: str, item: Item) -> bool:
        """Take a waiting item out of its lane; False when it does not wait any more."""
        items = self._waiting.get(lane, {})
        if item not in items:
            return False
        del items[item]
        if not items:
            del self._waiting[lane]
        return True

    def _has_thread(self, lane: str) -> bool:
        free = self._threads - self._running
        if lane not in self._privileged:
            free -= self._reserve
        return free > 0 and self._busy[lane] < min(SHARE * free, self._most.get(lane, self._threads))

    def _start(self, lane: str) -> None:
        self._running += 1
        self._busy[lane] += 1
