"""Install Debian packages where that is possible: as root, on a machine with apt."""

import os
import shutil
import subprocess
import sys


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(*packages: str) -> bool:
    """Install `packages`; False when apt refuses. Takes minutes and the network."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        sys.stdout.write(f"apt-get {' '.join(command)}\n")
        sys.stdout.flush()
        done = subprocess.run(
            ["apt-get", "-qq", *command], env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        if done.returncode:
            return False
    return True
