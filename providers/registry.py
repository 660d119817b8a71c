"""The list of vendors. A new vendor is one package, here or elsewhere, its tests, and one line in this file.

The settings import this, and no model can be imported before them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from providers.base import LoyaltyProvider

PROVIDERS = {
    "antavo": "providers.antavo.provider.AntavoProvider",
    "house": "providers.house.provider.HouseProvider",
    "pongo": "providers.pongo.provider.PongoProvider",
    "whitelabel": "providers.whitelabel.provider.WhiteLabelProvider",
    "yotpo": "providers.yotpo.provider.YotpoProvider",
}


# Apps inside a vendor's package, besides the package itself.
PARTS = ("providers.house.api",)


def package_of(kind: str) -> str:
    """Return the dotted name of a vendor's package."""
    return PROVIDERS[kind].rsplit(".", 2)[0]


def vendor_apps() -> list[str]:
    """Return the apps of Django's that the vendors' packages are and contain."""
    return sorted({package_of(kind) for kind in PROVIDERS} | set(PARTS))


def provider_class(kind: str) -> "type[LoyaltyProvider]":
    """Return the adapter's class; raise KeyError for a kind that is not registered."""
    module, _, name = PROVIDERS[kind].rpartition(".")
    cls: type[LoyaltyProvider] = getattr(import_module(module), name)
    return cls
