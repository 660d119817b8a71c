"""The product's settings in production, with the example vendor over HTTP."""

import os
from pathlib import Path

from loyaltyview.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.ReadingVendors"]  # noqa: F405
# Hashed and compressed as in production, in a folder of the script's own.
STATIC_ROOT = Path(os.environ["STATIC_ROOT"])
