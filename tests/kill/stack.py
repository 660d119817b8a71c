"""Web, worker and NewStore as a shop runs them: the first two in their own processes, which can be killed.

The product runs from its own commands (gunicorn, `manage.py worker`) on a fresh database; NewStore is the
sandbox in a thread. The test reads the database through the connection ALIAS.
"""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import requests
from django.core.management import call_command
from django.db import connections
from django.db.models import F
from django.utils import timezone

from loyaltyview.events.models import Event, EventState
from loyaltyview.programs.models import Program, Store
from loyaltyview.redemptions.models import Redemption
from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.sample import CUSTOMERS, Customer
from loyaltyview.sandbox.serve import serve_in_thread
from providers.house.models import EarnRule, Entry, EntryKind, Member, Reward
from tests.setup.ports import free_port

from .till import Till

ROOT = Path(__file__).resolve().parents[2]
ALIAS = "stack"
WITHIN_S = 60  # for a busy machine
WEB = [sys.executable, "-m", "gunicorn", "-c", "loyaltyview/gunicorn.py", "loyaltyview.wsgi"]
WORKER = [sys.executable, "manage.py", "worker"]


class Process:
    """One of our processes, and the file that says when it kills itself."""

    def __init__(self, command: list[str], environ: dict[str, str], folder: Path, name: str) -> None:
        self.command, self.log = command, folder / f"{name}.log"
        self.kill_file = folder / f"{name}.kill"
        self.environ = {**environ, "KILL_FILE": str(self.kill_file)}
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environ, stdout=log, stderr=subprocess.STDOUT
            )

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # to gunicorn: at once, without waiting for browsers
        self.process.wait(WITHIN_S)

    def die_at(self, moment: str) -> None:
        """Let the process kill itself at `moment`."""
        draft = self.kill_file.with_suffix(".new")
        draft.write_text(moment)
        draft.replace(self.kill_file)

    def was_struck(self) -> bool:
        return not self.kill_file.exists()

    def revive(self) -> None:
        """Wait until the process died, and start it again. (gunicorn does that for its workers.)"""
        assert self.process.wait(WITHIN_S) == -signal.SIGKILL, self.log.read_text()
        self.start()


@dataclass(slots=True, kw_only=True)
class Stack:
    """The running stack."""

    url: str
    sandbox: Sandbox
    web: Process
    workers: list[Process]
    program: Program
    _customers: list[str] = field(default_factory=list)

    @property
    def worker(self) -> Process:
        return self.workers[0]

    def enrol(self, points: int) -> Member:
        """Return a new customer of the shop, a member with `points`."""
        number = len(self._customers) + 1
        email, key = f"member-{number}@example.test", f"customer-{number}"
        CUSTOMERS[key] = Customer(
            key=key,
            profile_id=f"NS-{number}",
            display_id=f"C-{number}",
            first_name="Mia",
            last_name="Stone",
            email=email,
        )
        self._customers.append(key)
        member = Member.objects.using(ALIAS).create(
            program=self.program.slug, member_id=f"M-{number:04}", email=email, spendable=points
        )
        Entry.objects.using(ALIAS).create(
            program=self.program.slug,
            member=member,
            kind=EntryKind.ADJUST,
            points=points,
            reference=f"opening:{number}",
        )
        return member

    def launch(self, member: Member, cart: str = "shirts") -> Till:
        """Fill a new cart for the member and open the loyalty page from it."""
        self.sandbox.app.new_cart(f"customer-{int(member.member_id[2:])}", cart)
        return Till(self.sandbox.app.launch_url())

    def wait_until_done(self) -> None:
        """Wait until NewStore has sent everything and the worker has handled it."""
        assert self.sandbox.stream.wait_idle(WITHIN_S)
        waiting = Event.objects.using(ALIAS).filter(state=EventState.WAITING)
        wait_for(lambda: not waiting.exists())

    def end_leases(self) -> None:
        """End the leases of all rows: their process is dead. Short leases would end in living processes too
        when the machine is busy."""
        past = timezone.now() - timedelta(seconds=1)
        for rows in (Redemption.objects.using(ALIAS), Event.objects.using(ALIAS)):
            rows.filter(due_at=F("lease_until")).update(due_at=past)
            rows.filter(lease_until__isnull=False).update(lease_until=past)

    def forget_customers(self) -> None:
        for key in self._customers:
            del CUSTOMERS[key]


def wait_for(what: Callable[[], Any], seconds: float = WITHIN_S) -> Any:
    """Call `what` until its answer is true, and return the answer."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, f"{what} did not come true within {seconds} s"
        time.sleep(0.02)
    return found


@contextmanager
def running_stack(folder: Path, *, workers: int = 1, **environ: str) -> Iterator[Stack]:
    """Start all processes, yield when they answer, and stop them."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with ExitStack() as ends:
        database = ends.enter_context(_fresh_database(folder))
        config = SandboxConfig(
            client_secret=secrets.token_hex(),
            loyalty_url=f"{url}/launch/acme/",
            identity_callback_url=f"{url}/identity/acme/",
            events_url=f"{url}/events/acme/newstore/",
            event_key=secrets.token_hex(),
            rate_limit_per_s=0,
        )
        running = serve_in_thread(Sandbox(config))
        ends.callback(running.stop)
        program = _load(config, running.url)
        shared = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.kill.settings",
            "DATABASE_URL": database,
            "ENV_FILE": "",
            "WEB_HOST": "127.0.0.1",
            "PORT": str(port),
            "WORKER_POLL_S": "0.05",
            "PAGE_DEADLINE_S": "10",
            "THREAD_WAIT_S": "10",
            **environ,
        }
        web = Process(WEB, shared, folder, "web")
        ends.callback(web.stop)
        others = [Process(WORKER, shared, folder, f"worker-{number}") for number in range(workers)]
        for worker in others:
            ends.callback(worker.stop)
        wait_for(lambda: _answers(url))
        running.sandbox.app.log_in("a-17")
        stack = Stack(url=url, sandbox=running.sandbox, web=web, workers=others, program=program)
        ends.callback(stack.forget_customers)
        yield stack


def _load(config: SandboxConfig, newstore_url: str) -> Program:
    """The Acme Club: $10 off for 200 points, a point a dollar."""
    program = Program.objects.using(ALIAS).create(
        slug="acme",
        name="Acme Club",
        currency="USD",
        country="US",
        newstore_tenant=config.tenant,
        newstore_api_url=newstore_url,
        newstore_identity_url=f"{newstore_url}/auth/realms/{config.tenant}",
        newstore_client_id=config.client_id,
        newstore_client_secret=config.client_secret,
        newstore_event_key=config.event_key,
    )
    Store.objects.using(ALIAS).create(program=program, store_id="US_BOSTON_01", name="Boston")
    EarnRule.objects.using(ALIAS).create(program="acme", points_per_unit=1)
    Reward.objects.using(ALIAS).create(
        program="acme", reward_id="ten-off", title="$10 off", cost=200, kind="fixed", amount=Decimal(10)
    )
    return program


@contextmanager
def _fresh_database(folder: Path) -> Iterator[str]:
    """A migrated database of the kind that the tests use, connected to as ALIAS; yields its address."""
    settings = connections.settings["default"]
    if settings["ENGINE"] == "django.db.backends.sqlite3":
        name = str(folder / "stack.sqlite3")
        address = f"sqlite:///{name}"
    else:
        server = os.environ["DATABASE_URL"]
        name = f"stack_{os.getpid()}_{time.monotonic_ns()}"
        address = f"{server.rpartition('/')[0]}/{name}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
    connections.settings[ALIAS] = {**settings, "NAME": name}
    try:
        call_command("migrate", database=ALIAS, verbosity=0)
        yield address
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz/worker", timeout=5).ok
    except requests.RequestException:  # not started yet, or busy starting
        return False
