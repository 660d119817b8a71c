"""The part of the project that a vendor's own API needs; `loyaltyview/urls.py` passes it in.

A vendor's package may have an `api` package with `urls.py`, included under `/api/<kind>/`. Each view
gets a `host`. The views check credentials themselves, take no cookie, and make no page.
"""

from importlib.util import find_spec
from typing import Protocol

from django.http import HttpRequest

from providers.base import LoyaltyProvider
from providers.registry import PROVIDERS, package_of


class ApiHost(Protocol):
    """The project's interface for a vendor's API. Programs are named by their slugs."""

    def active_provider(self, program: str) -> LoyaltyProvider | None:
        """Return the program's adapter, None for a program that is unknown or not active."""

    def caller_of(self, request: HttpRequest) -> str:
        """Return the caller's address, for limits only."""

    def wait_s(self, scope: str, key: str, limit: int, per_s: int) -> int:
        """Count one call of `key`; return how many seconds it has to wait, 0 when it may go on."""

    def wait_s_uncounted(self, scope: str, key: str, limit: int, per_s: int) -> int:
        """Return the same without counting a call."""


def api_urls_of_vendors() -> dict[str, str]:
    """Return the `urls` module of each vendor whose package has its own API."""
    packages = {kind: f"{package_of(kind)}.api" for kind in PROVIDERS}
    return {kind: f"{package}.urls" for kind, package in packages.items() if _is_there(package)}


def _is_there(package: str) -> bool:
    try:
        return find_spec(f"{package}.urls") is not None
    except ModuleNotFoundError:  # no `api` package
        return False
