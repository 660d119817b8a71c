"""The test settings for processes of their own, which die when they are told to (`deaths`)."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.kill.deaths.Deaths"]  # noqa: F405
