"""The WebKitGTK that tests drive. Debian packages its bindings for Debian's own Python. `make needs` installs
it."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

PYTHON = "/usr/bin/python3"
NEEDED = 'import gi; gi.require_version("WebKit2", "4.1"); from gi.repository import WebKit2'


@cache
def find_webkit() -> bool:
    """Return whether this machine has WebKitGTK with its bindings, and a screen for it."""
    if not shutil.which("xvfb-run") or not Path(PYTHON).exists():
        return False
    return subprocess.run([PYTHON, "-c", NEEDED], capture_output=True, check=False).returncode == 0
