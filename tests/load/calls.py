"""Counts the vendor's calls of a launch, and how long its first page takes. `python -m tests.load.calls`.

Four vendors, each by its sandbox; web process and NewStore are real, on SQLite. See README.md beside this.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.kill.till import Till
from tests.load.stack import gunicorn
from tests.setup.ports import free_port

VENDORS = ("yotpo", "antavo", "pongo", "whitelabel")
VENDOR_MS = 50
ROUNDS = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.calls", description=__doc__)
    parser.add_argument("--only", choices=VENDORS, help="one vendor only")
    options = parser.parse_args()
    if options.only:
        with tempfile.TemporaryDirectory() as folder, running(options.only, Path(folder)) as shop:
            measure(options.only, shop)
        return 0
    say("vendor        new  known  other goods  with a tap   first   known   again")
    for vendor in VENDORS:
        subprocess.run([sys.executable, "-m", "tests.load.calls", "--only", vendor], check=True)
    say("calls of a launch; and the time to the whole first page and to the page again, in vendor calls")
    return 0


class Shop:
    """The sandbox in this process. `calls` are those to the vendor."""

    def __init__(self, sandbox: Any) -> None:
        from loyaltyview.sandbox.associate_app import AssociateApp

        self.sandbox, self.calls = sandbox, list[str]()
        respond = sandbox.vendor.respond

        def note(request: Any) -> Any:
            self.calls.append(f"{request.method} {request.path}")
            return respond(request)

        sandbox.vendor.respond = note
        box = sandbox
        self.app = AssociateApp(box.config, box.lock, box.idp, box.carts, box.coupons, box.orders)
        self.app.log_in("a-17")

    def launch(self, goods: str = "shirts") -> tuple[Till, int, float]:
        """Open the page from a new cart; return it, the vendor's calls, and the seconds it took."""
        self.app.new_cart("mia", goods)
        address, since, started = self.app.launch_url(), len(self.calls), time.monotonic()
        till = Till(address)
        took_s = time.monotonic() - started
        time.sleep(0.5)  # what goes on behind the page counts as well
        return till, len(self.calls) - since, took_s


def measure(vendor: str, shop: Shop) -> None:
    shop.launch()  # a cold process, and the vendor's catalogues
    forget()
    new = later(shop).launch()[1]
    known = later(shop).launch()[1]
    other = later(shop).launch("jacket")[1]
    till = later(shop).launch()[0]
    # The frame of the page may stand before its content: only the content's forms are there to stay.
    till.page, since = till.page.rpartition("#early{display:none}")[2], len(shop.calls)
    till.tap("redeem", re.findall(r'name="item" value="([^"]+)"', till.page)[0])
    time.sleep(0.5)
    tapped = len(shop.calls) - since
    shop.sandbox.vendor.faults.slow_s = VENDOR_MS / 1000
    one_call_s = statistics.median(alone(shop) for _ in range(ROUNDS))
    first, seen, again = [], [], []
    for _ in range(ROUNDS):
        forget()
        first.append(later(shop).launch()[2])
        till, _calls, took_s = later(shop).launch()
        seen.append(took_s)
        later(shop)
        started = time.monotonic()
        till.open(till.member_url)
        again.append(time.monotonic() - started)
    in_calls = "".join(f"{statistics.median(each) / one_call_s:8.2f}" for each in (first, seen, again))
    say(f"{vendor:12}{new:5}{known:7}{other:13}{known + tapped:12}{in_calls}")


def later(shop: Shop) -> Shop:
    """Wait until no read is shared any more."""
    time.sleep(3.2)
    return shop


def alone(shop: Shop) -> float:
    """Return how long one call of the vendor takes by itself."""
    started = time.monotonic()
    requests.get(f"{shop.sandbox.base_url}/vendor/{shop.sandbox.vendor.kind}/nothing-here", timeout=10)
    return time.monotonic() - started


def forget() -> None:
    """Let the next launch find a customer whom no launch has seen."""
    from loyaltyview.webview.models import Launch

    Launch.objects.all().delete()
    try:
        from loyaltyview.webview.models import MemberSnapshot
    except ImportError:  # the former release
        return
    MemberSnapshot.objects.all().delete()


@contextmanager
def running(vendor: str, folder: Path) -> Iterator[Shop]:
    """Migrate, load the sample program, start the web process and the sandbox; stop them."""
    os.environ["SANDBOX"] = "true"  # before anything of it is imported
    from loyaltyview.sandbox.demo_environment import Ports, write_environment

    ports = Ports(web=free_port(), app=free_port(), proxy=free_port())
    database = f"sqlite:///{folder / 'calls.sqlite3'}"
    environ = write_environment(folder, ports, vendor=vendor, database=database) | {
        "DJANGO_SETTINGS_MODULE": "tests.load.budget_settings",
        "ENV_FILE": "",
        "DATABASE_URL": database,
        "COOKIE_SECURE": "false",
        "LOG_LEVEL": "ERROR",
        "DEBUG": "false",
        "WEB_HOST": "127.0.0.1",
        "PORT": str(ports.web),
        "WEB_PROCESSES": "1",
    }
    os.environ.update(environ)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nothing:
        call_command("load_program", f"samples/acme-{vendor}.toml", stdout=nothing)
    from loyaltyview.sandbox.app import Sandbox, SandboxConfig
    from loyaltyview.sandbox.serve import serve_in_thread

    url = ports.loyalty_url
    sandbox = Sandbox(
        SandboxConfig(
            client_secret=environ["NEWSTORE_CLIENT_SECRET"],
            loyalty_url=f"{url}/launch/acme/",
            identity_callback_url=f"{url}/identity/acme/",
            events_url=f"{url}/events/acme/newstore/",
            event_key=environ["NEWSTORE_EVENT_KEY"],
            vendor=vendor,
            vendor_secret=environ["SANDBOX_VENDOR_SECRET"],
        )
    )
    server = serve_in_thread(sandbox, ports.app, ports.proxy)
    try:
        with gunicorn(ports.web, folder / "web.log"):
            yield Shop(sandbox)
    finally:
        server.stop()


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
