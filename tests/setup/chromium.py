"""The Chromium that browser tests drive: an installed one, or Debian's package, or Playwright's own.

`python -m tests.setup.chromium` (`make browser`) finds or installs it; tests only find it.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.setup.debian import install, may_install

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_APPS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
# Where `playwright install chromium` puts it, by platform.
PLAYWRIGHT_PLACES = (
    ".cache/ms-playwright/chromium-*/chrome-linux*/chrome",
    "Library/Caches/ms-playwright/chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium: that in $CHROMIUM, an installed one, Playwright's; else None."""
    if named := os.environ.get("CHROMIUM"):
        return shutil.which(named)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    for app in MAC_APPS:
        if Path(app).exists():
            return app
    for place in PLAYWRIGHT_PLACES:
        if found := sorted(Path.home().glob(place)):
            return str(found[-1])
    return None


def main() -> int:
    path = find_chromium()
    if path is None and not os.environ.get("CHROMIUM"):
        sys.stdout.write("No Chromium found: installing one for the browser tests\n")
        installed = may_install() and install("chromium")
        if not installed:
            subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
        path = find_chromium()
    if path is None:
        sys.stderr.write(
            "No Chromium for the browser tests. Install Chromium or Chrome, or set CHROMIUM to its path.\n"
        )
        return 1
    sys.stdout.write(f"Browser tests use {path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
