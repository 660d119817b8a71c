"""The test settings for separate processes that can be made to die (`deaths`)."""

from tests.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.kill.deaths.Deaths"]  # noqa: F405
