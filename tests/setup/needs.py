"""Programs that the tests need besides Python: Chromium, a library of Playwright's driver, PostgreSQL.

`python -m tests.setup.needs` (`make needs`) installs missing ones where it may. Otherwise it names them, and
the command that installs them, before any test runs. Exit code 1 when tests cannot run: without Chromium or
the driver's library, and with REQUIRE_POSTGRES=1 without PostgreSQL.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.setup import chromium, postgres
from tests.setup.debian import install, may_install


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One program that tests need: its name, Debian's package, and whether it is installed."""

    what: str
    package: str
    is_there: Callable[[], bool]


def driver_starts() -> bool:
    """Return whether Playwright's own node program starts: it needs libatomic, which its wheel lacks."""
    done = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True)
    return done.returncode == 0


NEEDS = (
    Need(
        what="Chromium for the browser tests",
        package="chromium",
        is_there=lambda: chromium.find_chromium() is not None,
    ),
    Need(what="libatomic for Playwright's driver", package="libatomic1", is_there=driver_starts),
    Need(
        what="PostgreSQL's server programs",
        package="postgresql",
        is_there=lambda: postgres.find_server_programs() is not None,
    ),
)
POSTGRESQL = NEEDS[2]


def missing() -> list[Need]:
    """Return the programs that this machine lacks."""
    return [need for need in NEEDS if not need.is_there()]


def main() -> int:
    lacking = missing()
    if lacking and may_install():
        sys.stdout.write(f"Installing {', '.join(need.what for need in lacking)}\n")
        install(*(need.package for need in lacking))
        lacking = missing()
    if [need.package for need in lacking] == ["chromium"] and not os.environ.get("CHROMIUM"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        lacking = missing()
    if not lacking:
        sys.stdout.write(f"Browser tests use {chromium.find_chromium()}\n")
        return 0
    names = "".join(f"  - {need.what}\n" for need in lacking)
    packages = " ".join(need.package for need in lacking)
    sys.stderr.write(
        f"The tests need what this machine lacks:\n{names}Debian has it:\n\n"
        f"  sudo apt-get install --yes --no-install-recommends {packages}\n\n"
        "A Chromium elsewhere is found by CHROMIUM=/its/path.\n"
    )
    if lacking == [POSTGRESQL] and os.environ.get("REQUIRE_POSTGRES") != "1":
        sys.stderr.write(postgres.LEFT_OUT)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
