"""What was told to the engine, for administrators to look at. Nobody edits it."""

from django.contrib import admin
from django.http import HttpRequest

from providers.whitelabel.models import Report


@admin.register(Report)
class ReportAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["reference", "kind", "state", "points", "sent_at", "program"]
    list_filter = ["program", "kind", "state"]
    search_fields = ["reference", "order_id", "vendor_ref"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Report | None = None) -> bool:
        return False
