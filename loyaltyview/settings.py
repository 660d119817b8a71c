"""All settings, read once from the environment. A missing or wrong value stops the start.

README lists each variable; a test compares the two. Secrets have no default.
"""

import logging
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

from loyaltyview.ops.logs import logging_config
from providers.registry import vendor_apps

BASE_DIR = Path(__file__).resolve().parent.parent


class _Environment(environ.Env):  # type: ignore[misc]
    """The environment. An error names the variable and never shows its value."""

    def get_value(self, var: str, cast: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **kwargs)
        except (ValueError, TypeError):
            kind = {int: "a whole number", float: "a number"}.get(cast, "a value of the right kind")
            raise ImproperlyConfigured(f"{var} is not {kind}.") from None

    def str(self, var: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().str(var, *args, **kwargs)
        except ImproperlyConfigured as error:  # the library does not name the variable
            named = f"{error}"
            raise ImproperlyConfigured(named if var in named else f"{var}: {named}") from None


env = _Environment()
if env.str("ENV_FILE", default=""):
    if not Path(env.str("ENV_FILE")).is_file():
        raise ImproperlyConfigured("ENV_FILE names a file that is not there.")
    environ.Env.read_env(env.str("ENV_FILE"))

# --- The web server -------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
COOKIE_SECURE = env.bool("COOKIE_SECURE", default=True)
FRAME_ANCESTORS: list[str] = env.list("FRAME_ANCESTORS", default=["'none'"])
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)
# How many proxies in front of us add the caller's address to X-Forwarded-For.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if BEHIND_TLS_PROXY else 0)
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))

# Read by loyaltyview/gunicorn.py.
WEB_HOST = env.str("WEB_HOST", default="0.0.0.0")  # noqa: S104 - platforms route to any address of theirs
PORT = env.int("PORT", default=8000)
WEB_PROCESSES = env.int("WEB_PROCESSES", default=1)
WEB_THREADS = env.int("WEB_THREADS", default=32)
WEB_MAX_REQUESTS = env.int("WEB_MAX_REQUESTS", default=0)
THREAD_WAIT_S = env.float("THREAD_WAIT_S", default=1.0)

# --- Development only: a simulated NewStore and simulated vendors ------------------------------------
SANDBOX = env.bool("SANDBOX", default=False)

# --- Credentials at rest: Fernet keys, newest first; older ones still decrypt ---------------------
CREDENTIAL_KEYS: list[str] = env.list("CREDENTIAL_KEYS")

# --- Where credentials may be sent: public addresses, unless private ones are allowed --------------
ALLOW_PRIVATE_ADDRESSES = env.bool("ALLOW_PRIVATE_ADDRESSES", default=False)
# Daily files for vendors lie below it, in a folder for each program; empty: programs cannot use folders.
FEED_FOLDER = env.str("FEED_FOLDER", default="")

# --- The associate's session ----------------------------------------------------------------------
IDENTITY_HOURS = env.int("IDENTITY_HOURS", default=3)
LAUNCH_MINUTES = env.int("LAUNCH_MINUTES", default=60)
PAGE_DEADLINE_S = env.float("PAGE_DEADLINE_S", default=2.5)
FIRST_PAINT_MS = env.int("FIRST_PAINT_MS", default=10)
CURTAIN_AFTER_S = env.int("CURTAIN_AFTER_S", default=60)

# --- Redemptions: a code that no order used is released after the sum of the three ----------------
CODE_LIFE_MINUTES = env.int("CODE_LIFE_MINUTES", default=15)
EVENT_PROMISE_MINUTES = env.int("EVENT_PROMISE_MINUTES", default=15)
RELEASE_MARGIN_MINUTES = env.int("RELEASE_MARGIN_MINUTES", default=10)
# How long the worker asks about an unknown outcome before a person must look.
UNCERTAIN_MINUTES = env.int("UNCERTAIN_MINUTES", default=30)
# Raise an error at a forbidden change of state; otherwise it is refused and logged.
STRICT_STATES = env.bool("STRICT_STATES", default=DEBUG)

# --- Events and the worker ------------------------------------------------------------------------
# Our address as NewStore reaches it; without it the event stream is neither registered nor watched.
PUBLIC_URL = env.str("PUBLIC_URL", default="")
EVENT_MAX_BYTES = env.int("EVENT_MAX_BYTES", default=1_048_576)
WORK_LEASE_S = env.int("WORK_LEASE_S", default=60)
MAX_CLOCK_SKEW_S = env.int("MAX_CLOCK_SKEW_S", default=60)
WORK_MAX_ATTEMPTS = env.int("WORK_MAX_ATTEMPTS", default=30)
WORKER_POLL_S = env.float("WORKER_POLL_S", default=1.0)
WORK_ENGINE = env.str("WORK_ENGINE", default="rows", choices=("rows", "procrastinate"))
WORK_CONCURRENCY = env.int("WORK_CONCURRENCY", default=8)
READY_MAX_EVENT_AGE_S = env.int("READY_MAX_EVENT_AGE_S", default=600)
READY_MAX_HEARTBEAT_AGE_S = env.int("READY_MAX_HEARTBEAT_AGE_S", default=60)

# --- Loyalty programs ---------------------------------------------------------------------------
# Calls to a vendor's account are counted by all processes together, or by each alone.
VENDOR_BUDGETS = env.str("VENDOR_BUDGETS", default="database", choices=("database", "process"))

# --- How long data is kept ------------------------------------------------------------------------
RETENTION_EVENT_DAYS = env.int("RETENTION_EVENT_DAYS", default=90)
RETENTION_LAUNCH_DAYS = env.int("RETENTION_LAUNCH_DAYS", default=30)
# Goods with a defect can come back for two years in the EU (directive 2019/771), and some weeks more. Until
# then a return finds the spend and the refunds of its order.
RETENTION_VENDOR_DAYS = env.int("RETENTION_VENDOR_DAYS", default=800)

# --- Rate limits and metrics ----------------------------------------------------------------------
LOOKUPS_PER_MINUTE = env.int("LOOKUPS_PER_MINUTE", default=30)
ENROLMENTS_PER_HOUR = env.int("ENROLMENTS_PER_HOUR", default=60)
# Launches and taps without an associate (identity "cart"), for each caller and program.
CART_LAUNCHES_PER_MINUTE = env.int("CART_LAUNCHES_PER_MINUTE", default=60)
CART_REDEMPTIONS_PER_HOUR = env.int("CART_REDEMPTIONS_PER_HOUR", default=60)
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")

INSTALLED_APPS = [
    "loyaltyview.brand",
    "loyaltyview.programs",
    "loyaltyview.newstore",
    "loyaltyview.webview",
    "loyaltyview.redemptions",
    "loyaltyview.events",
    "loyaltyview.work",
    "loyaltyview.ops",
    "providers",
    "providers.journal",
    *vendor_apps(),
    "loyaltyview.programs.admin_site.LoyaltyAdminConfig",  # django.contrib.admin with a menu of ours
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "django_structlog",
    "template_partials",
]
if WORK_ENGINE == "procrastinate":  # its migrations are PostgreSQL's
    INSTALLED_APPS.append("procrastinate.contrib.django")
if SANDBOX:
    INSTALLED_APPS.append("loyaltyview.sandbox")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "loyaltyview.ops.policy.permissions_policy",
    "loyaltyview.ops.compression.PageCompression",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "loyaltyview.webview.overload.overload",
]

ROOT_URLCONF = "loyaltyview.urls"
WSGI_APPLICATION = "loyaltyview.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database: SQLite that survives a power cut, or the one in DATABASE_URL -----------------------
# Off for a connection pooler that hands each transaction to another connection (PgBouncer before 1.21).
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", default=True)
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.db_url(
        "DATABASE_URL", default=f"sqlite:///{quote(str(BASE_DIR / 'var' / 'loyaltyview.sqlite3'))}"
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    with suppress(OSError):  # a new clone has no var/; a check reports a folder that cannot be made
        Path(DATABASES["default"]["NAME"]).parent.mkdir(exist_ok=True)
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
elif DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "loyaltyview.ops.postgresql"
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
    if PREPARED_STATEMENTS:
        # The server keeps the plans of our few statements. Measured: this saves a tenth of our own time in a
        # tap.
        DATABASES["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=5)
# How long web waits for a statement or a lock. The worker waits ten times as long; commands have no limit.
DATABASE_TIMEOUT_S = env.float("DATABASE_TIMEOUT_S", default=3.0)
# To open a connection takes longer than most requests.
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)

CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
if CACHES["default"]["BACKEND"] == "django.core.cache.backends.redis.RedisCache":
    CACHES["default"]["BACKEND"] = "loyaltyview.ops.fallback_cache.FallbackRedisCache"

# --- Languages ------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
LOCALE_PATHS = [BASE_DIR / "loyaltyview" / "locale"]

# --- Static files ---------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "loyaltyview.ops.static_files.StaticFilesStorage"},
}

# --- Safety ---------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": FRAME_ANCESTORS,
    }
}
# Django's X-Frame-Options knows DENY and SAMEORIGIN only; frame-ancestors above replaces it.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COOKIE_SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
DATA_UPLOAD_MAX_MEMORY_SIZE = EVENT_MAX_BYTES

# An IP address is personal data, and our logs do not need it.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# One line for each request, at its end.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
LOGGING = logging_config(LOG_LEVEL)
