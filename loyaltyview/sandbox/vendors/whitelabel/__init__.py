"""White Label Loyalty's Rewards API, written from docs/contracts/whitelabel.md 1 to 3."""

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel

__all__ = ["WhiteLabel"]
