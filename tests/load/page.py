"""What a member page costs: `python -m tests.load.page FIGURE`. See README.md beside this.

`rate`: 60 pages a second, beyond the vendor's slowest call. `rest`: one page at a time against one call.
`cpu`: processor time against a view that does nothing. `throughput`: pages a second against that view.
`cold`: the first page of a process against its later ones.
"""

import argparse
import http.client
import io
import itertools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from tests.load.stack import cpu_s, gunicorn, make_launches, make_program, process, production, wait_until
from tests.setup.ports import free_port
from tests.setup.postgres import find_server_programs, postgres_server

HERE = Path(__file__).parent
MEMBERS = 4000
RATE = 60


@dataclass
class Shop:
    """The running server; `pages` has a launch of another member each time."""

    port: int
    vendor_port: int
    vendor_ms: int
    folder: Path
    web: int = 0
    pages: Iterator[tuple[str, str]] = field(default_factory=lambda: iter(()))

    def open(self, due: float | None = None) -> float:
        """Open a member page over a new connection; return milliseconds since `due`, or since now."""
        launch_id, secret = next(self.pages)
        started = time.perf_counter() if due is None else due
        headers = {"Cookie": f"launch={secret}", "Accept-Language": "en", "Accept-Encoding": "gzip"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as web:
            web.request("GET", f"/l/{launch_id}/", headers=headers)
            response = web.getresponse()
            body = response.read()
        assert response.status == 200, body[:2000]
        return (time.perf_counter() - started) * 1000

    def is_alive(self) -> bool:
        """Return whether a web process takes requests."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as web:
            web.request("GET", "/healthz")
            return web.getresponse().status == 200

    def call(self) -> float:
        """Make one bare call to the vendor; return milliseconds."""
        started = time.perf_counter()
        with closing(http.client.HTTPConnection("127.0.0.1", self.vendor_port, timeout=30)) as vendor:
            vendor.request("GET", "/v1/customers/m-0")
            vendor.getresponse().read()
        return (time.perf_counter() - started) * 1000

    def wrk(self, script: str, address: str, seconds: int, *arguments: str) -> float:
        """Return requests a second over 16 connections."""
        url = f"http://127.0.0.1:{self.port}{address}"
        command = ["wrk", "-t1", "-c16", f"-d{seconds}s", "-s", str(HERE / script), url, "--", *arguments]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate, _p50, _p99, bad = (float(text) for text in out.split("RESULT ")[1].split())
        assert not bad, f"{bad:.0f} errors"
        return rate


def rate(shop: Shop, seconds: int) -> None:
    """Pages at even distances, whether the earlier ones have their answers or not."""
    start = time.perf_counter() + 0.5

    def open_at(number: int) -> float:
        due = start + number / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        return shop.open(due)

    with ThreadPoolExecutor(40) as pool:
        beyond = sorted(ms - shop.vendor_ms for ms in pool.map(open_at, range(RATE * seconds)))
    say(f"{RATE} pages a second, beyond the slowest call, ms: p50 {beyond[len(beyond) // 2]:.1f}, p95")
    say(f"{beyond[len(beyond) * 95 // 100]:.1f}")


def rest(shop: Shop, seconds: int) -> None:
    pages, calls = [], []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pages.append(shop.open())
        calls.append(shop.call())
    page, call = statistics.median(pages), statistics.median(calls)
    say(f"a page at rest {page:.1f} ms, one call {call:.1f} ms, ratio")
    say(f"{page / call:.3f}")


def cpu(shop: Shop, seconds: int) -> None:
    """In one process first: requests straight into the WSGI application, then the whole server's."""
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()

    def ask(path: str, cookie: str = "") -> None:
        environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": "127.0.0.1", "HTTP_COOKIE": cookie}
        environ |= {"REMOTE_ADDR": "127.0.0.1", "HTTP_ACCEPT_LANGUAGE": "en"}
        setup_testing_defaults(environ)
        status = []
        response = application(environ, lambda line, _headers, exc_info=None: status.append(line))
        body = b"".join(response)
        response.close()  # type: ignore[attr-defined]
        assert status[0].startswith("200"), body[:2000]

    def page_in_process() -> None:
        launch_id, secret = next(shop.pages)
        ask(f"/l/{launch_id}/", f"launch={secret}")

    def hello_in_process() -> None:
        ask("/hello/")

    def hello_over_http() -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", shop.port, timeout=30)) as web:
            web.request("GET", "/hello/")
            web.getresponse().read()

    def cost(run: Callable[[], object], clock: Callable[[], float], count: int) -> float:
        before = clock()
        for _ in range(count):
            run()
        return (clock() - before) * 1000 / count

    inside: dict[str, list[float]] = {"hello": [], "page": []}
    whole: dict[str, list[float]] = {"hello": [], "page": []}
    pages = max(20, 15 * seconds)
    for _ in range(10):
        page_in_process()
        shop.open()
    for _round in range(3):
        inside["hello"].append(cost(hello_in_process, time.process_time, 10 * pages))
        inside["page"].append(cost(page_in_process, time.process_time, pages))
        whole["hello"].append(cost(hello_over_http, lambda: cpu_s(shop.web), 10 * pages))
        whole["page"].append(cost(shop.open, lambda: cpu_s(shop.web), pages))
    ratios = []
    for title, found in (("in one process", inside), ("whole server", whole)):
        hello, page = (statistics.median(found[name]) for name in ("hello", "page"))
        ratios.append(page / hello)
        say(f"{title}: page {page:.2f} ms, hello {hello:.3f} ms, ratio {ratios[-1]:.1f}")
    say(" ".join(f"{ratio:.1f}" for ratio in ratios))


def throughput(shop: Shop, seconds: int) -> None:
    if not shutil.which("wrk"):
        sys.exit("needs wrk (Debian: apt-get install wrk)")
    addresses = shop.folder / "pages"
    addresses.write_text("".join(f"/l/{pk}/ {secret}\n" for pk, secret in itertools.islice(shop.pages, 400)))
    shop.wrk("page.lua", "/", 2, str(addresses))  # warm
    found = []
    for _round in range(3):
        hello = shop.wrk("hello.lua", "/hello/", seconds)
        page = shop.wrk("page.lua", "/", seconds, str(addresses))
        found.append(page / hello)
        say(f"pages a second {page:.0f}, empty view {hello:.0f}, ratio {page / hello:.3f}")
    say(f"{statistics.median(found):.3f}")


def cold(shop: Shop, seconds: int) -> None:
    """Three fresh processes: the first page of each against the median of the next twenty."""
    ratios = []
    for _round in range(3):
        port = shop.port = free_port()
        with gunicorn(port, shop.folder / "cold.log", PORT=str(port)):
            wait_until(shop.is_alive)
            first, later = shop.open(), [shop.open() for _ in range(20)]
        ratios.append(first / statistics.median(later))
        say(f"first page {first:.1f} ms, later ones {statistics.median(later):.1f} ms")
    say(f"{statistics.median(ratios):.2f}")


FIGURES = {"rate": rate, "rest": rest, "cpu": cpu, "throughput": throughput, "cold": cold}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.page", description=__doc__)
    parser.add_argument("figure", choices=FIGURES)
    parser.add_argument("--vendor", choices=["http", "memory", "house"], help="instead of the figure's own")
    parser.add_argument("--vendor-ms", type=int, default=50, help="how long the vendor over HTTP takes")
    parser.add_argument("--seconds", type=int, default=5, help="length of each run")
    parser.add_argument("--sqlite", action="store_true", help="SQLite instead of PostgreSQL")
    options = parser.parse_args()
    vendor = options.vendor or ("memory" if options.figure == "throughput" else "http")
    programs = find_server_programs()
    if programs is None and not options.sqlite:
        sys.stderr.write("PostgreSQL is needed: make test finds or installs it\n")
        return 1
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        sqlite = nullcontext(f"sqlite:///{folder}/load.sqlite3")
        assert programs is not None or options.sqlite
        database = ends.enter_context(
            sqlite if options.sqlite or programs is None else postgres_server(programs, is_durable=True)
        )
        shop = Shop(free_port(), free_port(), options.vendor_ms, folder)
        ends.enter_context(_running(shop, vendor, database))
        FIGURES[options.figure](shop, options.seconds)
    return 0


@contextmanager
def _running(shop: Shop, vendor: str, database: str) -> Iterator[None]:
    """Migrate, load, start the vendor and web."""
    os.environ.update(production("tests.load.page_settings", database, shop.port))
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    members = [f"m-{number}" for number in range(MEMBERS)]
    if vendor == "house":
        program, members = _load_house()
    elif vendor == "memory":
        program = make_program(provider_kind="memory")
    else:
        address = f"http://127.0.0.1:{shop.vendor_port}"
        settings = {"base_url": address, "api_key": "k", "calls_per_minute": 1_000_000}
        program = make_program(provider_kind="stampcard", provider_settings=settings)
    shop.pages = iter(make_launches(program, members))
    connections.close_all()
    log = shop.folder / "processes.log"
    reading_vendor = ("tests.load.reading_vendor", str(shop.vendor_port), str(shop.vendor_ms))
    with process(*reading_vendor, port=shop.vendor_port, log=log), gunicorn(shop.port, log) as shop.web:
        for _ in range(20):  # warm
            shop.open()
        yield


def _load_house() -> tuple[Any, list[str]]:
    """The sample's program with its rewards and tiers, and members with points."""
    from django.core.management import call_command

    from loyaltyview.programs.models import Program
    from providers.house.ledger import adjust
    from providers.types import Consents, MemberProfile

    os.environ.update(
        NEWSTORE_API_URL="http://127.0.0.1:1", NEWSTORE_IDENTITY_URL="http://127.0.0.1:1",
        NEWSTORE_CLIENT_SECRET="x", NEWSTORE_EVENT_KEY="x",
    )  # fmt: skip
    silent: dict[str, Any] = {"verbosity": 0, "stdout": io.StringIO()}
    call_command("load_program", "samples/acme.toml", **silent)
    call_command("house_load", "samples/house.toml", **silent)
    program = Program.objects.get()
    refs = []
    for number in range(200):
        profile = MemberProfile(email=f"member-{number}@example.test", first_name="Mia")
        refs.append(program.provider().enrol(profile, Consents()).ref)
        adjust("acme", refs[-1], 820, reference=f"load:{number}", note="", tier_points=820)
    return program, refs * (MEMBERS // len(refs))


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
