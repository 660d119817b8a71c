"""The loyalty vendors of the sandbox: one strict server each, written from the vendor's page in
docs/contracts.

A vendor is a package here whose `server` module has one `Vendor`; it is found by its name, and
`make run PROVIDER=<name>` plays with it.
"""

from importlib import import_module
from pkgutil import iter_modules

from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup

__all__ = ["VENDORS", "Vendor", "VendorSetup", "build_vendor"]

VENDORS = sorted(module.name for module in iter_modules(__path__) if module.ispkg)


def build_vendor(kind: str, setup: VendorSetup) -> Vendor:
    """Return the server of `kind`; raise KeyError for one that the sandbox does not have."""
    if kind not in VENDORS:
        raise KeyError(kind)
    module = import_module(f"{__name__}.{kind}.server")
    (server,) = (each for each in Vendor.__subclasses__() if each.__module__ == module.__name__)
    return server(setup)
