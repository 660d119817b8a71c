"""The product's settings for load tests: a test environment and one more address."""

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.load.hello_urls"
LOGGING["root"]["level"] = "ERROR"  # noqa: F405
# As in production; in tests a kept connection would keep a database from being deleted.
DATABASES["default"]["CONN_MAX_AGE"] = 60  # noqa: F405
