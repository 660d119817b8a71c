"""How many events a second are verified, stored and committed before the 200, beside a Django view that
does nothing: `python -m tests.load.ingest [--seconds 8]`.

Needs wrk (Debian: apt-get install wrk). SQLite with synchronous=FULL in a temporary folder; PostgreSQL,
durable (fsync on), where its server programs are installed. Use the ratios: machines are noisy.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.setup.ports import free_port
from tests.setup.postgres import find_server_programs, postgres_server

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
CONNECTIONS = 16
KEY = "load-test-key"
SETTINGS = "tests.load.settings"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load.ingest")
    parser.add_argument("--seconds", type=int, default=8)
    seconds: int = parser.parse_args().seconds
    if not shutil.which("wrk"):
        sys.exit("needs wrk (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{folder}/load.sqlite3", seconds)
    programs = find_server_programs()
    if programs is None:
        sys.exit("PostgreSQL's server programs were not found: left out")
    with postgres_server(programs, is_durable=True) as url:
        measure("PostgreSQL", url, seconds)


def measure(name: str, database: str, seconds: int) -> None:
    """Print one line: the maximum, its ratio to the empty view, and the latency at half the maximum."""
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS, "DATABASE_URL": database}
    for command in (["migrate", "--verbosity=0"], ["load_program", "samples/acme.toml"]):
        values = {"NEWSTORE_API_URL": "http://127.0.0.1:1", "NEWSTORE_IDENTITY_URL": "http://127.0.0.1:1"}
        keys = {"NEWSTORE_CLIENT_SECRET": "x", "NEWSTORE_EVENT_KEY": KEY}
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=environ | values | keys, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr)
    with web_server(environ) as address:
        wrk(address, seconds=2, pause_ms=0)  # warm
        before = hello(address, seconds)
        most, p50, p99, bad = wrk(address, seconds, pause_ms=0)
        after = hello(address, seconds)
        nothing = (before + after) / 2
        pause_ms = CONNECTIONS / (most / 2) * 1000 - p50 / 2
        half, half_p50, half_p99, half_bad = wrk(address, seconds, pause_ms=max(1, round(pause_ms)))
    sys.stdout.write(
        f"{name}: {most:.0f} events/s (p50 {p50:.1f} ms, p99 {p99:.1f} ms), empty view {nothing:.0f}/s,"
        f" ratio {most / nothing:.2f}; at {half:.0f} events/s p50 {half_p50:.1f} ms, p99 {half_p99:.1f} ms;"
        f" {bad + half_bad:.0f} errors\n"
    )


def wrk(address: str, seconds: int, pause_ms: int) -> tuple[float, float, float, float]:
    return _wrk("ingest.lua", address, seconds, KEY, str(pause_ms))


def hello(address: str, seconds: int) -> float:
    return _wrk("hello.lua", f"{address}/hello/", seconds)[0]


def _wrk(script: str, address: str, seconds: int, *arguments: str) -> tuple[float, float, float, float]:
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(HERE / script), address, "--"]
    out = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True).stdout
    rate, p50, p99, bad = (float(text) for text in out.split("RESULT ")[1].split())
    return rate, p50, p99, bad


@contextmanager
def web_server(environ: dict[str, str]) -> Iterator[str]:
    """The product's own gunicorn configuration, on a free port of loopback."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "loyaltyview/gunicorn.py", "loyaltyview.wsgi"],
        cwd=ROOT,
        env=environ | {"WEB_HOST": "127.0.0.1", "PORT": str(port)},
    )
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 30
        while True:
            try:
                urlopen(f"{address}/healthz", timeout=2).close()
                break
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
