"""The journal for administrators: looked at, never edited."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from providers.journal import batches
from providers.journal.models import Batch, BatchLine, BatchState, Write
from providers.read_only_admin import ReadOnlyAdmin


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


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
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
    list_filter = ["program", "state"]
    search_fields = ["name", "sha256"]
    date_hierarchy = "day"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Batch]":
        rows: QuerySet[Batch] = super().get_queryset(request)
        return rows.annotate(
            line_total=Count("lines"), refused_total=Count("lines", filter=~Q(lines__refusal=""))
        )

    @admin.display(description=_("lines"))
    def line_count(self, batch: Any) -> int:
        count: int = batch.line_total
        return count

    @admin.display(description=_("refused"))
    def refused_count(self, batch: Any) -> int:
        count: int = batch.refused_total
        return count


@admin.register(BatchLine)
class BatchLineAdmin(ReadOnlyAdmin):
    """Lines of files. A refused line waits until a person sends it again or leaves it out."""

    list_display = ["file", "position", "write", "refusal"]
    list_filter = [("refusal", admin.EmptyFieldListFilter), "batch__program"]
    list_select_related = ["batch", "write"]
    search_fields = ["batch__name", "write__key", "write__order_id"]
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
