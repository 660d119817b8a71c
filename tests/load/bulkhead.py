"""Another program's pages while many wait for a vendor that hangs: `python -m tests.load.bulkhead`.

See README.md beside this. `--waiting 40 --rounds 5` are the defaults.
"""

import argparse
import http.client
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from tests.load.stack import gunicorn, make_launches, make_program, process, production
from tests.setup.ports import free_port

# Longer than any page waits.
HANGS_MS = 60_000
VENDOR_MS = 50
RATE = 20
# The pages that wait begin for so long; then, while they all wait, the other program's pages are measured.
BEGINNING_S, MEASURED_S = 0.8, 1.4


def open_page(port: int, launch_id: str, secret: str) -> float:
    """Return in how many milliseconds the whole page was there."""
    started = time.perf_counter()
    headers = {"Cookie": f"launch={secret}", "Accept-Encoding": "gzip"}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as web:
        web.request("GET", f"/l/{launch_id}/", headers=headers)
        response = web.getresponse()
        response.read()
    assert response.status in (200, 503), response.status
    return (time.perf_counter() - started) * 1000


def open_pages(port: int, pages: Iterator[tuple[str, str]]) -> list[float]:
    """Open RATE pages a second for MEASURED_S, one after another."""
    took = []
    start = time.perf_counter()
    for number in range(round(RATE * MEASURED_S)):
        time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
        took.append(open_page(port, *next(pages)))
    return took


@contextmanager
def waiting(port: int, pages: list[tuple[str, str]]) -> Iterator[None]:
    """Let a client wait for each of `pages`; at the end all have given up."""
    with ThreadPoolExecutor(len(pages)) as clients:
        started = [clients.submit(open_page, port, *page) for page in pages]
        time.sleep(BEGINNING_S)
        yield
        assert not any(client.done() for client in started), "the pages did not wait"


def p95(took: list[float]) -> float:
    return sorted(took)[len(took) * 95 // 100]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.bulkhead", description=__doc__)
    parser.add_argument("--waiting", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        port, quick, hanging = free_port(), free_port(), free_port()
        database = f"sqlite:///{folder}/load.sqlite3"
        os.environ.update(production("tests.load.page_settings", database, port, PAGE_DEADLINE_S="8"))
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        launches = []
        # A hanging program for each round: after one, its circuit breaker lets nobody wait.
        programs = [("acme", quick), *((f"hanging{number}", hanging) for number in range(options.rounds))]
        for slug, vendor_port in programs:
            settings = {"base_url": f"http://127.0.0.1:{vendor_port}", "api_key": "k"}
            program = make_program(
                slug=slug,
                newstore_tenant=slug,
                provider_kind="stampcard",
                provider_settings=settings | {"calls_per_minute": 1_000_000},
            )
            launches.append(make_launches(program, [f"{slug}-{number}" for number in range(1000)]))
        connections.close_all()
        log = folder / "processes.log"
        for vendor_port, takes_ms in ((quick, VENDOR_MS), (hanging, HANGS_MS)):
            command = ("tests.load.reading_vendor", str(vendor_port), str(takes_ms))
            ends.enter_context(process(*command, port=vendor_port, log=log))
        ends.enter_context(gunicorn(port, log))
        pages = iter(launches[0])
        open_pages(port, pages)  # warm
        quiet: list[float] = []
        beside: list[float] = []
        for hanging_pages in launches[1:]:
            quiet += open_pages(port, pages)
            with waiting(port, hanging_pages[: options.waiting]):
                beside += open_pages(port, pages)
    say(f"p95 of the other program's pages, ms: quiet {p95(quiet):.1f}, while {options.waiting} wait")
    say(f"{p95(beside):.1f}; more by")
    say(f"{p95(beside) - p95(quiet):.1f}")
    return 0


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
