"""System checks of the work engine.

E005  WORK_ENGINE=procrastinate without PostgreSQL
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def check_engine(**_kwargs: Any) -> list[CheckMessage]:
    if settings.WORK_ENGINE == "rows" or "postgresql" in settings.DATABASES["default"]["ENGINE"]:
        return []
    return [
        Error(
            "WORK_ENGINE=procrastinate needs PostgreSQL.",
            hint="Name a PostgreSQL database in DATABASE_URL, or leave WORK_ENGINE at rows.",
            id="loyaltyview.E005",
        )
    ]
