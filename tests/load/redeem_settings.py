"""The product's settings in production, with vendors over HTTP."""

from loyaltyview.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.HttpVendors"]  # noqa: F405
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
