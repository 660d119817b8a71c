"""`make run` starts everything, prints one address, and does not disturb a running demo."""

import os
import queue
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from urllib.request import urlopen

import pytest

from loyaltyview.sandbox import demo
from loyaltyview.sandbox.demo import main
from loyaltyview.sandbox.demo_environment import DemoError, read_ports, write_environment
from tests.setup.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Three free ports, chosen by the environment."""
    names = ("DEMO_WEB_PORT", "DEMO_APP_PORT", "DEMO_PROXY_PORT")
    chosen = {name: str(free_port()) for name in names}
    for name, port in chosen.items():
        monkeypatch.setenv(name, port)
    return chosen


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """Restore the signal handlers that `main` replaces."""
    former = {how: signal.getsignal(how) for how in (signal.SIGTERM, signal.SIGINT)}
    yield
    for how, handler in former.items():
        signal.signal(how, handler)


@pytest.mark.parametrize("name", ["DEMO_WEB_PORT", "DEMO_APP_PORT", "DEMO_PROXY_PORT"])
def test_a_taken_port_is_named_with_the_variable_that_chooses_another(
    tmp_path: Path, ports: dict[str, str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(socket.create_server(("127.0.0.1", int(ports[name])))):
        assert main(["--var", str(tmp_path)]) == 1

    told = capsys.readouterr().err
    assert f"Port {ports[name]} is taken" in told
    assert f"make run {name}=" in told
    assert not (tmp_path / "demo.env").exists()
    assert not (tmp_path / "demo.sqlite3").exists()


@pytest.mark.parametrize("value", ["many", "0", "65536", "-1", "²"])
def test_a_value_that_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(DemoError, match="DEMO_WEB_PORT is not a port"):
        read_ports({"DEMO_WEB_PORT": value})


def test_the_three_ports_must_differ() -> None:
    with pytest.raises(DemoError, match="must differ"):
        read_ports({"DEMO_WEB_PORT": "8100"})


def test_the_environment_is_written_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = write_environment(tmp_path, read_ports({}))
    second = write_environment(tmp_path, read_ports({"DEMO_WEB_PORT": "9000"}))

    secret = (
        "SECRET_KEY",
        "CREDENTIAL_KEYS",
        "NEWSTORE_CLIENT_SECRET",
        "NEWSTORE_EVENT_KEY",
        "DEMO_ADMIN_PASSWORD",
    )
    assert [first[name] for name in secret] == [second[name] for name in secret]
    assert second["PORT"] == "9000"
    assert stat.S_IMODE((tmp_path / "demo.env").stat().st_mode) == 0o600


def test_two_fresh_machines_have_different_secrets(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = (write_environment(tmp_path / name, read_ports({})) for name in ("a", "b"))

    assert one["SECRET_KEY"] != other["SECRET_KEY"]
    assert one["CREDENTIAL_KEYS"] != other["CREDENTIAL_KEYS"]


def test_a_database_without_its_keys_is_reported_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "demo.sqlite3").write_text("data of another demo")

    with pytest.raises(DemoError, match=r"demo\.env is gone"):
        write_environment(tmp_path, read_ports({}))

    assert (tmp_path / "demo.sqlite3").read_text() == "data of another demo"


def test_demos_of_one_clone_prepare_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    second_started = threading.Event()
    overlapped = []

    def run(*_arguments: object, **_options: object) -> SimpleNamespace:
        started.append("once")
        if len(started) == 1:
            overlapped.append(second_started.wait(0.3))
        else:
            second_started.set()
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(demo.subprocess, "run", run)
    prepare = partial(demo.prepare, "static files", ["collectstatic", "--noinput"], {})
    threads = [threading.Thread(target=prepare) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len(started) == 2
    assert overlapped == [False]


class Demo:
    """`make run` as a process; `line_with` waits for a line of its output."""

    def __init__(self, var: Path, environ: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "loyaltyview.sandbox.demo", "--var", str(var)],
            cwd=ROOT,
            env={**os.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as output:
            for line in output:
                self.lines.put(line)
        self.lines.put(None)

    def line_with(self, text: str) -> str:
        said = []
        while (line := self.lines.get(timeout=120)) is not None:
            said.append(line)
            if text in line:
                return line
        raise AssertionError("".join(said))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        self.reader.join(timeout=60)
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name is awkward in addresses and environment files."""
    return tmp_path / "a shop, 100% wool"


@pytest.fixture
def running(folder: Path, ports: dict[str, str]) -> Iterator[Demo]:
    """A running demo, although its caller's environment names a production database."""
    started = Demo(folder, ports | {"DATABASE_URL": "postgres://production.invalid/loyalty", "DEBUG": "true"})
    yield started
    if started.process.poll() is None:
        started.stop()


def test_the_demo_starts_prints_its_address_and_stops_cleanly(
    folder: Path, ports: dict[str, str], running: Demo
) -> None:
    app = f"http://127.0.0.1:{ports['DEMO_APP_PORT']}/"
    web = f"http://127.0.0.1:{ports['DEMO_WEB_PORT']}"
    running.line_with("LoyaltyView is ready")
    assert app in running.line_with("http://")
    for address in (app, f"{web}/readyz", f"{web}/admin/login/"):
        with urlopen(address, timeout=10) as response:
            assert response.status == 200

    assert (folder / "demo.sqlite3").exists()
    second = Demo(folder, ports)
    assert app in second.line_with("LoyaltyView is running already at")
    assert second.process.wait(timeout=60) == 1
    with urlopen(f"{web}/readyz", timeout=10) as response:
        assert response.status == 200

    assert running.stop() == 0
    for port in ports.values():
        with closing(socket.socket()) as client:
            assert client.connect_ex(("127.0.0.1", int(port))) != 0, f"port {port} is still served"
