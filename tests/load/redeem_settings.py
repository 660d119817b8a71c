"""The product's settings in production, with a slow vendor."""

from loyaltyview.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.SlowVendor"]  # noqa: F405
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
