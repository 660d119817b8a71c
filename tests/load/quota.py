"""Measures what Yotpo's default limit carries. `python -m tests.load.quota`: see README.md beside this.

Customers who were here before open pages at 20 launches a second; the account allows 5 calls a second. Web
processes and PostgreSQL are real; NewStore and Yotpo are the sandbox, strict about its limit.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.load.budget import Shop, Till, running, say
from tests.setup.postgres import find_server_programs, postgres_server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.quota", description=__doc__)
    parser.add_argument("--processes", type=int, default=1, help="web processes")
    parser.add_argument("--members", type=int, default=40, help="customers who come again")
    parser.add_argument("--rate", type=float, default=20, help="launches a second")
    parser.add_argument("--seconds", type=float, default=15, help="length of the run")
    options = parser.parse_args()
    programs = find_server_programs()
    if programs is None:
        sys.stderr.write("PostgreSQL is needed: make test finds or installs it\n")
        return 1
    with (
        postgres_server(programs) as database,
        tempfile.TemporaryDirectory() as folder,
        running("yotpo", database, Path(folder), options.processes) as shop,
    ):
        measure(shop, options.members, options.rate, options.seconds)
    return 0


def measure(shop: Shop, members: int, rate: float, seconds: float) -> None:
    apps = [shop.enrol() for _ in range(members)]
    for app in apps:  # slowly: each of these pages reads everything
        Till(app).open()
        time.sleep(0.7)
    since, count = len(shop.calls), round(rate * seconds)
    started = time.monotonic()

    def launch(number: int) -> tuple[str, float]:
        time.sleep(max(0.0, started + number / rate - time.monotonic()))
        app, begun = apps[number % members], time.monotonic()
        app.new_cart(app.customer_key, "shirts")
        till = Till(app)
        page = till.web.get(app.launch_url(), timeout=60).text
        return page, time.monotonic() - begun

    with ThreadPoolExecutor(32) as pool:
        pages = list(pool.map(launch, range(count)))
    took_s = time.monotonic() - started
    rewards = max(len(shown(page)) for page, _s in pages)
    full = [page for page, _s in pages if "data-points=" in page and len(shown(page)) == rewards]
    old = [page for page in full if "data-as-of=" in page]
    slow = sorted(page_s for _page, page_s in pages)
    say(f"launches {count} in {took_s:.1f} s, p50 {slow[count // 2] * 1000:.0f} ms, longest {slow[-1]:.1f} s")
    say(f"  with balance and all {rewards} rewards: {len(full)}, of which say their age: {len(old)}")
    shop.report(1.0, since)
    say(f"launches a second that show balance and all rewards: {len(full) / took_s:.1f}")


def shown(page: str) -> set[str]:
    """Return the rewards on the page, in the frame or in what followed it."""
    return {part.partition('"')[0] for part in page.split('data-reward="')[1:]}


if __name__ == "__main__":
    sys.exit(main())
