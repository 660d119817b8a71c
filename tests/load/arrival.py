"""The member page in a browser: `python -m tests.load.arrival FIGURE`. See README.md beside this.

`content`: from the launch to the balance on fast 3G. `known`: the same for a member whom an earlier launch
showed. `paint`: the first paint without throttling, for a slow vendor against none. `wire`: what a launch
transfers, in a browser that has nothing and in one that was here.
"""

import argparse
import json
import os
import secrets
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.load.stack import STORE, gunicorn, make_program, process, production
from tests.setup.chromium import find_chromium
from tests.setup.ports import free_port

VENDOR_MS = (0, 150, 800)
# The official React template's content on the same network, as a review measured it for these vendors.
TEMPLATE_MS = (2452, 2617, 2818)
# Fast 3G as browsers' tools emulate it: 1.6 and 0.75 Mbit/s less a tenth, and 150 ms as they count a request.
FAST_3G = {
    "offline": False,
    "latency": 562.5,
    "downloadThroughput": 1.6e6 * 0.9 / 8,
    "uploadThroughput": 750e3 * 0.9 / 8,
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
# Notes when the balance is on the screen: without its stylesheets a page has no frames.
NOTE_CONTENT = """
const look = () => {
  const shown = document.querySelector("[data-points]")?.getClientRects().length;
  requestAnimationFrame(shown ? () => { window.contentAt = performance.now(); } : look);
};
requestAnimationFrame(look);
"""


@dataclass
class Shop:
    """The running server with a program for each speed of the vendor, and a browser."""

    port: int
    programs: dict[int, Any]
    browser: Browser

    def launch_url(self, vendor_ms: int, member: str) -> str:
        """A launch from a new cart of the member, as the app makes it."""
        from loyaltyview.newstore.context import Associate
        from loyaltyview.newstore.identity import issue_identity

        program = self.programs[vendor_ms]
        cart = {
            "cartId": f"cart-{secrets.token_hex(6)}",
            "customerEmail": f"{member}@example.test",
            "cartTotal": 129.9,
            "currency": "USD",
            "items": [{"id": "1", "product_id": "SHIRT", "price": 129.9}],
        }
        launch = {
            "token": secrets.token_hex(16),
            "externalIdentity": issue_identity(program, Associate(associate_id="a-17", device_id="ipad-1")),
            "store": STORE,
            "cart": json.dumps(cart, separators=(",", ":")),
        }
        return f"http://127.0.0.1:{self.port}/launch/{program.slug}/?{urlencode(launch)}"

    @contextmanager
    def context(self) -> Iterator[BrowserContext]:
        """A browser that has nothing yet, with a phone's screen."""
        context = self.browser.new_context(viewport={"width": 390, "height": 844})
        try:
            yield context
        finally:
            context.close()

    def open(
        self, context: BrowserContext, vendor_ms: int, *, is_slow: bool, member: str = ""
    ) -> tuple[float, float, int]:
        """Launch, for another member each time unless one is named; return when the first paint and the
        content came, in ms, and the bytes of all bodies."""
        page = context.new_page()
        client = context.new_cdp_session(page)
        client.send("Network.enable")
        if is_slow:
            client.send("Network.emulateNetworkConditions", FAST_3G)
        heads: dict[str, int] = {}
        bodies: list[float] = []
        client.on(
            "Network.responseReceived",
            lambda event: heads.update({event["requestId"]: event["response"]["encodedDataLength"]}),
        )
        client.on(
            "Network.loadingFinished",
            lambda event: bodies.append(event["encodedDataLength"] - heads.get(event["requestId"], 0)),
        )
        page.add_init_script(NOTE_CONTENT)
        page.goto(self.launch_url(vendor_ms, member or secrets.token_hex(6)), wait_until="commit")
        page.locator("[data-points]").first.wait_for()
        page.wait_for_load_state("networkidle")
        paint, content = _times(page)
        page.close()
        return paint, content, round(sum(max(0, body) for body in bodies))


def _times(page: Page) -> tuple[float, float]:
    paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
    times: list[float] = page.evaluate(f"[{paint}, window.contentAt]")
    return times[0], times[1]


def content(shop: Shop, rounds: int, *, is_known: bool = False) -> None:
    found: dict[int, list[float]] = {ms: [] for ms in VENDOR_MS}
    paints: dict[int, list[float]] = {ms: [] for ms in VENDOR_MS}
    for _round in range(rounds):
        for vendor_ms in VENDOR_MS:
            member = secrets.token_hex(6)
            if is_known:
                with shop.context() as context:
                    shop.open(context, vendor_ms, is_slow=False, member=member)
            with shop.context() as context:
                paint, at, _bytes = shop.open(context, vendor_ms, is_slow=True, member=member)
            found[vendor_ms].append(at)
            paints[vendor_ms].append(paint)
    ratios = []
    for vendor_ms, template in zip(VENDOR_MS, TEMPLATE_MS, strict=True):
        at = statistics.median(found[vendor_ms])
        ratios.append(f"{at / template:.2f}")
        first = statistics.median(paints[vendor_ms])
        say(f"vendor {vendor_ms} ms: first paint {first:.0f} ms, content {at:.0f} ms, template {template} ms")
    say(" ".join(ratios))


def known(shop: Shop, rounds: int) -> None:
    content(shop, rounds, is_known=True)


def paint(shop: Shop, rounds: int) -> None:
    found: dict[int, list[float]] = {0: [], 800: []}
    with shop.context() as context:
        shop.open(context, 0, is_slow=False)  # what stays in the cache
        for _round in range(2 * rounds):
            for vendor_ms, paints in found.items():
                paints.append(shop.open(context, vendor_ms, is_slow=False)[0])
    none, slow = (statistics.median(paints) for paints in found.values())
    say(f"first paint: no vendor {none:.0f} ms, 800 ms {slow:.0f} ms, ratio")
    say(f"{slow / none:.2f}")


def wire(shop: Shop, rounds: int) -> None:
    for _round in range(rounds):
        with shop.context() as context:
            cold, warm = (shop.open(context, 0, is_slow=False)[2] for _visit in range(2))
    say(f"bytes of bodies: cold {cold}, warm {warm}; in kB")
    say(f"{cold / 1000:.1f} {warm / 1000:.1f}")


FIGURES = {"content": content, "known": known, "paint": paint, "wire": wire}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.arrival", description=__doc__)
    parser.add_argument("figure", choices=FIGURES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--static", help="folder of collected static files, kept for the next run")
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("Chromium is needed: make needs installs it\n")
        return 1
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        port, programs = ends.enter_context(_running(folder, options.static or f"{folder}/static"))
        playwright = ends.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        shop = Shop(port, programs, browser)
        for vendor_ms in VENDOR_MS:  # warm the server
            with shop.context() as context:
                shop.open(context, vendor_ms, is_slow=False)
        FIGURES[options.figure](shop, options.rounds)
        browser.close()
    return 0


@contextmanager
def _running(folder: Path, static: str) -> Iterator[tuple[int, dict[int, Any]]]:
    """Start a vendor of each speed, and web; yield its port and the programs."""
    port, vendor_ports = free_port(), {ms: free_port() for ms in VENDOR_MS}
    database = f"sqlite:///{folder}/load.sqlite3"
    os.environ.update(production("tests.load.arrival_settings", database, port, STATIC_ROOT=static))
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright leaves an event loop in this thread
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    programs = {
        ms: make_program(
            slug=f"acme{ms}",
            newstore_tenant=f"acme{ms}",
            provider_kind="stampcard",
            provider_settings={
                "base_url": f"http://127.0.0.1:{vendor_ports[ms]}",
                "api_key": "k",
                "calls_per_minute": 1_000_000,
            },
        )
        for ms in VENDOR_MS
    }
    connections.close_all()
    log = folder / "processes.log"
    with ExitStack() as processes:
        for ms, vendor_port in vendor_ports.items():
            command = ("tests.load.reading_vendor", str(vendor_port), str(ms))
            processes.enter_context(process(*command, port=vendor_port, log=log))
        processes.enter_context(gunicorn(port, log))
        yield port, programs


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
