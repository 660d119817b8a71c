"""What we keep for Antavo, for administrators to look at; nobody edits it."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from providers.antavo.models import QueuedCheckout, RefundRecord, SpendRecord


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SpendRecord)
class SpendRecordAdmin(ReadOnly):
    list_display = ["key", "program", "kind", "item_id", "points", "state", "sent_at", "transaction_id"]
    list_filter = ["program", "state", "kind"]
    search_fields = ["key", "provider_ref", "coupon", "member_ref"]


@admin.register(RefundRecord)
class RefundRecordAdmin(ReadOnly):
    list_display = ["return_id", "program", "order_id", "amount", "points", "state", "sent_at"]
    list_filter = ["program", "state"]
    search_fields = ["return_id", "order_id"]


@admin.register(QueuedCheckout)
class QueuedCheckoutAdmin(ReadOnly):
    list_display = ["transaction_id", "program", "due_at", "sent_at", "attempts", "last_error"]
    list_filter = ["program"]
    search_fields = ["transaction_id", "member_ref"]
