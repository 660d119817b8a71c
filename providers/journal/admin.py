"""The journal for administrators: looked at, never edited."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.db.models.lookups import In
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from providers.admin_filters import FewValues
from providers.indexed_search import FOUND
from providers.journal import batches
from providers.journal.models import Batch, BatchLine, BatchState, CouponOfVendor, Write, WriteState
from providers.large_lists import LargeList
from providers.read_only_admin import ReadOnlyAdmin


@admin.register(Write)
class WriteAdmin(LargeList, ReadOnlyAdmin):
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
    time_field = "noted_at"
    list_filter = [("program", FewValues), "kind", "state", "waits_for_order"]
    indexed_filters = ["program"]
    rare_values = {"state": [WriteState.SENT], "waits_for_order": ["1"]}
    # The code of a coupon that the vendor made may stand in `detail` alone.
    readonly_fields = ["detail"]
    search_fields = ["key", "order_id", "vendor_ref", "member_ref"]
    search_help_text = _("A whole key, order, member number, reference or coupon code of the vendor.")
    list_defer = ["detail", "shown_before"]

    def find_keys(self, texts: Sequence[str]) -> list[Any]:
        by_coupon = Write.objects.order_by().filter(In(CouponOfVendor(), list(texts)))
        return [*super().find_keys(texts), *by_coupon.values_list("pk", flat=True)[:FOUND]]


@admin.register(Batch)
class BatchAdmin(LargeList, ReadOnlyAdmin):
    list_display = [
        "name",
        "program",
        "state",
        "line_count",
        "refused_count",
        "collected_at",
        "delivered_at",
        "last_error",
    ]
    list_filter = [("program", FewValues), "state"]
    search_fields = ["name", "sha256"]
    search_help_text = _("A whole name or checksum.")
    list_defer = ["content"]

    def complete(self, rows: list[Any]) -> None:
        refused = BatchLine.objects.exclude(refusal="").filter(batch__in=rows).order_by()
        refused_of = dict(refused.values_list("batch").annotate(Count("pk")))
        for batch in rows:
            last = batch.lines.order_by("-position").values_list("position", flat=True).first()
            batch.line_total, batch.refused_total = last or 0, refused_of.get(batch.pk, 0)

    @admin.display(description=_("lines"))
    def line_count(self, batch: Any) -> int:
        """Lines are numbered without a gap."""
        count: int = batch.line_total
        return count

    @admin.display(description=_("refused"))
    def refused_count(self, batch: Any) -> int:
        count: int = batch.refused_total
        return count


@admin.register(BatchLine)
class BatchLineAdmin(LargeList, ReadOnlyAdmin):
    """Lines of files. A refused line waits until a person sends it again or leaves it out."""

    list_display = ["file", "position", "write", "refusal"]
    list_filter = [("refusal", admin.EmptyFieldListFilter)]
    rare_values = {"refusal": ["0"]}
    list_select_related = ["batch", "write"]
    search_fields = ["batch__name", "write__key", "write__order_id"]
    search_help_text = _("The whole name of a file, key of a write, or id of an order.")
    actions = ["note_refused", "send_again", "leave_out"]

    @admin.display(description=_("file"), ordering="batch")
    def file(self, line: BatchLine) -> str:
        return line.batch.name

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # For the actions; the fields stay read-only.
        return request.user.has_perm("journal.change_batchline")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["batch", "position", "write", "refusal"]

    @admin.action(description=_("Note as refused: a person looked at the vendor"), permissions=["change"])
    def note_refused(self, request: HttpRequest, lines: "QuerySet[BatchLine]") -> None:
        """For a line of which the vendor tells nothing, such as one of a file that was never imported."""
        count = 0
        for line in lines.filter(refusal="", batch__state=BatchState.DELIVERED).select_related("write"):
            if batches.refuse(line, str(_("noted by a person"))):
                self.log_change(request, line, str(_("Noted as refused")))
                count += 1
        text = ngettext("%(n)d line is noted as refused.", "%(n)d lines are noted as refused.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)

    @admin.action(description=_("Send again in the next file"), permissions=["change"])
    def send_again(self, request: HttpRequest, lines: "QuerySet[BatchLine]") -> None:
        for line in lines:
            self.log_change(request, line, str(_("Sent again")))
        count = batches.send_again(lines)
        text = ngettext("%(n)d line waits for the next file.", "%(n)d lines wait for the next file.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)

    @admin.action(description=_("Leave out for good"), permissions=["change"])
    def leave_out(self, request: HttpRequest, lines: "QuerySet[BatchLine]") -> None:
        for line in lines:
            self.log_change(request, line, str(_("Left out")))
        count = batches.leave_out(lines)
        text = ngettext("%(n)d line is left out.", "%(n)d lines are left out.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)
