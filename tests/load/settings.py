"""The product's settings for load tests: a test environment and one more address."""

from tests.settings import *  # noqa: F403

ROOT_URLCONF = "tests.load.urls"
LOGGING["root"]["level"] = "ERROR"  # noqa: F405
