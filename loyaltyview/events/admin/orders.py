"""Orders for administrators, each with its story: what it was exchanged for, what came back."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from loyaltyview.events.models import ExchangeLink, Order, ReturnRecord
from loyaltyview.ops.read_only_admin import ReadOnlyAdmin


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = [
        "order_id", "external_id", "program", "store_id", "member_ref", "earn_base", "currency", "earning",
        "why_nothing", "earned_points",
    ]  # fmt: skip
    list_filter = ["earning", "program", "channel_type", "is_exchange"]
    search_fields = ["order_id", "external_id", "member_ref"]
    list_select_related = ["program"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*super().get_readonly_fields(request, obj), "exchanged_for", "exchanged_by", "returns"]

    @admin.display(description=_("takes the place of"))
    def exchanged_for(self, order: Order) -> SafeString | str:
        return _order_links(order, [link.old_order_id for link in order.exchanges.order_by("pk")])

    @admin.display(description=_("was exchanged for"))
    def exchanged_by(self, order: Order) -> SafeString | str:
        links = ExchangeLink.objects.filter(order__program=order.program, old_order_id=order.order_id)
        return _order_links(order, list(links.values_list("order__order_id", flat=True)))

    @admin.display(description=_("returns"))
    def returns(self, order: Order) -> SafeString | str:
        records = ReturnRecord.objects.filter(program=order.program, order_id=order.order_id)
        return _lines(
            (reverse("admin:events_returnrecord_change", args=[record.pk]), str(record)) for record in records
        )


def _order_links(order: Order, order_ids: list[str]) -> SafeString | str:
    known = Order.objects.filter(program=order.program, order_id__in=order_ids)
    found = {row.order_id: row for row in known}
    return _lines(
        (
            reverse("admin:events_order_change", args=[found[order_id].pk]) if order_id in found else "",
            str(found.get(order_id, order_id)),
        )
        for order_id in dict.fromkeys(order_ids)
    )


def _lines(links: Any) -> SafeString | str:
    rows = [
        format_html('<a href="{}">{}</a>', address, text) if address else format_html("{}", text)
        for address, text in links
    ]
    return format_html_join(", ", "{}", ((row,) for row in rows)) or "-"
