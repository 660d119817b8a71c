"""The Chromium that browser tests drive: an installed one, or Playwright's own. `make needs` installs one."""

import os
import shutil
from pathlib import Path

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
    """Return the path of a Chromium: the one in $CHROMIUM, an installed one, or Playwright's; else None."""
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
