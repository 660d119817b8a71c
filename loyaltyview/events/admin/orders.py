"""Orders and returns for administrators.

An order shows what it was exchanged for and what came back. The filter "state: a person decides" of returns
is the worklist: a blind return gets its order or is closed; points that the vendor cannot give back in parts
are given by hand, then the return is closed.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from loyaltyview.events.manual_review import assign_order, close, has_event, is_blind
from loyaltyview.events.models import ExchangeLink, Order, PartialRelease, ReturnRecord, ReturnState
from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from providers.admin_filters import NewestValues
from providers.large_lists import LargeList
from providers.texts import plain


@admin.register(Order)
class OrderAdmin(LargeList, ReadOnlyAdmin):
    list_display = [
        "order_id", "external_id", "program", "store_id", "member_ref", "earn_base", "currency", "earning",
        "why_nothing", "earned_points",
    ]  # fmt: skip
    list_filter = ["earning", "program", ("channel_type", NewestValues), "is_exchange"]
    indexed_filters = ["program"]
    search_fields = ["order_id", "external_id", "member_ref"]
    search_help_text = _("The whole id of an order, receipt number or member number.")
    list_defer = ["lines", "cancelled_items"]
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


class ReturnForm(forms.ModelForm):  # type: ignore[type-arg]
    """The one thing that can be entered: which order a blind return belongs to."""

    def clean_order_id(self) -> str:
        order_id: str = plain(self.cleaned_data["order_id"])
        orders = Order.objects.filter(program=self.instance.program)
        # The receipt has the other number.
        order = orders.filter(order_id=order_id).first() or orders.filter(external_id=order_id).first()
        if order_id and order is None:
            raise forms.ValidationError(_("There is no such order."))
        if order_id and not has_event(self.instance):
            raise forms.ValidationError(_("Its event is no longer kept, so nothing can be taken back."))
        return order.order_id if order else ""


class PartInline(admin.TabularInline):  # type: ignore[type-arg]
    model = PartialRelease
    extra = 0
    can_delete = False
    fields = ["redemption", "points", "done_at"]
    readonly_fields = ["redemption", "points", "done_at"]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ReturnRecord)
class ReturnAdmin(LargeList, ReadOnlyAdmin):
    list_display = [
        "return_id", "kind", "order_id", "program", "returned_at", "amount", "currency", "state",
        "why_parked", "points_taken", "points_owed",
    ]  # fmt: skip
    list_filter = ["state", "why_parked", "kind", "program"]
    indexed_filters = ["program"]
    rare_values = {"state": [ReturnState.PARKED]}
    search_fields = ["return_id", "order_id"]
    search_help_text = _("The whole id of a return or of its order.")
    list_defer = ["lines"]
    list_select_related = ["program"]
    form = ReturnForm
    inlines = [PartInline]
    actions = ["close"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        fields = super().get_readonly_fields(request, obj)
        return [name for name in fields if name != "order_id"] if obj and is_blind(obj) else fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Nothing is saved here but by `assign_order`: the worker may have the row meanwhile."""
        if obj.order_id and assign_order(obj, obj.order_id):
            self.message_user(request, _("The worker takes back what its goods earned."), messages.SUCCESS)

    @admin.action(description=_("Close: nothing (more) to do"), permissions=["change"])
    def close(self, request: HttpRequest, records: QuerySet[ReturnRecord]) -> None:
        closed = [record for record in records if close(record)]
        for record in closed:
            self.log_change(request, record, str(_("Closed")))
        count = len(closed)
        text = ngettext("%(n)d return closed.", "%(n)d returns closed.", count) % {"n": count}
        self.message_user(request, text, messages.SUCCESS if closed else messages.WARNING)


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
