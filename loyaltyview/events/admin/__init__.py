"""The event side in Django admin; importing it registers everything."""

from loyaltyview.events.admin import alarms, events, orders, returns

__all__ = ["alarms", "events", "orders", "returns"]
