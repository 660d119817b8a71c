"""Pongo's rows for administrators: looked at, never edited. What can be done stands on the program's page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from providers.pongo.models import Account, Refund, SentOrder, Spending, Subscription


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that machines wrote."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields if field.editable]


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    list_display = ["program", "state", "merchant_name", "connected_at", "expires_at"]
    list_filter = ["state"]


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["program", "event", "webhook_id"]


@admin.register(Spending)
class SpendingAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "program", "member_ref", "reward_id", "points", "state", "order_id"]
    list_filter = ["state", "program", "kind"]
    search_fields = ["key", "hash", "order_id", "member_ref", "coupon_code"]


@admin.register(SentOrder)
class SentOrderAdmin(ReadOnlyAdmin):
    list_display = ["order_id", "program", "store_slug", "state", "points", "sent_at"]
    list_filter = ["state", "program"]
    search_fields = ["order_id"]


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """The filter "taken back: no" lists what has to be adjusted at Pongo by hand."""

    list_display = ["return_id", "order_id", "program", "net", "is_taken_back", "noted_at"]
    list_filter = ["is_taken_back", "program"]
    search_fields = ["return_id", "order_id"]
