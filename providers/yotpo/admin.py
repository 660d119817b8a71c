"""Our side of Yotpo's redemptions and refunds, for administrators to look at; nobody edits them."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from providers.yotpo.models import Refund, Spend


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Spend)
class SpendAdmin(ReadOnly):
    """A row that stays "points wait for the order" long after its order was sent: Yotpo has not deducted."""

    list_display = ["asked_at", "option_id", "points", "state", "code", "confirmed_at", "order_sent_at"]
    list_filter = ["program", "state", "is_delayed", "is_custom"]
    search_fields = ["code", "redemption_id", "key"]
    date_hierarchy = "asked_at"


@admin.register(Refund)
class RefundAdmin(ReadOnly):
    list_display = ["refund_id", "order_id", "amount_cents", "sent_at"]
    list_filter = ["program"]
    search_fields = ["order_id", "refund_id"]
