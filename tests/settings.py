"""The product's settings with a test environment: no secrets, no hashed static files."""

import os

TEST_ENVIRONMENT = {
    "SECRET_KEY": "only-for-tests-only-for-tests-only-for-tests-1234567",
    "CREDENTIAL_KEYS": "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    "COOKIE_SECURE": "false",
    "ALLOW_PRIVATE_ADDRESSES": "true",  # the sandbox and the vendors of the tests listen on loopback
    "SANDBOX": "true",
    "LOG_LEVEL": "WARNING",
    "STRICT_STATES": "true",
    # A busy machine: what a vendor in memory answers is in the first response, with its status.
    "FIRST_PAINT_MS": "150",
    # Only a test's own thread sees its transaction, and the budgets use another thread.
    "VENDOR_BUDGETS": "process",
    # Playwright leaves an event loop running in the thread of the tests; nothing here is asynchronous.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
os.environ.update(TEST_ENVIRONMENT)

from loyaltyview.settings import *  # noqa: E402, F403

STORAGES["staticfiles"] = {  # noqa: F405
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
# A thread that keeps its connection would keep a test's database from being deleted.
DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
