"""The product's settings for workers whose vendor takes VENDOR_S seconds to note an order."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.SlowHouse"]  # noqa: F405
LOGGING["root"]["level"] = "ERROR"  # noqa: F405
