"""The trail of consents for administrators: read-only."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from loyaltyview.webview.models import ConsentChange
from providers.admin_filters import NewestValues
from providers.large_lists import LargeList


@admin.register(ConsentChange)
class ConsentChangeAdmin(LargeList, ReadOnlyAdmin):
    """Whether a member agreed, and which associate asked. `result` says whether the program took it."""

    list_display = ["at", "member_ref", "consent", "before", "answer", "result", "way", "actor", "store_id"]
    time_field = "at"
    indexed_filters = ["program"]
    list_filter = [
        "program",
        "consent",
        ("answer", NewestValues),
        "result",
        "way",
        ("store_id", NewestValues),
    ]
    search_fields = ["member_ref", "actor"]
    search_help_text = _("A whole member number, or who asked.")
