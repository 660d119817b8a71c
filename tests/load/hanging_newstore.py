"""How long a program's events wait while NewStore hangs for others: `python -m tests.load.hanging_newstore`.

`--hanging 1 --seconds 30 --engine rows` are the defaults.

Starts PostgreSQL, one worker, and a NewStore that accepts and never answers. Its programs have 200 profile
links and 200 used codes to tell it. Beside them, a program with a healthy NewStore gets an event every half
second. The output is the time from the event's delivery to the end of its handling.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
ROWS = 200


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.hanging_newstore")
    parser.add_argument("--hanging", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--engine", default="rows")
    options = parser.parse_args()
    programs = find_server_programs()
    if programs is None:
        sys.exit("PostgreSQL's server programs were not found")
    with postgres_server(programs) as url, socket.create_server(("127.0.0.1", 0), backlog=2000) as newstore:
        os.environ.update(
            DATABASE_URL=url, WORK_ENGINE="procrastinate", VENDOR_S="0",
            DJANGO_SETTINGS_MODULE="tests.load.worker_settings", ALLOW_PRIVATE_ADDRESSES="true",
        )  # fmt: skip
        django.setup()
        prepare(options.hanging, f"http://127.0.0.1:{newstore.getsockname()[1]}")
        worker = subprocess.Popen(
            [sys.executable, "manage.py", "worker"],
            cwd=ROOT,
            env={**os.environ, "WORK_ENGINE": options.engine},
        )
        try:
            measure(options.seconds)
        finally:
            worker.kill()
            worker.wait()


def prepare(hanging: int, silent: str) -> None:
    """Migrate, and create the programs with their pending writes to NewStore."""
    from django.core.management import call_command
    from django.utils import timezone

    from loyaltyview.newstore.models import ProfileLink, UsedCode
    from loyaltyview.programs.models import Program
    from providers.house.models import EarnRule

    call_command("migrate", verbosity=0)
    for number in range(hanging + 1):
        slug = f"hanging-{number}" if number else "sound"
        program = Program.objects.create(
            slug=slug, name=slug, currency="USD", country="US", newstore_tenant="acme-staging",
            newstore_api_url=silent, newstore_identity_url=silent, newstore_client_id=slug,
            newstore_client_secret="x", newstore_event_key="x", newstore_disable_codes=True,
            newstore_coupon_api={}, provider_kind="house",
        )  # fmt: skip
        EarnRule.objects.create(program=slug, points_per_unit=1)
        if not number:
            continue
        now = timezone.now()
        ProfileLink.objects.bulk_create(
            ProfileLink(program=program, member_id=f"m-{row}", profile_id=f"p-{row}", due_at=now)
            for row in range(ROWS)
        )
        UsedCode.objects.bulk_create(
            UsedCode(program=program, code=f"c-{row}", coupon_name="x", due_at=now) for row in range(ROWS)
        )


def measure(seconds: int) -> None:
    """Deliver events, and print how long they took."""
    from loyaltyview.events.inbox import store_delivery
    from loyaltyview.events.models import Event
    from loyaltyview.programs.models import Program
    from loyaltyview.work.models import Heartbeat
    from tests.events.deliveries import envelope, item, order

    while not Heartbeat.objects.exists():
        time.sleep(0.1)
    time.sleep(5)
    program = Program.objects.get(slug="sound")
    until = time.monotonic() + seconds
    number = 0
    while time.monotonic() < until:
        number += 1
        payload = order(id=f"order-{number}", discounts=[], items=[item(discounts=[])])
        store_delivery(program, envelope("order.opened", payload), {})
        time.sleep(0.5)
    time.sleep(3)
    events = Event.objects.filter(program=program)
    waits = [(event.done_at - event.received_at) / timedelta(seconds=1) for event in events if event.done_at]
    median, worst = (statistics.median(waits), max(waits)) if waits else (0, 0)
    sys.stdout.write(f"{len(waits)} of {number} events handled, median {median:.2f} s, worst {worst:.2f} s\n")


if __name__ == "__main__":
    main()
