"""A process that stores events as the web server does: `python -m tests.work.deliveries`

enrol           make the Acme Club with its member Mia, who earns one point per dollar
orders FIRST N  store all events of N of Mia's orders, the last event first
timed N         N times: store an event, wait until a worker has handled it, print the seconds
"""

import os
import sys
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.work.machine_settings")
django.setup()

from loyaltyview.events.inbox import store_delivery  # noqa: E402
from loyaltyview.events.models import Event, EventState  # noqa: E402
from loyaltyview.programs.models import Program  # noqa: E402
from providers.house.models import EarnRule  # noqa: E402
from providers.types import Consents, MemberProfile  # noqa: E402
from tests.events.deliveries import completed, envelope, order  # noqa: E402

EMAIL = "mia@example.test"
GIVE_UP_AFTER_S = 30


def main(command: str, *numbers: str) -> None:
    if command == "enrol":
        enrol()
    elif command == "orders":
        first, count = map(int, numbers)
        for number in range(first, first + count):
            store_order(number)
    elif command == "timed":
        for number in range(int(numbers[0])):
            sys.stdout.write(f"{time_one(f'timed-{number}'):.3f}\n")
    time.sleep(0.5)  # here the waker's thread would end with the process


def enrol() -> None:
    program = Program.objects.create(
        slug="acme", name="Acme Club", currency="USD", country="US", newstore_tenant="acme-staging",
        newstore_api_url="http://127.0.0.1:1", newstore_identity_url="http://127.0.0.1:1/auth/realms/acme-staging",
        newstore_client_id="x", newstore_client_secret="x", newstore_event_key="x", provider_kind="house",
    )  # fmt: skip
    EarnRule.objects.create(program="acme", points_per_unit=1)
    program.provider().enrol(MemberProfile(email=EMAIL), Consents())


def store_order(number: int) -> None:
    program = Program.objects.get()
    fields = order(id=f"order-{number}", discounts=[], items=[order()["items"][0] | {"discounts": []}])
    store_delivery(program, envelope("order.completed", completed(id=f"order-{number}")), {})
    for name in ("order.opened", "order.created"):
        store_delivery(program, envelope(name, fields), {})


def time_one(order_id: str) -> float:
    program = Program.objects.get()
    payload = order(id=order_id, discounts=[], items=[order()["items"][0] | {"discounts": []}])
    started = time.monotonic()
    store_delivery(program, envelope("order.created", payload), {})
    waiting = Event.objects.filter(subject=order_id, state=EventState.WAITING)
    while waiting.exists() and time.monotonic() - started < GIVE_UP_AFTER_S:
        time.sleep(0.01)
    return time.monotonic() - started


if __name__ == "__main__":
    main(*sys.argv[1:])
