"""Structured logs, one JSON object a line, with secrets and personal data taken out.

Settings call `logging_config` before Django is ready: import nothing of Django's here.
"""

from typing import Any

import structlog

# Field names whose values never reach a log line, whatever the event.
REDACTED = frozenset(
    {
        "authorization", "identity", "external_identity", "externalidentity", "token", "access_token",
        "client_secret", "event_key", "api_key", "password", "code", "codes", "email", "customer_email",
        "phone", "first_name", "last_name", "q", "cookie",
    }
)  # fmt: skip


def redact(_logger: Any, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """structlog processor: blank the values of fields that must never be logged."""
    for key in event:
        if key.lower() in REDACTED:
            event[key] = "[redacted]"
    return event


def without_query(_logger: Any, _name: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Cut the query string off the logged request line: NewStore puts the launch token there."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = request.partition("?")[0]
    return event


def logging_config(level: str) -> dict[str, Any]:
    """Return Django's LOGGING: JSON lines on stdout, for our own records and the libraries'."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
        without_query,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.processors.format_exc_info,
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
                "processor": structlog.processors.JSONRenderer(),
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stdout"], "level": level},
        "loggers": {
            # Its lines carry full paths with query strings; ours (django_structlog) do not.
            "django.server": {"handlers": [], "propagate": False},
        },
    }
