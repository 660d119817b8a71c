"""The loyalty vendors of the sandbox: one strict server each, written from the vendor's page in
docs/contracts.

A vendor is one module or package here and one line in `VENDORS`; `make run PROVIDER=<kind>` plays with it.
"""

from importlib import import_module

from loyaltyview.sandbox.vendors.base import Vendor, VendorSetup

__all__ = ["VENDORS", "Vendor", "VendorSetup", "build_vendor"]

VENDORS: dict[str, str] = {
    "antavo": "loyaltyview.sandbox.vendors.antavo.server.AntavoVendor",
    "pongo": "loyaltyview.sandbox.vendors.pongo.server.PongoVendor",
    "whitelabel": "loyaltyview.sandbox.vendors.whitelabel.WhiteLabel",
    "yotpo": "loyaltyview.sandbox.vendors.yotpo.Yotpo",
}


def build_vendor(kind: str, setup: VendorSetup) -> Vendor:
    """Return the server of `kind`; raise KeyError for one that the sandbox does not have."""
    module, _, name = VENDORS[kind].rpartition(".")
    vendor: Vendor = getattr(import_module(module), name)(setup)
    return vendor
