"""`manage.py sandbox`: a NewStore to run against, with a simulated Associate App in the browser.

For development only. The client secret and the event key are in SANDBOX_CLIENT_SECRET and SANDBOX_EVENT_KEY.
"""

import os
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.serve import PortTaken, serve_in_thread
from loyaltyview.sandbox.vendors import VENDORS


class Command(BaseCommand):
    help = "Serve a simulated NewStore and its Associate App on loopback, until SIGTERM or SIGINT."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8100, help="port of the API and the panel")
        parser.add_argument("--webview-port", type=int, help="port of the WebView; one above by default")
        parser.add_argument("--loyalty", default="http://127.0.0.1:8000", help="where LoyaltyView runs")
        parser.add_argument("--program", default="acme", help="slug of the program")
        parser.add_argument("--tenant", default="acme-staging", help="name of the NewStore tenant")
        parser.add_argument("--vendor", default="", help="loyalty vendor to play: " + ", ".join(VENDORS))
        parser.add_argument("--client-id", default="loyaltyview", help="id of the API client")

    def handle(self, *args: Any, **options: Any) -> None:
        loyalty, program = options["loyalty"].rstrip("/"), options["program"]
        config = SandboxConfig(
            tenant=options["tenant"],
            client_id=options["client_id"],
            client_secret=_secret("SANDBOX_CLIENT_SECRET"),
            loyalty_url=f"{loyalty}/launch/{program}/",
            identity_callback_url=f"{loyalty}/identity/{program}/",
            events_url=f"{loyalty}/events/{program}/newstore/",
            event_key=_secret("SANDBOX_EVENT_KEY"),
            vendor=options["vendor"],
            vendor_secret=_secret("SANDBOX_VENDOR_SECRET") if options["vendor"] else "",
            vendor_webhook_url=_vendor_hook(loyalty, program) if options["vendor"] else "",
            vendor_feed_folder=f"{settings.FEED_FOLDER}/{program}" if settings.FEED_FOLDER else "",
        )
        stopped = threading.Event()

        def stop(signum: int, frame: FrameType | None) -> None:
            stopped.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        webview_port = options["webview_port"] or options["port"] + 1
        try:
            running = serve_in_thread(Sandbox(config), options["port"], webview_port)
        except PortTaken as error:
            raise CommandError(
                f"Port {error.port} is taken: is a sandbox running already? "
                "Stop it or choose others with --port and --webview-port."
            ) from error
        self.stdout.write(f"Sandbox ready: {running.url}/ (WebView at {running.webview_url})")
        self.stdout.flush()
        stopped.wait()
        running.stop()


def _vendor_hook(loyalty: str, program: str) -> str:
    return f"{loyalty}/events/{program}/provider/{_secret('SANDBOX_WEBHOOK_SECRET')}/"


def _secret(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise CommandError(f"{name} is not set.")
    return value
