"""The journal for administrators: looked at, never edited."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from providers.journal.models import Write


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that machines wrote."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Write)
class WriteAdmin(ReadOnlyAdmin):
    list_display = [
        "noted_at",
        "program",
        "kind",
        "state",
        "points",
        "amount",
        "item_id",
        "key",
        "order_id",
        "sent_at",
    ]
    list_filter = ["program", "kind", "state", "waits_for_order"]
    # The code of a coupon that the vendor made may stand in `detail` alone.
    readonly_fields = ["detail"]
    search_fields = ["key", "order_id", "vendor_ref", "member_ref", "detail"]
    date_hierarchy = "noted_at"
