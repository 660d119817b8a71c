"""What associates see on a sale day: `python -m tests.load.sale_day`. See docs/capacity.md.

A simulation, with simulated time: 10,000 stores sell three times as much as usual, the vendor's account is
at its limit, and NewStore is slow for ten minutes. The vendor's limit is kept by the product's own code
(`providers.outbound.budget_state`); the deadlines are the product's settings. One of ten stores is played,
with a tenth of the vendor's limit: the shares are the same, and it takes minutes instead of an hour.
"""

import argparse
import heapq
import itertools
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.outbound.budget_state import Limit, State, Use
from tests.load.capacity import FIGURES, Calls, Demand, Habits

BUSY_DAY = 3  # times the sales of a busy hour
# Of the product: how long a page waits for the vendor, a launch for NewStore's cart, a tap for its turn.
PAGE_S, CART_S, TURN_S, LONGEST_TURN_S = 2.5, 1.0, 2.0, 25.0
# How long a tap waits for the code (`newstore.client.ATTEMPT_S`). Then it says so, and nothing is spent.
MINT_S = 3.0
VENDOR_S, NEWSTORE_S, SLOW_NEWSTORE_S = 0.15, 0.15, 2.5
LOOK_S = 0.25
SLOW_FROM_MIN, SLOW_FOR_MIN, MINUTES = 5, 10, 20

PAGES = (
    "live within a second",
    "live later",
    "as of earlier, then live",
    "as of earlier only",
    "busy, no balance",
)
TAPS = (
    "code within 2 s",
    "code within 10 s",
    "code after a shown wait",
    "busy, try in ...",
    "NewStore is away",
)


@dataclass
class Seen:
    """What associates saw in one minute."""

    pages: Counter[str] = field(default_factory=Counter)
    taps: Counter[str] = field(default_factory=Counter)
    calls: int = 0


class SaleDay:
    """Events in simulated time: launches, their pages, and taps."""

    def __init__(self, stores: int, calls: Calls, per_s: int, habits: Habits, seed: int) -> None:
        self.calls, self.habits, self.random = calls, habits, random.Random(seed)
        self.state = State(Limit(calls=per_s, window_s=1.0))
        self.launches_per_s = Demand.of(stores, habits).launches * BUSY_DAY
        self.seen = [Seen() for _ in range(MINUTES)]
        self.queue: list[tuple[float, int, Callable[[float], None]]] = []
        self.numbers = itertools.count()

    def run(self) -> list[Seen]:
        self.later(0.0, self.launch)
        while self.queue:
            now, _number, step = heapq.heappop(self.queue)
            step(now)
        return self.seen

    def later(self, at: float, step: Callable[[float], None]) -> None:
        heapq.heappush(self.queue, (at, next(self.numbers), step))

    def newstore_s(self, now: float) -> float:
        minute = now / 60
        is_slow = SLOW_FROM_MIN <= minute < SLOW_FROM_MIN + SLOW_FOR_MIN
        return SLOW_NEWSTORE_S if is_slow else NEWSTORE_S

    def minute(self, now: float) -> Seen:
        return self.seen[min(int(now / 60), MINUTES - 1)]

    def launch(self, now: float) -> None:
        """Open the page, and arrange for the next launch."""
        following = now + self.random.expovariate(self.launches_per_s)
        if following < MINUTES * 60:
            self.later(following, self.launch)
        is_known = self.random.random() < self.habits.known
        count = round(self.calls.known_launch if is_known else self.calls.launch)
        key = f"p{next(self.numbers)}"
        # The cart is read for at most a second, while the vendor is asked.
        opened_s = min(CART_S, self.newstore_s(now))
        ends_at = now + opened_s + PAGE_S

        def look(at: float) -> None:
            if count == 0 or self.state.book(key, Use.PAGE, count, at, 0.0).is_booked:
                for _ in range(count):
                    self.state.call(key, Use.PAGE, at)
                    self.minute(at).calls += 1
                self.state.end(key, at)
                shown_s = max(at + VENDOR_S, now + opened_s) - now
                name = PAGES[2] if is_known else PAGES[0] if shown_s <= 1.0 else PAGES[1]
                self.show(now, name, shown_s)
            elif at + LOOK_S < ends_at:
                self.later(at + LOOK_S, look)
            else:
                self.show(now, PAGES[3] if is_known else PAGES[4], ends_at - now)

        look(now)

    def show(self, launched: float, name: str, shown_s: float) -> None:
        self.minute(launched).pages[name] += 1
        if name != PAGES[4] and self.random.random() < self.habits.tapped:
            thinks_s = self.random.uniform(3, 20)
            self.later(launched + shown_s + thinks_s, self.tap)

    def tap(self, now: float) -> None:
        """Book the tap's calls at the vendor; mint the code in NewStore, then spend."""
        key, count = f"t{next(self.numbers)}", max(1, round(self.calls.tap))
        turn = self.state.book(key, Use.TAP, count, now, LONGEST_TURN_S)
        if not turn.is_booked:
            self.minute(now).taps[TAPS[3]] += 1
            return
        self.later(now + turn.wait_s, lambda at: self.spend(now, at, key, count))

    def spend(self, tapped: float, now: float, key: str, count: int) -> None:
        for _ in range(count):
            self.state.call(key, Use.TAP, now)
            self.minute(now).calls += 1
        self.state.end(key, now)
        # The cart is read with the vendor's reads, then the code is made, then the points are spent.
        mint_s = self.newstore_s(now)
        took_s = max(VENDOR_S, min(CART_S, mint_s)) + mint_s + VENDOR_S
        waited_s = now - tapped
        if mint_s > MINT_S:
            name = TAPS[4]
        elif waited_s > TURN_S:
            name = TAPS[2]
        else:
            name = TAPS[0] if waited_s + took_s <= 2 else TAPS[1]
        self.minute(tapped).taps[name] += 1


def table(seen: list[Seen], one_of: int) -> str:
    """Return a Markdown table: the three parts of the time, and what share of associates saw what."""
    parts = {
        "before": seen[1:SLOW_FROM_MIN],
        "NewStore is slow": seen[SLOW_FROM_MIN : SLOW_FROM_MIN + SLOW_FOR_MIN],
        "afterwards": seen[SLOW_FROM_MIN + SLOW_FOR_MIN : -1],
    }
    lines = [f"| an associate sees | {' | '.join(parts)} |", "|---|" + "---:|" * len(parts)]
    for what, names in (("pages", PAGES), ("taps", TAPS)):
        for name in names:
            shares = []
            for minutes in parts.values():
                counts: Counter[str] = sum((getattr(each, what) for each in minutes), Counter())
                shares.append(f"{counts[name] / max(1, counts.total()):.1%}")
            lines.append(f"| {what}: {name} | {' | '.join(shares)} |")
    rates = [
        f"{one_of * sum(m.calls for m in minutes) / 60 / len(minutes):.0f}" for minutes in parts.values()
    ]
    lines.append(f"| calls to the vendor in a second | {' | '.join(rates)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.sale_day", description=__doc__)
    parser.add_argument("--stores", type=int, default=10_000)
    parser.add_argument("--vendor", default="yotpo")
    parser.add_argument("--per-s", type=int, nargs="+", default=[10, 300, 1000, 1500], help="its limits")
    parser.add_argument("--known", type=float, default=0.1, help="share of members shown within the day")
    parser.add_argument("--one-of", type=int, default=10, help="play one of so many stores, and their share")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    calls = Calls(vendor=options.vendor, **json.loads(FIGURES.read_text())["calls"][options.vendor])
    for per_s in options.per_s:
        one_of = min(options.one_of, max(1, per_s // 10))  # a limit of one call has no shares
        stores, share = options.stores // one_of, per_s // one_of
        day = SaleDay(stores, calls, share, Habits(known=options.known), options.seed)
        print(f"\n{options.stores:,} stores, {options.vendor} allows {per_s} calls a second\n")  # noqa: T201
        print(table(day.run(), one_of), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
