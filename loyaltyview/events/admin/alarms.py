"""Alarms for administrators: the open ones come first; closing one is noted in the audit trail."""

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from loyaltyview.events.models import Alarm
from loyaltyview.ops.read_only_admin import ReadOnlyAdmin


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    list_display = ["kind", "subject", "program", "detail", "raised_at", "last_at", "closed_at"]
    list_filter = [("closed_at", admin.EmptyFieldListFilter), "kind", "program"]
    search_fields = ["subject", "detail"]
    list_select_related = ["program"]
    actions = ["close"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alarm]:
        alarms: QuerySet[Alarm] = super().get_queryset(request)
        return alarms.order_by(F("closed_at").desc(nulls_first=True), "-last_at")

    @admin.action(description=_("Close"), permissions=["change"])
    def close(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> None:
        for alarm in alarms.filter(closed_at=None):
            self.log_change(request, alarm, str(_("Closed")))
        count = Alarm.objects.filter(pk__in=alarms.values("pk"), closed_at=None).update(
            closed_at=timezone.now()
        )
        text = ngettext("%(n)d alarm closed.", "%(n)d alarms closed.", count) % {"n": count}
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)
