"""`make run`: prepare a demo and run web, worker and sandbox together until Ctrl-C.

This is no command of Django, because settings cannot be read before `demo.env` is written. It may be
repeated; two demos at once are refused. Exit code 0 after Ctrl-C, 1 when it cannot start, otherwise that of
the process that ended.
"""

import argparse
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from loyaltyview.sandbox.demo_environment import (
    HOST,
    VARIABLES,
    DemoError,
    Ports,
    read_ports,
    write_environment,
)
from loyaltyview.sandbox.vendors import VENDORS

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 60

HOUSE = "house"


def steps(provider: str) -> list[tuple[str, list[str]]]:
    """Return the steps before the start: a name and a command of manage.py each."""
    is_house = provider == HOUSE
    program = "samples/acme.toml" if is_house else f"samples/acme-{provider}.toml"
    members = [("members and rewards", ["house_load", "samples/house.toml"])] if is_house else []
    return [
        ("database", ["migrate", "--noinput"]),
        ("languages", ["messages", "--compile"]),
        ("static files", ["collectstatic", "--noinput"]),
        ("program", ["load_program", program]),
        *members,
        ("administrator", ["demo_admin"]),
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Run a demo of LoyaltyView.")
    parser.add_argument("--var", type=Path, help="folder of the demo's data")
    parser.add_argument("--provider", default=HOUSE, choices=[HOUSE, *VENDORS], help="loyalty program")
    parser.add_argument("--database", default="", help="DATABASE_URL of the demo; SQLite in its folder")
    options = parser.parse_args(arguments)
    provider: str = options.provider
    # Each vendor has its own data, since members and rewards differ.
    data = ROOT / "var" if provider == HOUSE else ROOT / "var" / provider
    var: Path = (options.var or data).resolve()
    for how in (
        signal.SIGTERM,
        signal.SIGINT,
    ):  # SIGINT is ignored in a process that a shell started in the background
        signal.signal(how, _interrupt)
    try:
        ports = read_ports(os.environ)
        var.mkdir(parents=True, exist_ok=True)
        with only_one(var / "demo.lock", f"{ports.app_url}/") as lock:
            check_ports(ports)
            values = write_environment(
                var, ports, vendor="" if provider == HOUSE else provider, database=options.database
            )
            environ = {**os.environ, **values, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
            for what, command in steps(provider):
                prepare(what, command, environ)
            return run(ports, environ, lock)
    except DemoError as error:
        sys.stderr.write(f"\n  {error}\n\n")
        return 1
    except KeyboardInterrupt:
        return 0


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def only_one(path: Path, address: str) -> Iterator[int]:
    """Hold an exclusive lock while the demo runs. The file holds the address for a second demo's message."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise DemoError(f"LoyaltyView is running already at {file.read().strip()}") from None
        file.truncate(0)
        file.write(address)
        file.flush()
        yield file.fileno()


@contextmanager
def turn_in(path: Path) -> Iterator[None]:
    """Wait for the lock on `path`, and hold it during the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_ports(ports: Ports) -> None:
    """Raise DemoError when one of the ports is taken."""
    for name, variable in VARIABLES.items():
        port: int = getattr(ports, name)
        with socket.socket() as client:
            is_taken = client.connect_ex((HOST, port)) == 0
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind((HOST, port))
            except OSError:
                is_taken = True
        if is_taken:
            raise DemoError(f"Port {port} is taken. Choose another: make run {variable}={port + 1000}")


def prepare(what: str, command: list[str], environ: dict[str, str]) -> None:
    """Run one command of manage.py; show its output only when it fails. Demos that start at the same time run
    one command after another, because all demos of a clone write the same static files."""
    sys.stdout.write(f"Preparing: {what}\n")
    sys.stdout.flush()
    with turn_in(ROOT / "var" / "prepare.lock"):
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    if done.returncode:
        raise DemoError(f"manage.py {' '.join(command)} failed:\n\n{done.stdout}")


def run(ports: Ports, environ: dict[str, str], lock: int) -> int:
    """Run the three processes until one ends or a signal stops us; return the exit code."""
    honcho = subprocess.Popen(
        # Honcho drops the blanks of a path when it reads such a file. `environ` holds everything.
        [sys.executable, "-m", "honcho", "-e", os.devnull, "-f", "Procfile.dev", "start"],
        cwd=ROOT,
        env=environ,
        # In its own session Ctrl-C reaches it once, from us. It keeps the lock if we are killed.
        start_new_session=True,
        pass_fds=(lock,),
    )
    try:
        if wait_until_ready(honcho, ports):
            announce(ports, environ["DEMO_ADMIN_PASSWORD"])
        return honcho.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        if honcho.poll() is None:
            honcho.terminate()
        honcho.wait()


def wait_until_ready(honcho: "subprocess.Popen[bytes]", ports: Ports) -> bool:
    """Return True when everything answers, False when a process ended; raise DemoError after a minute."""
    waiting = [f"{ports.loyalty_url}/readyz", f"{ports.loyalty_url}/readyz/worker", f"{ports.app_url}/"]
    until = time.monotonic() + READY_WITHIN_S
    while waiting:
        if honcho.poll() is not None:
            return False
        if time.monotonic() > until:
            raise DemoError(f"{waiting[0]} is not ready after {READY_WITHIN_S} s: see the lines above.")
        if _answers(waiting[0]):
            waiting.pop(0)
        else:
            time.sleep(0.2)
    return True


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as response:
            return bool(response.status == 200)
    except (HTTPError, URLError, OSError):
        return False


def announce(ports: Ports, password: str) -> None:
    sys.stdout.write(
        f"""
  ────────────────────────────────────────────────────────────────────
  LoyaltyView is ready. Open the Associate App:

      {ports.app_url}/

  Admin   {ports.loyalty_url}/admin/   (admin, {password})
  Stop    Ctrl-C
  ────────────────────────────────────────────────────────────────────

"""
    )
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
