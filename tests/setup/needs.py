"""Programs that the tests need besides Python: Chromium, a library of Playwright's driver, PostgreSQL, and
WebKitGTK for the stories in the engine of iPhones and iPads.

`python -m tests.setup.needs` (`make needs`) installs missing ones where it may. Otherwise it names them, and
the command that installs them, before any test runs. Exit code 1 when tests cannot run: without Chromium or
the driver's library, and with REQUIRE_POSTGRES=1 without PostgreSQL. Without WebKitGTK its stories are left
out.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.setup import chromium, postgres, webkit
from tests.setup.debian import install, may_install


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One program that tests need: its name, Debian's packages, and whether it is installed."""

    what: str
    packages: tuple[str, ...]
    is_there: Callable[[], bool]


def driver_starts() -> bool:
    """Return whether Playwright's own node program starts: it needs libatomic, which its wheel lacks."""
    done = subprocess.run([sys.executable, "-m", "playwright", "--version"], capture_output=True)
    return done.returncode == 0


NEEDS = (
    Need(
        what="Chromium for the browser tests",
        packages=("chromium",),
        is_there=lambda: chromium.find_chromium() is not None,
    ),
    Need(what="libatomic for Playwright's driver", packages=("libatomic1",), is_there=driver_starts),
    Need(
        what="PostgreSQL's server programs",
        packages=("postgresql",),
        is_there=lambda: postgres.find_server_programs() is not None,
    ),
    Need(
        what="WebKitGTK for the stories in the engine of iPhones and iPads",
        packages=("gir1.2-webkit2-4.1", "python3-gi", "python3-gi-cairo", "xauth", "xvfb"),
        is_there=lambda: webkit.find_webkit(),
    ),
)
POSTGRESQL, WEBKIT = NEEDS[2:]


def missing() -> list[Need]:
    """Return the programs that this machine lacks."""
    return [need for need in NEEDS if not need.is_there()]


def main() -> int:
    lacking = missing()
    if lacking and may_install():
        sys.stdout.write(f"Installing {', '.join(need.what for need in lacking)}\n")
        install(*_packages(lacking))
        lacking = missing()
    if _packages(lacking) == ["chromium"] and not os.environ.get("CHROMIUM"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        lacking = missing()
    if not lacking:
        sys.stdout.write(f"Browser tests use {chromium.find_chromium()}\n")
        return 0
    names = "".join(f"  - {need.what}\n" for need in lacking)
    packages = " ".join(_packages(lacking))
    sys.stderr.write(
        f"The tests need what this machine lacks:\n{names}Debian has it:\n\n"
        f"  sudo apt-get install --yes --no-install-recommends {packages}\n\n"
        "A Chromium elsewhere is found by CHROMIUM=/its/path.\n"
    )
    if WEBKIT in lacking:
        sys.stderr.write("Without WebKitGTK its stories are left out.\n")
    if POSTGRESQL in lacking and os.environ.get("REQUIRE_POSTGRES") != "1":
        sys.stderr.write(postgres.LEFT_OUT)
        lacking.remove(POSTGRESQL)
    return 0 if not set(lacking) - {WEBKIT} else 1


def _packages(needs: list[Need]) -> list[str]:
    return [package for need in needs for package in need.packages]


if __name__ == "__main__":
    sys.exit(main())
