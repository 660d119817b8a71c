"""Events for administrators: read-only, personal data masked until asked for, replayable; our registration
with the event stream."""

import json
import re
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from loyaltyview.events.admin.stream import stream_page
from loyaltyview.events.models import Alarm, Event, EventSearch, EventSource
from loyaltyview.events.payloads import NotJson, parse
from loyaltyview.events.stored_events import replay
from loyaltyview.ops.read_only_admin import ReadOnlyAdmin
from providers.admin_filters import NewestValues, OpenFirst
from providers.large_lists import LargeList

# Keys whose values identify a person. Extended attributes are free text of the retailer.
PERSONAL = re.compile(
    r"e-?mail|phone|mobile|(first|last|full|middle|customer)_?name|birth|note$|extended_attributes", re.I
)
MASK = "•••"


@admin.register(Event)
class EventAdmin(LargeList, ReadOnlyAdmin):
    """The filter "state: dead" is the worklist; `last_error` says what is wrong."""

    list_display = ["received_at", "program", "name", "subject", "state", "attempts", "due_at", "last_error"]
    time_field = "received_at"
    list_filter = ["state", "program", ("name", NewestValues), "source"]
    indexed_filters = ["state", "program"]
    search_fields = ["subject", "dedupe_key"]
    search_help_text = _("The whole id of an order, or the whole key of a delivery.")
    list_defer = ["payload", "headers"]
    list_select_related = ["program"]
    exclude = ["payload"]
    change_list_template = "admin/events/event/change_list.html"
    actions = ["replay_events"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(stream_page, self))
        return [path("stream/", view, name="events_stream"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        shown = (
            "payload_in_full" if self._may_reveal(request) and "reveal" in request.GET else "payload_masked"
        )
        fields = [name for name in super().get_readonly_fields(request, obj) if name != "payload"]
        return [*fields, shown, *(["reveal_link"] if self._may_reveal(request) else [])]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        event = super().get_object(request, object_id, from_field)
        if event and "reveal" in request.GET and self._may_reveal(request):
            self.log_change(request, event, str(_("Looked at the personal data of the payload")))
        return event

    def _may_reveal(self, request: HttpRequest) -> bool:
        return request.user.has_perm("events.reveal_payload")

    @admin.display(description=_("payload, personal data masked"))
    def payload_masked(self, event: Event) -> SafeString:
        # A body that the adapter did not understand: any part of it may be personal.
        if event.source == EventSource.PROVIDER and not event.name:
            return _block(_("Not understood: %(n)d bytes") % {"n": len(event.payload)})
        try:
            return _block(json.dumps(masked(parse(bytes(event.payload))), indent=2, default=str))
        except (NotJson, RecursionError):
            return _block(_("Not JSON: %(n)d bytes") % {"n": len(event.payload)})

    @admin.display(description=_("payload"))
    def payload_in_full(self, event: Event) -> SafeString:
        return _block(bytes(event.payload).decode(errors="replace"))

    @admin.display(description=_("personal data"))
    def reveal_link(self, event: Event) -> SafeString:
        return format_html('<a href="?reveal=1">{}</a>', _("Show the payload in full (this is logged)"))

    @admin.action(description=_("Replay"), permissions=["change"])
    def replay_events(self, request: HttpRequest, events: QuerySet[Event]) -> None:
        for event in events:
            self.log_change(request, event, str(_("Replayed")))
        count = replay(events)
        text = ngettext("%(n)d event will be handled again.", "%(n)d events will be handled again.", count)
        self.message_user(request, text % {"n": count}, messages.SUCCESS if count else messages.WARNING)


@admin.register(Alarm)
class AlarmAdmin(LargeList, ReadOnlyAdmin):
    list_display = ["kind", "subject", "program", "detail", "raised_at", "last_at", "closed_at"]
    time_field = "last_at"
    list_filter = [OpenFirst, "kind", "program"]
    rare_values = {"closed_at": ["1"]}
    search_fields = ["subject"]
    search_help_text = _("The whole text of what it is about.")
    list_select_related = ["program"]
    actions = ["close"]

    @admin.action(description=_("Close"), permissions=["change"])
    def close(self, request: HttpRequest, alarms: QuerySet[Alarm]) -> None:
        for alarm in alarms.filter(closed_at=None):
            self.log_change(request, alarm, str(_("Closed")))
        count = Alarm.objects.filter(pk__in=alarms.values("pk"), closed_at=None).update(
            closed_at=timezone.now()
        )
        text = ngettext("%(n)d alarm closed.", "%(n)d alarms closed.", count) % {"n": count}
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)


@admin.register(EventSearch)
class EventSearchAdmin(ReadOnlyAdmin):
    """How far the search for missed events came."""

    list_display = ["program", "kind", "searched_until", "started_at", "found"]
    list_select_related = ["program"]
    exclude = ["cursor"]


def _block(text: str) -> SafeString:
    return format_html("<pre>{}</pre>", text)


def masked(value: Any) -> Any:
    """Return `value` with dots in place of everything that identifies a person."""
    if isinstance(value, dict):
        return {key: _mask(item) if PERSONAL.search(key) else masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def _mask(value: Any) -> Any:
    return MASK if value else value
