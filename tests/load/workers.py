"""How many events a second workers handle on PostgreSQL (durable), by engine and number of processes:
`python -m tests.load.workers [--orders 200] [--vendor-s 0 0.1] [--engines rows] [--processes 1 4]`.

Each order has three events. The house program takes `--vendor-s` seconds longer to note it. Every fourth
order carries a reward's code. 50 members share the orders. Use the ratios and the workers' CPU time: machines
are noisy, and processes share this one's cores with the database.
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django

from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = 50
WITH_CODE = 4  # every fourth order
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.workers")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--vendor-s", type=float, nargs="+", default=[0, 0.1])
    parser.add_argument("--engines", nargs="+", default=["rows", "procrastinate"])
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
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
            for engine in options.engines:
                rates = []
                for processes in options.processes:
                    rate, cpu_ms = measure(engine, processes, vendor_s, options.orders)
                    rates.append(rate)
                    sys.stdout.write(
                        f"vendor {vendor_s:g} s, {engine} x {processes}: {rate:.0f} events/s,"
                        f" {cpu_ms:.1f} ms CPU of the workers an event\n"
                    )
                    sys.stdout.flush()
                most, fewest = options.processes[-1], options.processes[0]
                ratio = rates[-1] / rates[0]
                sys.stdout.write(f"{engine}: ratio of {most} processes to {fewest}: {ratio:.2f}\n")


def prepare() -> None:
    """Migrate, and make a program with its members."""
    from django.core.management import call_command

    from loyaltyview.programs.models import Program
    from providers.house.ledger import adjust
    from providers.house.models import EarnRule, Reward
    from providers.types import Consents, MemberProfile

    call_command("migrate", verbosity=0)
    program = Program.objects.create(
        slug="acme", name="Acme Club", currency="USD", country="US", newstore_tenant="acme-staging",
        newstore_api_url="http://127.0.0.1:1", newstore_identity_url="http://127.0.0.1:1",
        newstore_client_id="x", newstore_client_secret="x", newstore_event_key="x", provider_kind="house",
    )  # fmt: skip
    EarnRule.objects.create(program="acme", points_per_unit=1)
    Reward.objects.create(
        program="acme", reward_id="ten-off", title="$10 off", kind="fixed", amount=10, cost=200
    )
    for number in range(MEMBERS):
        member = program.provider().enrol(MemberProfile(email=email_of(number)), Consents())
        adjust("acme", member.ref, 1_000_000, reference=f"opening-{number}", note="")


def email_of(member: int) -> str:
    return f"member-{member}@example.test"


def measure(engine: str, processes: int, vendor_s: float, orders: int) -> tuple[float, float]:
    """Store events that are not due yet, start the workers, make the events due, and return how many a second
    were handled from then on, and the workers' CPU time an event in milliseconds."""
    from django.db.models import Max
    from django.utils import timezone

    from loyaltyview.events.models import Event, EventState
    from loyaltyview.work.models import Heartbeat
    from loyaltyview.work.registry import wake

    prefix = f"{engine}-{processes}-{vendor_s:g}"
    for number in range(orders):
        order_id, email = f"{prefix}-{number}", email_of(number % MEMBERS)
        store(order_id, email, reward_code(order_id, email) if number % WITH_CODE == 0 else "")
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
        started, before_s = timezone.now(), sum(map(cpu_s, workers))
        events.update(due_at=started)
        wake()
        while events.filter(state=EventState.WAITING).exists():
            time.sleep(0.1)
        used_s = sum(map(cpu_s, workers)) - before_s
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
    Heartbeat.objects.all().delete()
    assert events.filter(state=EventState.DONE).count() == 3 * orders
    done_at = events.aggregate(last=Max("done_at"))["last"]
    return 3 * orders / float((done_at - started) / timedelta(seconds=1)), used_s * 1000 / (3 * orders)


def cpu_s(process: "subprocess.Popen[bytes]") -> float:
    """Return the seconds of CPU time that the process has used; needs Linux."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def reward_code(order_id: str, email: str) -> str:
    """Return a code that was shown at the till, for which the member's points are held."""
    from django.utils import timezone

    from loyaltyview.programs.models import Program
    from loyaltyview.redemptions.models import IssuedCode, Redemption, State
    from loyaltyview.redemptions.serialization import discount_to_json, intent_of
    from loyaltyview.redemptions.transitions import spent_fields
    from providers.house.models import Member
    from providers.types import Discount, DiscountKind, Money

    now, code = timezone.now(), f"LOY-{order_id}".upper()
    member = Member.objects.get(email=email)
    ten_off = Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal(10), currency="USD"))
    total = {"amount": "100.00", "currency": "USD"}
    row = Redemption.objects.create(
        program=Program.objects.get(), state=State.REVEALED, key=order_id, fingerprint="f", launch_id="l",
        cart={"cart_id": order_id, "total": total, "items": [], "store": ""}, cart_id=order_id,
        member_ref=member.member_id, kind="reward", item_id="ten-off", title="$10 off", points=200,
        discount=discount_to_json(ten_off), saving=Decimal(10), currency="USD", code=code,
        code_expires_at=now + timedelta(minutes=15), requested_at=now, due_at=now + timedelta(days=1),
    )  # fmt: skip
    IssuedCode.objects.create(program=row.program, redemption=row, code=code, issued_at=now)
    Redemption.objects.filter(pk=row.pk).update(**spent_fields(row.program.provider().spend(intent_of(row))))
    return code


def store(order_id: str, email: str, code: str) -> None:
    from django.utils import timezone

    from loyaltyview.events.inbox import store_delivery
    from loyaltyview.events.models import Event
    from loyaltyview.programs.models import Program
    from tests.events.deliveries import completed, envelope, item, order

    program = Program.objects.get()
    discounts = [{"coupon_code": code}] if code else []
    payload = order(
        id=order_id,
        external_id=f"R-{order_id}",
        customer_email=email,
        discounts=discounts,
        items=[item(discounts=discounts)],
    )
    for name in ("order.created", "order.opened"):
        store_delivery(program, envelope(name, payload), {})
    store_delivery(program, envelope("order.completed", completed(id=order_id)), {})
    Event.objects.filter(subject=order_id).update(due_at=timezone.now() + timedelta(days=1))


if __name__ == "__main__":
    main()
