"""The product's settings for workers whose vendor takes VENDOR_S seconds to note an order."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.SlowHouse"]  # noqa: F405
LOGGING["root"]["level"] = "ERROR"  # noqa: F405
# As in production; in tests a kept connection would keep a database from being deleted.
DATABASES["default"]["CONN_MAX_AGE"] = 60  # noqa: F405
