"""What a vendor can give back of the points or voucher of a returned order, in words for administrators."""

from collections.abc import Set as AbstractSet

from django.utils.translation import gettext as _

from providers.base import Capability
from providers.registry import PROVIDERS, provider_class


def return_limits(kind: str) -> str:
    """Return the sentences about the vendor `kind`, "" for one that is not registered."""
    if kind not in PROVIDERS:
        return ""
    capabilities = provider_class(kind).capabilities
    return _("%(provider)s: %(points)s %(voucher)s") % {
        "provider": kind,
        "points": _points(capabilities),
        "voucher": _voucher(capabilities),
    }


def _points(capabilities: AbstractSet[Capability]) -> str:
    if Capability.PARTIAL_RELEASE in capabilities:
        return _("points go back in parts, with each return.")
    if Capability.RELEASE_POINTS in capabilities:
        return _("points go back when everything comes back with one return; a person handles parts.")
    return _("it cannot give points back; a person does, and the return says how many.")


def _voucher(capabilities: AbstractSet[Capability]) -> str:
    if Capability.RELEASE_VOUCHER in capabilities:
        return _("A voucher goes back.")
    return _("A voucher stays used.")
