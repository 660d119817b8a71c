"""How many events a second workers handle on PostgreSQL (durable), by engine and number of processes:
`python -m tests.load.workers [--orders 200] [--vendor-s 0 0.1]`.

Each order has three events, and one call to a vendor that takes `--vendor-s` seconds. 50 members share them.
Use the ratios: machines are noisy, and processes share this one's cores with the database.
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = 50
ROUNDS = [
    ("rows", 1),
    ("rows", 2),
    ("rows", 4),
    ("procrastinate", 1),
    ("procrastinate", 2),
    ("procrastinate", 4),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.workers")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--vendor-s", type=float, nargs="+", default=[0, 0.1])
    options = parser.parse_args()
    programs = find_server_programs()
    if programs is None:
        sys.exit("PostgreSQL's server programs were not found")
    with postgres_server(programs, is_durable=True) as url:
        os.environ.update(
            DATABASE_URL=url, WORK_ENGINE="procrastinate", DJANGO_SETTINGS_MODULE="tests.load.worker_settings"
        )
        django.setup()
        prepare()
        for vendor_s in options.vendor_s:
            for engine, processes in ROUNDS:
                rate = measure(engine, processes, vendor_s, options.orders)
                sys.stdout.write(f"vendor {vendor_s:g} s, {engine} x {processes}: {rate:.0f} events/s\n")
                sys.stdout.flush()


def prepare() -> None:
    """Migrate, and make a program with its members."""
    from django.core.management import call_command

    from loyaltyview.programs.models import Program
    from providers.house.models import EarnRule
    from providers.types import Consents, MemberProfile

    call_command("migrate", verbosity=0)
    program = Program.objects.create(
        slug="acme", name="Acme Club", currency="USD", country="US", newstore_tenant="acme-staging",
        newstore_api_url="http://127.0.0.1:1", newstore_identity_url="http://127.0.0.1:1",
        newstore_client_id="x", newstore_client_secret="x", newstore_event_key="x", provider_kind="house",
    )  # fmt: skip
    EarnRule.objects.create(program="acme", points_per_unit=1)
    for number in range(MEMBERS):
        program.provider().enrol(MemberProfile(email=f"member-{number}@example.test"), Consents())


def measure(engine: str, processes: int, vendor_s: float, orders: int) -> float:
    """Store events that are not due yet, start the workers, make the events due, and return how many a second
    were handled from then on."""
    from django.db.models import Max
    from django.utils import timezone

    from loyaltyview.events.models import Event, EventState
    from loyaltyview.work.models import Heartbeat
    from loyaltyview.work.registry import wake

    prefix = f"{engine}-{processes}-{vendor_s:g}"
    for number in range(orders):
        store(f"{prefix}-{number}", f"member-{number % MEMBERS}@example.test")
    events = Event.objects.filter(subject__startswith=f"{prefix}-")
    environ = {**os.environ, "WORK_ENGINE": engine, "VENDOR_S": str(vendor_s)}
    workers = [
        subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, env=environ)
        for _ in range(processes)
    ]
    try:
        while Heartbeat.objects.count() < processes:
            time.sleep(0.1)
        time.sleep(3)  # until the slowest worker listens
        started = timezone.now()
        events.update(due_at=started)
        wake()
        while events.filter(state=EventState.WAITING).exists():
            time.sleep(0.1)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
    Heartbeat.objects.all().delete()
    assert events.filter(state=EventState.DONE).count() == 3 * orders
    done_at = events.aggregate(last=Max("done_at"))["last"]
    return 3 * orders / float((done_at - started) / timedelta(seconds=1))


def store(order_id: str, email: str) -> None:
    from django.utils import timezone

    from loyaltyview.events.inbox import store_delivery
    from loyaltyview.events.models import Event
    from loyaltyview.programs.models import Program
    from tests.events.deliveries import completed, envelope, item, order

    program = Program.objects.get()
    payload = order(id=order_id, customer_email=email, discounts=[], items=[item(discounts=[])])
    for name in ("order.created", "order.opened"):
        store_delivery(program, envelope(name, payload), {})
    store_delivery(program, envelope("order.completed", completed(id=order_id)), {})
    Event.objects.filter(subject=order_id).update(due_at=timezone.now() + timedelta(days=1))


if __name__ == "__main__":
    main()
