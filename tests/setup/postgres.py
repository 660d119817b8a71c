"""A PostgreSQL server for one command: `python -m tests.setup.postgres -- pytest`.

It uses installed server programs, or installs Debian's package where it may. The server's data lies in a
temporary folder and is deleted after the command, which finds the server in DATABASE_URL. Without a server
the command is skipped, and a message says so; with REQUIRE_POSTGRES=1 that is an error.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import psycopg

from tests.setup.debian import install, may_install
from tests.setup.ports import free_port

START_WITHIN_S = 60
STOP_WITHIN_S = 20
USER = "loyaltyview"
LEFT_OUT = """
************************************************************************************
*  PostgreSQL was not found: ITS TESTS WERE LEFT OUT, and races are not tested.     *
*  Install a PostgreSQL server (Debian: apt-get install postgresql), and try again. *
************************************************************************************
"""


class NoServer(Exception):
    """The server could not be started; the message holds its output."""


def find_server_programs() -> Path | None:
    """Return the folder that holds `initdb` and `postgres`, of the newest version found; else None."""
    folders = []
    if pg_config := shutil.which("pg_config"):
        folders.append(subprocess.run([pg_config, "--bindir"], capture_output=True, text=True).stdout.strip())
    installed = Path("/usr/lib/postgresql").glob("[0-9]*/bin")
    folders += map(str, sorted(installed, key=lambda folder: int(folder.parent.name), reverse=True))
    if initdb := shutil.which("initdb"):
        folders.append(str(Path(initdb).resolve().parent))
    for folder in folders:
        if (Path(folder) / "initdb").exists() and (Path(folder) / "postgres").exists():
            return Path(folder)
    return None


@contextmanager
def postgres_server(programs: Path, *, is_durable: bool = False) -> Iterator[str]:
    """Run a fresh server and yield its DATABASE_URL. Tests want it fast, measurements durable."""
    owner = _owner()
    folder = Path(tempfile.mkdtemp(prefix="loyaltyview-pg-", dir="/tmp"))
    if owner:
        shutil.chown(folder, owner["user"], owner["group"])
    try:
        data, log, port = folder / "data", folder / "log", free_port()
        made = subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                USER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-locale",
                "--no-sync",
            ],
            capture_output=True,
            text=True,
            cwd=folder,
            **owner,
        )
        if made.returncode:
            raise NoServer(made.stderr)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "max_connections": 200,
            **dict.fromkeys(
                ("fsync", "synchronous_commit", "full_page_writes"), "on" if is_durable else "off"
            ),
        }
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            server = subprocess.Popen(
                [programs / "postgres", "-D", data, *options],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,  # Ctrl-C goes to the command; the server stops afterwards
                **owner,
            )
        url = f"postgres://{USER}@127.0.0.1:{port}/postgres"
        try:
            _wait_until_ready(server, url, log)
            yield url
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    """Return the user to run as, for subprocess: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_WITHIN_S
    while server.poll() is None and time.monotonic() < until:
        try:
            psycopg.connect(url, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise NoServer(log.read_text(errors="replace"))


def _stop(server: "subprocess.Popen[bytes]") -> None:
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):  # first fast, then immediate
        if server.poll() is None:
            server.send_signal(how)
            try:
                server.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                continue
    server.wait()


def run(command: list[str], url: str) -> int:
    """Run `command` with DATABASE_URL set and return its exit code, also after Ctrl-C or SIGTERM."""
    child = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})

    def pass_on(signum: int, _frame: FrameType | None) -> None:
        child.send_signal(signum)

    signal.signal(signal.SIGTERM, pass_on)
    # From a terminal the child has had the signal already; a second one does no harm.
    signal.signal(signal.SIGINT, pass_on)
    code = child.wait()
    return code if code >= 0 else 128 - code


def main() -> int:
    command = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    if not command:
        sys.stderr.write("usage: python -m tests.setup.postgres -- COMMAND\n")
        return 2
    programs = find_server_programs()
    if programs is None and may_install():
        sys.stdout.write("No PostgreSQL server found: installing one for the tests\n")
        install("postgresql")
        programs = find_server_programs()
    if programs is None:
        sys.stderr.write(LEFT_OUT)
        return 1 if os.environ.get("REQUIRE_POSTGRES") == "1" else 0
    try:
        with postgres_server(programs) as url:
            sys.stdout.write(f"PostgreSQL from {programs} at {url}\n")
            sys.stdout.flush()
            return run(command, url)
    except NoServer as error:
        sys.stderr.write(f"PostgreSQL from {programs} did not start:\n{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
