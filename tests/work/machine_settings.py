"""The test settings for worker processes of their own (`machines`), with what a test must see of them."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.work.marks.Marks"]  # noqa: F405
