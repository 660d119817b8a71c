"""System checks of our settings: a wrong value stops the start and does not fail in a request later.

E001  CREDENTIAL_KEYS has no key, or one that is not a Fernet key
E002  the folder of the SQLite database is missing or cannot be written
E003  FRAME_ANCESTORS has a source that browsers would ignore
E004  a number that must be positive is not
E005  WORK_ENGINE=procrastinate without PostgreSQL
E006  SECRET_KEY is empty or short
E007  WORK_LEASE_S is shorter than a call may take
W001  cookies travel without TLS in production (with `check --deploy`)
W002  the sandbox is installed in production (with `check --deploy`)
"""

import os
import re
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

POSITIVE = (
    "PORT",
    "WEB_PROCESSES",
    "WEB_THREADS",
    "THREAD_WAIT_S",
    "IDENTITY_HOURS",
    "LAUNCH_MINUTES",
    "PAGE_DEADLINE_S",
    "FIRST_PAINT_MS",
    "CODE_LIFE_MINUTES",
    "EVENT_PROMISE_MINUTES",
    "RELEASE_MARGIN_MINUTES",
    "UNCERTAIN_MINUTES",
    "EVENT_MAX_BYTES",
    "DATABASE_TIMEOUT_S",
    "WORK_LEASE_S",
    "WORK_MAX_ATTEMPTS",
    "WORKER_POLL_S",
    "WORK_CONCURRENCY",
    "READY_MAX_EVENT_AGE_S",
    "READY_MAX_HEARTBEAT_AGE_S",
    "RETENTION_EVENT_DAYS",
    "RETENTION_LAUNCH_DAYS",
    "RETENTION_VENDOR_DAYS",
    "LOOKUPS_PER_MINUTE",
    "ENROLMENTS_PER_HOUR",
)

SHORTEST_SECRET = 32
# A write to a vendor (`write_total_s` of `VendorSession`): with a shorter lease another worker could take the
# row meanwhile.
LONGEST_CALL_S = 10

KEY_HINT = (
    "Make one with: python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())'"
)

# https://example.com, https://*.example.com:8443, https:, 'self', 'none'; self without quotes is a host
SOURCE = re.compile(
    r"(?!self$|none$)('self'|'none'|[a-z][a-z0-9+.-]*:|(https?://)?(\*\.)?[A-Za-z0-9.-]+(:(\d+|\*))?)"
)


@register(Tags.security)
def check_credential_keys(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.CREDENTIAL_KEYS:
        return [Error("CREDENTIAL_KEYS has no key.", hint=KEY_HINT, id="loyaltyview.E001")]
    wrong = [
        number for number, key in enumerate(settings.CREDENTIAL_KEYS, start=1) if not _is_fernet_key(key)
    ]
    # The position, never the key itself.
    return [
        Error(
            f"Key number {number} of CREDENTIAL_KEYS is not a Fernet key.",
            hint=KEY_HINT,
            id="loyaltyview.E001",
        )
        for number in wrong
    ]


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True


@register(Tags.database)
def check_database_folder(**_kwargs: Any) -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    if database["ENGINE"] != "django.db.backends.sqlite3" or ":memory:" in str(database["NAME"]):
        return []
    folder = Path(database["NAME"]).parent
    if folder.is_dir() and os.access(folder, os.W_OK):
        return []
    return [
        Error(
            f"The database's folder {folder} is missing or cannot be written.",
            hint="Create it, or name another place in DATABASE_URL.",
            id="loyaltyview.E002",
        )
    ]


@register(Tags.security)
def check_secret_key(**_kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= SHORTEST_SECRET:
        return []
    return [
        Error(
            f"SECRET_KEY has less than {SHORTEST_SECRET} characters.",
            hint="Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="loyaltyview.E006",
        )
    ]


@register()
def check_lease(**_kwargs: Any) -> list[CheckMessage]:
    if settings.WORK_LEASE_S <= 0 or settings.WORK_LEASE_S > LONGEST_CALL_S:
        return []
    return [
        Error(
            f"WORK_LEASE_S must be more than {LONGEST_CALL_S}: a call to a vendor may take as long.",
            id="loyaltyview.E007",
        )
    ]


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


@register(Tags.security)
def check_frame_ancestors(**_kwargs: Any) -> list[CheckMessage]:
    sources = settings.FRAME_ANCESTORS
    wrong = [source for source in sources if not SOURCE.fullmatch(source)]
    if not sources or ("'none'" in sources and len(sources) > 1):
        wrong = list(sources)
    if sources and not wrong:
        return []
    return [
        Error(
            f"FRAME_ANCESTORS is not a list of sources: {', '.join(wrong) or 'it is empty'}.",
            hint="\"'none'\" alone, or addresses such as https://*.newstore.net, separated by commas.",
            id="loyaltyview.E003",
        )
    ]


@register()
def check_numbers(**_kwargs: Any) -> list[CheckMessage]:
    return [
        Error(f"{name} must be more than 0.", id="loyaltyview.E004")
        for name in POSITIVE
        if getattr(settings, name) <= 0
    ]


@register(Tags.security, deploy=True)
def check_cookies(**_kwargs: Any) -> list[CheckMessage]:
    if settings.COOKIE_SECURE or settings.DEBUG:
        return []
    return [
        Warning(
            "COOKIE_SECURE is off: associates' sessions travel without TLS.",
            hint="Serve over https and leave COOKIE_SECURE at its default.",
            id="loyaltyview.W001",
        )
    ]


@register(Tags.security, deploy=True)
def check_sandbox(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.SANDBOX:
        return []
    return [
        Warning(
            "SANDBOX is on: the simulated NewStore is for development only.",
            hint="Leave SANDBOX at its default.",
            id="loyaltyview.W002",
        )
    ]
