"""The product's settings as they run, with a vendor that takes its time."""

from loyaltyview.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.SlowVendor"]  # noqa: F405
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
