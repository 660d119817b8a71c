"""The product's settings in production, with two more vendors and a view that does nothing."""

from loyaltyview.settings import *  # noqa: F403

ROOT_URLCONF = "tests.load.hello_urls"
INSTALLED_APPS = [*INSTALLED_APPS, "tests.load.apps.ReadingVendors"]  # noqa: F405
STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
