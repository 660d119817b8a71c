"""The test settings for separate worker processes (`machines`), with the marks that tests read."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.work.marks.Marks"]  # noqa: F405
