"""The trail of consents for administrators: read-only."""

from django.contrib import admin

from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from loyaltyview.webview.models import ConsentChange


@admin.register(ConsentChange)
class ConsentChangeAdmin(ReadOnlyAdmin):
    """Whether a member agreed, and which associate asked. `result` says whether the program took it."""

    list_display = ["at", "member_ref", "consent", "before", "answer", "result", "way", "actor", "store_id"]
    list_filter = ["program", "consent", "answer", "result", "way", "store_id"]
    search_fields = ["member_ref__exact", "actor__exact"]
    date_hierarchy = "at"
