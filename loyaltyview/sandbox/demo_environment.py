"""The environment of `make run`: secrets are made once and kept; other values follow from the ports.

Every setting that names a place of data is set here, so that the caller's own environment (such as a
production DATABASE_URL) does not reach the demo.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from cryptography.fernet import Fernet

HOST = "127.0.0.1"


class DemoError(Exception):
    """The demo cannot start; the message says why, and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports of our web server, the Associate App, and its WebView."""

    web: int
    app: int
    proxy: int

    @property
    def loyalty_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def app_url(self) -> str:
        return f"http://{HOST}:{self.app}"


VARIABLES = {"web": "DEMO_WEB_PORT", "app": "DEMO_APP_PORT", "proxy": "DEMO_PROXY_PORT"}


def read_ports(environ: Mapping[str, str]) -> Ports:
    """Return the ports, 8000, 8100 and 8101 unless the environment names others; raise DemoError."""
    given = {"web": "8000", "app": "8100", "proxy": "8101"}
    given |= {name: environ[variable] for name, variable in VARIABLES.items() if environ.get(variable)}
    for name, text in given.items():
        if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
            raise DemoError(f"{VARIABLES[name]} is not a port: {text}")
    if len(set(given.values())) < len(given):
        raise DemoError(f"{', '.join(VARIABLES.values())} must differ.")
    return Ports(**{name: int(text) for name, text in given.items()})


def write_environment(var: Path, ports: Ports, *, vendor: str = "", database: str = "") -> dict[str, str]:
    """Write `var`/demo.env (mode 0600) and return its values. Secrets that it has already stay."""
    path = var / "demo.env"
    file = var / "demo.sqlite3"
    kept = _read(path) if path.exists() else {}
    if not kept and file.exists():
        raise DemoError(
            f"{path} is gone, and without its keys {file} cannot be read. Remove {file} to start afresh."
        )
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "CREDENTIAL_KEYS": Fernet.generate_key().decode(),
        "NEWSTORE_CLIENT_SECRET": secrets.token_urlsafe(24),
        "NEWSTORE_EVENT_KEY": secrets.token_urlsafe(24),
        "SANDBOX_VENDOR_SECRET": secrets.token_urlsafe(24),
        "SANDBOX_WEBHOOK_SECRET": secrets.token_urlsafe(24),
        "DEMO_ADMIN_PASSWORD": secrets.token_urlsafe(9),
    }
    values = {name: kept.get(name, value) for name, value in made.items()}
    values |= {
        "ENV_FILE": str(path),
        "DATABASE_URL": database or f"sqlite:///{quote(str(file))}",
        "CACHE_URL": "locmemcache://",
        "DEBUG": "false",
        "FEED_FOLDER": str(var / "feed"),
        "SANDBOX": "true",
        "STRICT_STATES": "true",
        "COOKIE_SECURE": "false",
        "ALLOW_PRIVATE_ADDRESSES": "true",
        "BEHIND_TLS_PROXY": "false",
        "ALLOWED_HOSTS": f"{HOST},localhost",
        "CSRF_TRUSTED_ORIGINS": "",
        "FRAME_ANCESTORS": ports.app_url,
        "LOG_LEVEL": "WARNING",
        "WEB_HOST": HOST,
        "PORT": str(ports.web),
        "LOYALTY_URL": ports.loyalty_url,
        "PUBLIC_URL": ports.loyalty_url,
        "NEWSTORE_API_URL": ports.app_url,
        "NEWSTORE_IDENTITY_URL": f"{ports.app_url}/auth/realms/acme-staging",
        "VENDOR_URL": f"{ports.app_url}/vendor/{vendor}",
        "DEMO_VENDOR": vendor,
        "SANDBOX_CLIENT_SECRET": values["NEWSTORE_CLIENT_SECRET"],
        "SANDBOX_EVENT_KEY": values["NEWSTORE_EVENT_KEY"],
        "DEMO_WEB_PORT": str(ports.web),
        "DEMO_APP_PORT": str(ports.app),
        "DEMO_PROXY_PORT": str(ports.proxy),
    }
    _write(path, values)
    return values


def _read(path: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in path.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}


def _write(path: Path, values: Mapping[str, str]) -> None:
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(f"{name}={value}\n" for name, value in values.items())
    draft.replace(path)
