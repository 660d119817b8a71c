"""The part of the project that a vendor's own admin pages need; `loyaltyview/urls.py` passes it to them.

A vendor's package may have a `urls.py` (with `app_name` its kind and a page named `home` that takes a
program's slug). It is included under `/admin/<kind>/`; each view gets a `host`. The pages check permissions
themselves: `staff_member_required`, and `may_change`.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Protocol

from providers.base import LoyaltyProvider
from providers.registry import PROVIDERS, package_of


@dataclass(frozen=True, slots=True, kw_only=True)
class HostStore:
    """One of the program's stores: its id and name here, and the vendor's id ("" while unmapped)."""

    store_id: str
    name: str
    provider_store: str


class Host(Protocol):
    """The project's interface for a vendor's pages. Programs are named by their slugs."""

    def may_change(self, user: Any) -> bool:
        """Return whether this user may change programs."""

    def provider(self, program: str) -> LoyaltyProvider | None:
        """Return the program's adapter, None for an unknown program."""

    def program_url(self, program: str) -> str:
        """Return the address of the program's page in admin."""

    def webhook_path(self, program: str) -> str:
        """Return the path at which the vendor's deliveries are taken, "" while there is no secret for it."""

    def stores(self, program: str) -> tuple[HostStore, ...]:
        """Return the program's stores by name."""

    def sold_products(self, program: str) -> frozenset[str]:
        """Return the product ids in the program's newest orders and carts, as NewStore writes them."""

    def map_store(self, program: str, store_id: str, provider_store: str) -> bool:
        """Set the vendor's id of a store; False for a store that the program does not have."""


def urls_of_vendors(module: str = "urls") -> dict[str, str]:
    """Return the `urls` module of each vendor whose package has its own pages. `public_urls` are the vendors'
    addresses without a login, such as pictures: they are included under `/<kind>/`."""
    modules = {kind: f"{package_of(kind)}.{module}" for kind in PROVIDERS}
    return {kind: module for kind, module in modules.items() if find_spec(module)}
