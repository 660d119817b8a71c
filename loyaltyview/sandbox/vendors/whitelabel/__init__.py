"""White Label Loyalty's Rewards API, written from its contract (sections 1 to 3 and 5)."""

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel

__all__ = ["WhiteLabel"]
