"""The event side in Django admin; importing it registers everything."""

from loyaltyview.events.admin import events, orders

__all__ = ["events", "orders"]
