"""Measures what a vendor's default limit allows. `python -m tests.load.budget`: see README.md beside this.

Twelve tills tap at once at Yotpo's 5 calls a second; ten sales a minute at Pongo's 60 calls a minute. Web
processes, worker and PostgreSQL are real; NewStore and the vendor are the sandbox, strict about its limit.
"""

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.kill.till import Forms, found, problem_of
from tests.load.stack import wait_until
from tests.setup.ports import free_port
from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
SECRET = "vendor-secret"
GIVE_UP_S = 45.0
AGAIN_S = 3.0  # the associate's pause before the tap is tried again
LOOKS_S = 2.0  # the associate's time to read the page
RUNS = ("warm", "cold", "twins", "pongo")
REWARDS = {"yotpo": "90210", "pongo": "rew_0000000501"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.budget", description=__doc__)
    parser.add_argument("--processes", type=int, default=2, help="web processes")
    parser.add_argument("--tills", type=int, default=12, help="tills that tap at once at Yotpo")
    parser.add_argument("--minutes", type=float, default=3, help="length of the run at Pongo")
    parser.add_argument("--sales", type=int, default=10, help="sales a minute at Pongo")
    parser.add_argument("--only", choices=RUNS, help="one run only")
    options = parser.parse_args()
    programs = find_server_programs()
    if programs is None:
        sys.stderr.write("PostgreSQL is needed: make test finds or installs it\n")
        return 1
    if options.only is None:  # each in a process of its own: Django is set up once
        for name in RUNS:
            subprocess.run(
                [sys.executable, "-m", "tests.load.budget", *sys.argv[1:], "--only", name], check=True
            )
        return 0
    run = {
        "warm": lambda shop: tap_at_once(shop, options.tills, idle_s=1),
        "cold": lambda shop: tap_at_once(shop, options.tills, idle_s=35),
        "twins": tap_together,
        "pongo": lambda shop: sell(shop, options.sales, options.minutes),
    }[options.only]
    vendor = "pongo" if options.only == "pongo" else "yotpo"
    with (
        postgres_server(programs) as database,
        tempfile.TemporaryDirectory() as folder,
        running(vendor, database, Path(folder), options.processes) as shop,
    ):
        run(shop)
    return 0


@dataclass(slots=True)
class Shop:
    """The running stack. `calls` has the time and the answer of each call to the vendor."""

    vendor: str
    sandbox: Any
    calls: list[tuple[float, str, int]] = field(default_factory=list)
    people: int = 0

    def enrol(self) -> Any:
        """Return the app of a till, in whose cart is a new member with points."""
        from loyaltyview.sandbox.associate_app import AssociateApp
        from loyaltyview.sandbox.sample import CUSTOMERS, Customer

        self.people += 1
        number = self.people
        email, phone = f"member-{number}@example.test", f"1617555{number:04}"
        CUSTOMERS[f"c-{number}"] = Customer(
            key=f"c-{number}",
            profile_id=f"NS-{number}",
            display_id=f"C-{number}",
            first_name="Mia",
            last_name="Stone",
            email=email,
        )
        self._add_member(number, email, phone)
        box = self.sandbox
        app = AssociateApp(box.config, box.lock, box.idp, box.carts, box.coupons, box.orders)
        note = app.log_in("a-17")
        assert app.external_identity, note
        app.new_cart(f"c-{number}", "shirts")
        return app

    def _add_member(self, number: int, email: str, phone: str) -> None:
        if self.vendor == "yotpo":
            from loyaltyview.sandbox.vendors.yotpo.state import Customer

            customer = Customer(email=email, third_party_id=f"SHOP-{number}", points_balance=820)
            self.sandbox.vendor.books.customers.append(customer)
        else:
            customer = self.sandbox.vendor.book.add_customer(phone)
            customer.email, customer.points = email, 820

    def most_in(self, window_s: float) -> int:
        """Return how many calls the fullest window held."""
        times = sorted(at for at, _what, _status in self.calls)
        return max((sum(at <= each < at + window_s for each in times) for at in times), default=0)

    def report(self, window_s: float, since: int = 0) -> None:
        made = self.calls[since:]
        say(f"  calls {len(made)}, answered 429: {sum(status == 429 for _, _, status in made)}, ")
        say(f"  most in {window_s:.0f} s: {self.most_in(window_s)}")
        for what, count in Counter(what for _at, what, _status in made).most_common():
            say(f"    {count:4} {what}")


class Till:
    """One associate's page, by plain forms."""

    def __init__(self, app: Any) -> None:
        self.app, self.web = app, requests.Session()
        self.taps, self.told, self.page = 0, "", ""
        self.pages_without = 0

    def open(self) -> None:
        """Open the page from the cart, and again while it has no rewards."""
        until = time.monotonic() + GIVE_UP_S
        answer = self.web.get(self.app.launch_url(), timeout=60)
        while True:
            self.url, self.page = answer.url, answer.text
            if 'data-state="available"' in self.page or time.monotonic() > until:
                return
            self.pages_without += 1
            time.sleep(AGAIN_S)
            answer = self.web.get(self.url.partition("?")[0], timeout=60)

    def form(self, item: str) -> tuple[str, dict[str, str]]:
        for action, fields in Forms(self.page).found:
            if "/redeem/" in action and fields.get("item") == item:
                return requests.compat.urljoin(self.url, action), fields
        return "", {}

    def redeem(self, item: str) -> str:
        """Tap until there is a code; return it, "" without one."""
        until = time.monotonic() + GIVE_UP_S
        address, fields = self.form(item)
        while address and time.monotonic() < until:
            self.taps += 1
            answer = self.web.post(address, data=fields, timeout=60)
            if code := found(r'<code id="code[^"]*">([^<]+)<', answer.text):
                self.page = answer.text
                return code
            wait = found(r'data-wait="(\d+)"', answer.text)
            if wait:
                self.told = self.told or wait
            else:
                self.told = problem_of(answer.text) or found(r'data-state="([^"]+)"', answer.text)
            time.sleep(float(wait) if wait else AGAIN_S)
        return ""


def tap_at_once(shop: Shop, tills: int, idle_s: float) -> None:
    """`tills` tills with an open page; all tap at the same moment."""
    say(f"\nYotpo at 5 calls a second: {tills} tills tap at once, {idle_s:.0f} s after their pages")
    opened = []
    for _ in range(tills):
        till = Till(shop.enrol())
        till.open()
        opened.append(till)
    pages = len(shop.calls)
    say(f"  calls of {tills} pages: {pages}")
    time.sleep(idle_s)
    together, started = threading.Barrier(tills), time.monotonic()

    def tap(number: int) -> tuple[int, float, str]:
        together.wait()
        time.sleep(number * 0.02)  # a fixed order of arrival
        code = opened[number].redeem(REWARDS["yotpo"])
        return number, time.monotonic() - started, code

    with ThreadPoolExecutor(tills) as pool:
        done = sorted(pool.map(tap, range(tills)), key=lambda each: each[1])
    coded = [each for each in done if each[2]]
    say(f"  codes {len(coded)} of {tills}, the last after {coded[-1][1] if coded else 0:.1f} s")
    say("  order of codes: " + " ".join(str(number) for number, _s, _code in coded))
    say("  seconds:        " + " ".join(f"{seconds:.1f}" for _n, seconds, _code in coded))
    say("  told to wait:   " + " ".join(opened[number].told or "-" for number, _s, _code in done))
    shop.report(1.0, pages)


def tap_together(shop: Shop) -> None:
    """The same tap 64 times at once."""
    say("\nYotpo: the same tap 64 times at once")
    till = Till(shop.enrol())
    till.open()
    since = len(shop.calls)
    address, fields = till.form(REWARDS["yotpo"])
    cookies = till.web.cookies.get_dict()
    together = threading.Barrier(64)

    def tap(_number: int) -> tuple[int, str]:
        together.wait()
        answer = requests.post(address, data=fields, cookies=cookies, timeout=60, allow_redirects=False)
        return answer.status_code, answer.headers.get("Location", "") or problem_of(answer.text)

    with ThreadPoolExecutor(64) as pool:
        say(f"  answers: {Counter(pool.map(tap, range(64)))}")
    shop.report(1.0, since)


def sell(shop: Shop, per_minute: int, minutes: float) -> None:
    """Sales at even distances: launch, page, tap, order; the worker reports them."""
    count = round(per_minute * minutes)
    say(f"\nPongo at 60 calls a minute: {per_minute} sales a minute for {minutes:g} minutes")
    started = time.monotonic()

    def sale(number: int) -> tuple[bool, float, Till]:
        time.sleep(max(0.0, started + number * 60 / per_minute - time.monotonic()))
        begun = time.monotonic()
        till = Till(shop.enrol())
        till.open()
        time.sleep(LOOKS_S)
        code = till.redeem(REWARDS["pongo"])
        if code:
            link = found(r'id="handoff" href="([^"]+)"', till.page).replace("&amp;", "&")
            till.app.apply(link)
        till.app.pay()
        return bool(code), time.monotonic() - begun, till

    with ThreadPoolExecutor(count) as pool:
        sales = list(pool.map(sale, range(count)))
    sold_s = time.monotonic() - started
    orders = shop.sandbox.vendor.book.orders
    until = time.monotonic() + 120
    while len(orders) < count and time.monotonic() < until:
        time.sleep(0.5)
    took_s = time.monotonic() - started
    good = sum(is_good for is_good, _s, _till in sales)
    say(f"  sales with their reward {good} of {count} in {sold_s:.0f} s: {good * 60 / sold_s:.1f} a minute")
    say(f"  pages without rewards {sum(till.pages_without for _g, _s, till in sales)}")
    slow = sorted(seconds for _g, seconds, _till in sales)
    say(f"  from cart to order, s: p50 {slow[len(slow) // 2]:.1f}, longest {slow[-1]:.1f}")
    say(f"  orders reported {len(orders)} of {count}, the last after {took_s:.0f} s")
    shop.report(60.0)
    say(f"  calls a sale {len(shop.calls) / count:.1f}")


@contextmanager
def running(
    vendor: str, database: str, folder: Path, processes: int, *, calls_per_s: int = 5
) -> Iterator[Shop]:
    """Migrate, load, start web, worker, NewStore and vendor; stop them. Yotpo allows `calls_per_s`, 0 for
    any number."""
    from cryptography.fernet import Fernet

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ.update(
        DJANGO_SETTINGS_MODULE="tests.load.budget_settings",
        ENV_FILE="",
        SECRET_KEY=secrets.token_urlsafe(48),
        CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        DATABASE_URL=database,
        COOKIE_SECURE="false",
        LOG_LEVEL="WARNING",
        WEB_HOST="127.0.0.1",
        PORT=str(port),
        WEB_PROCESSES=str(processes),
        ALLOW_PRIVATE_ADDRESSES="true",
        SANDBOX="true",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    with ExitStack() as ends:
        shop = _serve(vendor, url, ends, calls_per_s)
        _load(vendor, shop, calls_per_s)
        log = ends.enter_context((folder / "processes.log").open("w"))
        for command in (
            [sys.executable, "-m", "gunicorn", "-c", "loyaltyview/gunicorn.py", "loyaltyview.wsgi"],
            [sys.executable, "manage.py", "worker"],
        ):
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
            ends.callback(process.wait)
            ends.callback(process.terminate)
        wait_until(lambda: _answers(f"{url}/healthz"))
        try:
            yield shop
        except BaseException:
            sys.stderr.write((folder / "processes.log").read_text()[-4000:])
            raise


def _serve(vendor: str, url: str, ends: ExitStack, calls_per_s: int) -> Shop:
    """Serve NewStore and the vendor with its default limit, and record every call."""
    from loyaltyview.sandbox.app import Sandbox, SandboxConfig
    from loyaltyview.sandbox.serve import serve_in_thread

    sandbox = Sandbox(
        SandboxConfig(
            client_secret=secrets.token_hex(),
            loyalty_url=f"{url}/launch/acme/",
            identity_callback_url=f"{url}/identity/acme/",
            events_url=f"{url}/events/acme/newstore/",
            event_key=secrets.token_hex(),
            rate_limit_per_s=0,
            vendor=vendor,
            vendor_secret=SECRET,
        )
    )
    shop = Shop(vendor=vendor, sandbox=sandbox)
    if vendor == "yotpo":
        sandbox.vendor.rate.rate_limit_per_s = calls_per_s
    else:
        sandbox.vendor.per_minute = 60
    respond = sandbox.vendor.respond

    def note(request: Any) -> Any:
        at = time.monotonic()
        response = respond(request)
        what = re.sub(r"/(cust_|member-)[^/]+", "/*", f"{request.method} {request.path}")
        shop.calls.append((at, re.sub(r"/rew_\w+", "/*", what), response.status_code))
        return response

    sandbox.vendor.respond = note
    server = serve_in_thread(sandbox)
    ends.callback(server.stop)
    return shop


def _load(vendor: str, shop: Shop, calls_per_s: int) -> None:
    from loyaltyview.programs.models import Program, Store
    from providers.registry import provider_class

    config, url = shop.sandbox.config, shop.sandbox.base_url
    given = {
        "yotpo": {"guid": SECRET, "api_key": SECRET, "platform": "generic", "rate_per_s": calls_per_s or 100},
        "pongo": {"access_token": SECRET, "client_id": "loyaltyview", "client_secret": SECRET},
    }[vendor]
    settings = provider_class(vendor).validate_settings({"base_url": f"{url}/vendor/{vendor}", **given})
    program = Program.objects.create(
        slug="acme",
        name="Acme Club",
        currency="USD",
        country="US",
        newstore_tenant=config.tenant,
        newstore_api_url=url,
        newstore_identity_url=f"{url}/auth/realms/{config.tenant}",
        newstore_client_id=config.client_id,
        newstore_client_secret=config.client_secret,
        newstore_event_key=config.event_key,
        newstore_rate_per_s=0,
        provider_kind=vendor,
        provider_settings=settings,
    )
    Store.objects.create(program=program, store_id="US_BOSTON_01", name="Boston", provider_store="boston-1")


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False


if __name__ == "__main__":
    sys.exit(main())
