"""Structured logs, one JSON object a line, without secrets and personal data.

Settings call `logging_config` before Django is ready, so this module imports nothing of Django.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog

# Field names whose values never reach a log line, at whatever depth.
REDACTED = frozenset(
    {
        "authorization", "identity", "external_identity", "externalidentity", "token", "access_token",
        "refresh_token", "id_token", "client_secret", "secret", "event_key",
        "event_key_previous", "api_key", "guid", "password",
        "code", "codes", "coupon", "coupons", "email", "customer_email", "phone", "first_name", "last_name",
        "address", "birthdate", "q", "cookie", "set-cookie", "body", "payload", "params", "ip",
    }
)  # fmt: skip
# Fields that hold an address and nothing else: the part after the first "?" is not logged.
ADDRESSES = frozenset({"request", "path", "url"})
BLANK = "[redacted]"
DEEPEST = 8

# Texts of exceptions and libraries quote addresses, and addresses name customers.
_PATTERNS = (
    # The query string of an address or of a request line: NewStore puts the launch token there. It ends with
    # a space or a quotation mark. Clients do not escape apostrophes and brackets, so those belong to it.
    (re.compile(r"(?<=[\w/.%-])\?[^\s\"]+"), "?" + BLANK),
    # The secret in the address of a vendor's webhook.
    (re.compile(r"(/events/[^/\s]{1,100}/provider/)[^/\s?\"']+"), r"\1" + BLANK),
    (re.compile(r"[\w.+%-]{1,64}(?:@|%40)[\w.-]+"), BLANK),
    (re.compile(r"\b(Bearer|Basic) [\w.~+/=-]+", re.IGNORECASE), r"\1 " + BLANK),
    # Signed tokens: a JWT, a Fernet token, and ours from django.core.signing.
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"), BLANK),
    (re.compile(r"(?<![\w-])gAAAA[\w-]{20,}=*"), BLANK),
    (re.compile(r"(?<![\w-])[\w-]{8,}:[\w-]{6}:[\w-]{27,}"), BLANK),
)


def scrub(text: str) -> str:
    """Return `text` without query strings, e-mail addresses, tokens and webhook secrets."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _clean(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict) and depth < DEEPEST:
        return {
            key: BLANK if _is_private(key, item) else _clean(_without_query(key, item), depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, set, frozenset)) and depth < DEEPEST:
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, (str, Decimal, UUID, date, Exception)):
        return scrub(str(value))
    # The repr of an object may hold anything, such as a member's name.
    return f"<{type(value).__name__}>"


def _is_private(key: Any, value: Any) -> bool:
    # django_structlog's "code" is the status of the response, which is a number. A coupon's code is a text.
    return str(key).lower() in REDACTED and not isinstance(value, int)


def _without_query(key: Any, value: Any) -> Any:
    if str(key).lower() not in ADDRESSES or not isinstance(value, str):
        return value
    address, mark, query = value.partition("?")
    return address + mark + (query and BLANK)


def redact(_logger: Any, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """The last structlog processor before rendering: blank what must never be logged."""
    cleaned: structlog.types.EventDict = _clean(dict(event))
    return cleaned


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: JSON lines on stdout, from our code and from libraries."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    redact,
                    structlog.processors.JSONRenderer(),
                ],
            }
        },
        "handlers": {
            "stdout": {
                "class": "logging.StreamHandler",
                "formatter": "json",
                "stream": "ext://sys.stdout",
            }
        },
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Its lines hold query strings; those of django_structlog do not.
            "django.server": {"handlers": [], "propagate": False},
            # At every level: these write addresses, and statements with their values.
            "urllib3": {"level": "ERROR"},
            "django.db.backends": {"level": "INFO"},
            # It writes four lines a job, and a job carries no data.
            "procrastinate": {"level": "WARNING"},
        },
    }
