"""What the scripts of this folder start: the product's own gunicorn, and programs with launches."""

import hashlib
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STORE = "US_BOSTON_01"
CART: dict[str, object] = {
    "currency": "USD",
    "total": "129.90",
    "items": [{"item_id": "1", "product_id": "SHIRT", "price": "129.90"}],
}


def production(settings: str, database: str, port: int, **more: str) -> dict[str, str]:
    """Return the environment of a web process as in production, with plain HTTP on loopback."""
    from cryptography.fernet import Fernet

    return {
        "DJANGO_SETTINGS_MODULE": settings,
        "ENV_FILE": "",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "DATABASE_URL": database,
        "COOKIE_SECURE": "false",
        "LOG_LEVEL": "WARNING",
        "WEB_HOST": "127.0.0.1",
        "PORT": str(port),
        "WEB_PROCESSES": "1",
        **more,
    }


@contextmanager
def process(*command: str, port: int, log: Path, **environ: str) -> Iterator[int]:
    """Run `python -m command` until it listens on `port`; yield its process id."""
    with log.open("a") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=output, stderr=output, env=os.environ | environ
        )
        try:
            wait_until(lambda: is_open(port))
            yield started.pid
        except BaseException:
            sys.stderr.write(log.read_text()[-4000:])
            raise
        finally:
            started.terminate()
            started.wait()


@contextmanager
def gunicorn(port: int, log: Path, **environ: str) -> Iterator[int]:
    """Run the web process in its production configuration; yield the id of gunicorn's master."""
    with process(
        "gunicorn", "-c", "loyaltyview/gunicorn.py", "loyaltyview.wsgi", port=port, log=log, **environ
    ) as pid:
        yield pid


def make_program(**more: Any) -> Any:
    """Create a program and its store. Unless told otherwise its NewStore listens nowhere."""
    from loyaltyview.programs.models import Program, Store

    values = {
        "slug": "acme",
        "name": "Acme Club",
        "currency": "USD",
        "country": "US",
        "newstore_tenant": "acme-staging",
        "newstore_api_url": "http://127.0.0.1:1",
        "newstore_identity_url": "http://127.0.0.1:1/auth/realms/acme-staging",
        "newstore_client_id": "loyaltyview",
        "newstore_client_secret": secrets.token_hex(),
        "newstore_rate_per_s": 0,
    }
    program = Program.objects.create(**(values | more))
    Store.objects.create(program=program, store_id=STORE, name="Boston")
    return program


def make_launches(
    program: Any, members: Iterable[str], cart: dict[str, object] = CART
) -> list[tuple[str, str]]:
    """One launch a member, as the launch page would have left it: its id and its cookie."""
    from django.utils import timezone

    from loyaltyview.webview.models import Launch

    now, launches, pages = timezone.now(), [], []
    for ref in members:
        secret = secrets.token_urlsafe(32)
        launch = Launch(
            program=program,
            secret_hash=hashlib.sha256(secret.encode()).hexdigest(),
            expires_at=now + timedelta(hours=1),
            associate_id="a-17",
            store_id=STORE,
            cart_id=secrets.token_hex(8),
            host_token=secrets.token_hex(16),
            cart=cart,
            member_ref=ref,
        )
        launches.append(launch)
        pages.append((launch.pk, secret))
    Launch.objects.bulk_create(launches, batch_size=500)
    return pages


def cpu_s(pid: int) -> float:
    """The processor time that a process and its children have used, 0 where /proc does not tell."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in (int(stat.parent.name), int(fields[1])):
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until, "it does not start"
        time.sleep(0.05)


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
