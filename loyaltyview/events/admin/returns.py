"""Returns for administrators. The filter "state: a person decides" is the worklist: a blind return gets its
order or is closed, and points that the vendor cannot give back in parts are given by hand and closed."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from loyaltyview.events.manual_review import assign_order, close, has_event, is_blind
from loyaltyview.events.models import Order, PartialRelease, ReturnRecord
from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from providers.texts import plain


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
class ReturnAdmin(ReadOnlyAdmin):
    list_display = [
        "return_id", "kind", "order_id", "program", "returned_at", "amount", "currency", "state",
        "why_parked", "points_taken", "points_owed",
    ]  # fmt: skip
    list_filter = ["state", "why_parked", "kind", "program"]
    search_fields = ["return_id", "order_id"]
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
