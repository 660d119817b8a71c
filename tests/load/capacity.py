"""What 10 to 10,000 stores need: `python -m tests.load.capacity`. See docs/capacity.md.

`--measure` measures on this machine what a launch, a tap and a sale cost, and keeps it in
capacity.json.
Without it the tables are computed from that file; `--write` puts them into docs/capacity.md.
"""

import argparse
import json
import math
import re
import sys
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FIGURES = Path(__file__).with_suffix(".json")
DOCUMENT = ROOT / "docs" / "capacity.md"
STORES = (10, 100, 1_000, 10_000)
# A core that is busy for longer makes tills wait for each other.
BUSY = 0.5
# How often a disk of this machine flushes in a second, one after another.
FLUSHES = 5_000
NEWSTORE_PER_S = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One step: milliseconds of processor time, flushes of the database to its disk, calls to NewStore, and
    kilobytes sent to the till."""

    web_ms: float
    database_ms: float
    worker_ms: float
    flushes: float
    newstore_calls: float
    kilobytes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """Calls to a vendor, and the calls a second that it allows an account."""

    vendor: str
    launch: float
    known_launch: float
    tap: float
    sale: float
    per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What happens in a shop at its busiest hour."""

    tills: int = 5
    sales: int = 15  # of a till in an hour
    opened: float = 0.5  # sales in which the page is opened
    tapped: float = 0.3  # pages on which something is redeemed
    known: float = 0.1  # pages of a member who was shown within the day


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Per second."""

    launches: float
    taps: float
    sales: float

    @classmethod
    def of(cls, stores: int, habits: Habits) -> "Demand":
        sales = stores * habits.tills * habits.sales / 3600
        launches = sales * habits.opened
        return cls(launches=launches, taps=launches * habits.tapped, sales=sales)

    def total(self, costs: dict[str, Cost], what: str) -> float:
        """Return the sum of `what` over all steps, per second."""
        return sum(
            rate * float(getattr(costs[step], what))
            for step, rate in (("launch", self.launches), ("tap", self.taps), ("sale", self.sales))
        )

    def calls(self, calls: Calls, habits: Habits) -> float:
        launch = calls.launch * (1 - habits.known) + calls.known_launch * habits.known
        return self.launches * launch + self.taps * calls.tap + self.sales * habits.opened * calls.sale


def needs(stores: int, costs: dict[str, Cost], habits: Habits) -> dict[str, float]:
    """Return what the stores need: half idle cores, flushes, calls to NewStore, megabits a second."""
    demand = Demand.of(stores, habits)
    return {
        "launches": demand.launches,
        "taps": demand.taps,
        "events": demand.sales * 3,
        "web": demand.total(costs, "web_ms") / 1000 / BUSY,
        "worker": demand.total(costs, "worker_ms") / 1000 / BUSY,
        "database": demand.total(costs, "database_ms") / 1000 / BUSY,
        "flushes": demand.total(costs, "flushes"),
        "newstore": demand.total(costs, "newstore_calls"),
        "megabits": demand.total(costs, "kilobytes") * 8 / 1000,
    }


def first_limit(stores: int, costs: dict[str, Cost], calls: Calls, habits: Habits) -> tuple[str, float]:
    """Return which limit is nearest, and how much of it is used. Web and workers are left out: processes
    and machines may be added."""
    need = needs(stores, costs, habits)
    used = {
        f"{calls.vendor}'s calls": Demand.of(stores, habits).calls(calls, habits) / calls.per_s,
        "NewStore's calls": need["newstore"] / NEWSTORE_PER_S,
        "the disk": need["flushes"] / FLUSHES,
        "the database's processors": need["database"] * BUSY / 16,
    }
    name = max(used, key=lambda each: used[each])
    return name, used[name]


def stores_within(share_of_limit: float, calls: Calls, habits: Habits) -> int:
    """Return how many stores fill `share_of_limit` of the vendor's limit."""
    one = Demand.of(1, habits).calls(calls, habits)
    return math.floor(share_of_limit * calls.per_s / one)


# --- The document ---------------------------------------------------------------------------------


def tables(figures: dict[str, Any]) -> str:
    """Return the Markdown that stands in docs/capacity.md."""
    costs = {step: Cost(**cost) for step, cost in figures["costs"].items()}
    vendors = [Calls(vendor=vendor, **calls) for vendor, calls in figures["calls"].items()]
    habits = Habits()
    lines = _head("step", "web, ms", "PostgreSQL, ms", "worker, ms", "flushes", "NewStore calls", "kB")
    for step, cost in costs.items():
        lines.append(_row(step, *(f"{value:.1f}" for value in astuple(cost))))
    lines += [
        "",
        *_head(
            "stores", "launches/s", "taps/s", "events/s", "web cores", "worker cores", "PostgreSQL cores",
            "flushes/s", "NewStore calls/s", "Mbit/s",
        ),
    ]  # fmt: skip
    for stores in STORES:
        lines.append(_row(f"{stores:,}", *map(_short, needs(stores, costs, habits).values())))
    lines += [
        "",
        *_head(
            "vendor", "calls of a launch", "of one more that day", "of a tap", "of a sale", "limit, calls/s",
            "calls/s at 1,000 stores", "stores within the limit", "at 10,000 stores, what fills up first",
        ),
    ]  # fmt: skip
    for calls in vendors:
        name, used = first_limit(10_000, costs, calls, habits)
        lines.append(
            _row(
                calls.vendor,
                *(f"{count:g}" for count in (calls.launch, calls.known_launch, calls.tap, calls.sale)),
                f"{calls.per_s:g}",
                _short(Demand.of(1_000, habits).calls(calls, habits)),
                f"{stores_within(1.0, calls, habits):,}",
                f"{name}, {used:.1f} times" if used > 1 else "nothing",
            )
        )
    return "\n".join(lines)


def _head(first: str, *others: str) -> list[str]:
    return [_row(first, *others), "|---|" + "---:|" * len(others)]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def with_tables(document: str, figures: dict[str, Any]) -> str:
    """Return the document with its tables computed again."""
    return re.sub(
        r"(<!-- tables -->\n).*?(<!-- end -->)",
        lambda found: f"{found[1]}{tables(figures)}\n{found[2]}",
        document,
        flags=re.DOTALL,
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.capacity", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="measure again, and keep the figures")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/capacity.md")
    options = parser.parse_args()
    figures = json.loads(FIGURES.read_text())
    if options.measure:
        from tests.load.costs import measure

        figures["costs"] = measure()
        FIGURES.write_text(json.dumps(figures, indent=2) + "\n")
    if options.write:
        DOCUMENT.write_text(with_tables(DOCUMENT.read_text(), figures))
    print(tables(figures))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
