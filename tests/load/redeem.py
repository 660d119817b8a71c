"""How long our own part of a redemption takes. `python -m tests.load.redeem`: see README.md beside this.

A tap waits for the vendor's reads (member and rewards) and NewStore's cart, all at the same time, for
NewStore's code, and for the vendor's spend: 3 times 50 ms. The house program waits for NewStore only: 2 times
50 ms. The time beyond these is our own.
"""

import argparse
import http.client
import os
import queue
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.load.stack import cpu_s, gunicorn, make_launches, make_program, process, production
from tests.setup.ports import free_port
from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
# What a tap waits for others, by the kind of vendor.
OTHERS_MS = {"stampcard": 150.0, "plain": 150.0, "house": 100.0}
REWARD = "off-5"
PRICE = 100
CART = {
    "currency": "USD",
    "total": "129.90",
    "items": [
        {"item_id": "1", "product_id": "SHIRT", "price": "89.95"},
        {"item_id": "2", "product_id": "SOCKS", "price": "39.95"},
    ],
}
AT_ONCE = 20
CSRF = "c" * 32


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.redeem", description=__doc__)
    parser.add_argument("--processes", type=int, default=2, help="web processes")
    parser.add_argument("--threads", type=int, default=32, help="threads of each")
    parser.add_argument("--seconds", type=int, default=15, help="length of each run")
    parser.add_argument("--rate", type=int, default=20, help="taps a second in the run of fixed rate")
    parser.add_argument("--vendor", choices=sorted(OTHERS_MS), default="plain", help="see README.md")
    options = parser.parse_args()
    programs = find_server_programs()
    if programs is None:
        sys.stderr.write("PostgreSQL is needed: make test finds or installs it\n")
        return 1
    with (
        postgres_server(programs, is_durable=True) as database,
        tempfile.TemporaryDirectory() as folder,
    ):
        port, newstore_port, vendor_port = free_port(), free_port(), free_port()
        os.environ.update(
            production(
                "tests.load.redeem_settings",
                database,
                port,
                LOG_LEVEL="INFO",
                WEB_PROCESSES=str(options.processes),
                WEB_THREADS=str(options.threads),
            )
        )
        with _running(Path(folder) / "web.log", port, newstore_port, vendor_port, options.vendor) as web:
            _measure(web, port, options)
    return 0


def _measure(web: int, port: int, options: argparse.Namespace) -> None:
    seconds: int = options.seconds
    count = AT_ONCE * 60 * seconds // 15 + options.rate * seconds + 300 * seconds + 200
    taps, others_ms = Taps(port, count), OTHERS_MS[options.vendor]
    taps.run_bursts(5)  # warm: connections, tokens, compiled queries
    print(f"{'':34}{'taps/s':>8}{'p50':>8}{'p95':>8}{'CPU/tap':>9}{'ours p50':>10}{'ours p95':>10}")  # noqa: T201
    for title, run in (
        ("one after another", lambda: taps.run_closed(1, seconds)),
        (f"{AT_ONCE} tills without a pause", lambda: taps.run_closed(AT_ONCE, seconds)),
        (f"{options.rate} a second", lambda: taps.run_at_rate(options.rate, seconds)),
        (f"{AT_ONCE} at once, every second", lambda: taps.run_bursts(seconds)),
    ):
        cpu, started = cpu_s(web), time.perf_counter()
        found = sorted(run())
        took_s, cpu_ms = time.perf_counter() - started, (cpu_s(web) - cpu) * 1000 / len(found)
        p50, p95 = found[len(found) // 2], found[len(found) * 95 // 100]
        print(  # noqa: T201
            f"{title:34}{len(found) / took_s:8.1f}{p50:8.1f}{p95:8.1f}{cpu_ms:9.1f}"
            f"{p50 - others_ms:10.1f}{p95 - others_ms:10.1f}"
        )


class Taps:
    """Members with a page open each, and three ways to tap. Every run returns milliseconds."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.pages = _open_pages(count)

    def run_closed(self, tills: int, seconds: int) -> list[float]:
        """`tills` tills, each tapping as soon as it has its answer."""
        until = time.perf_counter() + seconds

        def tap_on(_till: int) -> list[float]:
            found = []
            while time.perf_counter() < until:
                found.append(self.tap(time.perf_counter()))
            return found

        with ThreadPoolExecutor(tills) as pool:
            return [each for found in pool.map(tap_on, range(tills)) for each in found]

    def run_bursts(self, seconds: int) -> list[float]:
        """AT_ONCE taps at the same moment, every second."""
        return self._run_on_time([second + 0.0 for second in range(seconds) for _ in range(AT_ONCE)])

    def run_at_rate(self, rate: int, seconds: int) -> list[float]:
        """Taps at even distances, whether the earlier ones have their answers or not."""
        return self._run_on_time([number / rate for number in range(rate * seconds)])

    def _run_on_time(self, offsets: list[float]) -> list[float]:
        start = time.perf_counter() + 0.5

        def tap_at(offset: float) -> float:
            time.sleep(max(0.0, start + offset - time.perf_counter()))
            return self.tap(start + offset)

        with ThreadPoolExecutor(2 * AT_ONCE) as pool:
            return list(pool.map(tap_at, offsets))

    def tap(self, due: float) -> float:
        """Redeem on a page not used before; return the milliseconds since `due`."""
        launch_id, secret = self.pages.get_nowait()
        form = {"csrfmiddlewaretoken": CSRF, "key": secrets.token_urlsafe(16), "kind": "reward"}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"csrftoken={CSRF}; launch={secret}",
        }
        body = urlencode(form | {"item": REWARD, "cost": str(PRICE)})
        # A connection of its own: one that was kept might be closed by gunicorn just now.
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as web:
            web.request("POST", f"/l/{launch_id}/redeem/", body, headers)
            response = web.getresponse()
            page = response.read()
        took_ms = (time.perf_counter() - due) * 1000
        assert response.status == 303, page.decode()
        assert response.headers["Location"].endswith("?go=1"), response.headers["Location"]
        return took_ms


def _open_pages(count: int) -> "queue.SimpleQueue[tuple[str, str]]":
    """One launch a member, as the launch page would have left it: its address and its cookie."""
    from loyaltyview.programs.models import Program

    program = Program.objects.get()
    members = [secrets.token_hex(8).upper() for _ in range(count)]
    pages: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    for page in make_launches(program, members, CART):
        pages.put(page)
    if program.provider_kind == "house":
        _enrol(members)
    return pages


def _enrol(refs: Iterable[str]) -> None:
    """Make the house program: members with points, tiers, and the rewards that the vendor over HTTP has."""
    from providers.house.models import EarnRule, Member, Reward, Tier
    from tests.load.slow_vendor import POINTS, REWARDS

    for name, threshold in (("Bronze", 0), ("Silver", 500), ("Gold", 2000)):
        Tier.objects.create(program="acme", name=name, threshold=threshold)
    EarnRule.objects.create(program="acme", points_per_unit=1)
    for each in REWARDS:
        Reward.objects.create(
            program="acme", reward_id=each["id"], title=each["title"], cost=each["stamps"], kind="fixed",
            amount=int(str(each["cents_off"])) // 100,
        )  # fmt: skip
    Member.objects.bulk_create(
        (
            Member(program="acme", member_id=ref, email=f"{ref.lower()}@example.test", spendable=POINTS)
            for ref in refs
        ),
        batch_size=1000,
    )


@contextmanager
def _running(log: Path, port: int, newstore_port: int, vendor_port: int, vendor: str) -> Iterator[int]:
    """Migrate, load, start NewStore, vendor and web; yield the process id of gunicorn's master."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    _load(newstore_port, vendor_port, vendor)
    with (
        process("tests.load.slow_newstore", str(newstore_port), port=newstore_port, log=log),
        process("tests.load.slow_vendor", str(vendor_port), port=vendor_port, log=log),
        gunicorn(port, log) as web,
    ):
        yield web


def _load(newstore_port: int, vendor_port: int, vendor: str) -> None:
    url = f"http://127.0.0.1:{newstore_port}"
    make_program(
        newstore_api_url=url,
        newstore_identity_url=f"{url}/auth/realms/acme-staging",
        provider_kind=vendor,
        provider_settings={} if vendor == "house" else _account(vendor_port),
    )


def _account(vendor_port: int) -> dict[str, object]:
    return {
        "base_url": f"http://127.0.0.1:{vendor_port}",
        "api_key": secrets.token_hex(),
        "signing_secret": "",
        "calls_per_minute": 60_000,
    }


if __name__ == "__main__":
    sys.exit(main())
