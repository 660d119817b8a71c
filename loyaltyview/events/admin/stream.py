"""Our registration with NewStore's event stream: look, register, start, replay, forget the former key."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from loyaltyview.events import stream
from loyaltyview.events.models import Alarm, AlarmKind, Event
from loyaltyview.events.payloads import read_time
from loyaltyview.newstore import event_stream
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program


def stream_page(admin: "ModelAdmin[Event]", request: HttpRequest) -> HttpResponseBase:
    """GET lists the programs; POST does `action` for one `program` and comes back with a message."""
    if not request.user.has_perm("programs.change_program"):
        raise PermissionDenied
    if request.method == "POST":
        programs = {str(program.pk): program for program in Program.objects.all()}
        chosen = programs.get(request.POST.get("program", ""))
        if chosen is None:
            raise Http404
        _act(admin, request, chosen)
        return redirect("admin:events_stream")
    alarms = Alarm.objects.filter(kind=AlarmKind.STREAM, closed_at=None)
    by_program = {alarm.program_id: alarm for alarm in alarms}
    rows = [
        {
            "program": program,
            "alarm": by_program.get(program.pk),
            "has_former_key": bool(program.newstore_event_key_previous),
        }
        for program in Program.objects.all()
    ]
    context = {**admin.admin_site.each_context(request), "title": _("NewStore's event stream"), "rows": rows}
    return TemplateResponse(request, "admin/events/stream.html", context)


def _act(admin: "ModelAdmin[Event]", request: HttpRequest, program: Program) -> None:
    try:
        text, level = _do(request, program)
    except (NewStoreError, stream.NoAddress) as error:
        text, level = str(error), messages.ERROR
    admin.message_user(request, f"{program.name}: {text}", level)
    done = f"{request.POST.get('action', '')[:20]}: {text}"
    admin.log_change(request, program, done)  # type: ignore[arg-type]  # stands with the program


def _do(request: HttpRequest, program: Program) -> tuple[str, int]:
    action = request.POST.get("action")
    if action == "register":
        return _shown(stream.register(program)), messages.SUCCESS
    if action == "start":
        event_stream.start_stream(program)
        return _("The stream was started."), messages.SUCCESS
    if action == "replay":
        since, until = (read_time(request.POST.get(name)) for name in ("since", "until"))
        if since is None or until is None or until <= since:
            return _("Say which time: from, and a later to."), messages.ERROR
        stream.replay(program, since, until)
        return _("NewStore delivers the events of that time again."), messages.SUCCESS
    if action == "forget_key":
        program.newstore_event_key_previous = ""
        program.save(update_fields=["newstore_event_key_previous"])
        return _("The former event key is no longer accepted."), messages.SUCCESS
    found = event_stream.read_stream(program)
    if found is None:
        return _("NewStore does not know our endpoint."), messages.WARNING
    return _shown(found), messages.SUCCESS if found.status == event_stream.RUNNING else messages.WARNING


def _shown(found: event_stream.Integration) -> Any:
    names = {"name": found.integration_id, "status": found.status, "address": found.callback_url}
    return _("%(name)s is %(status)s and delivers to %(address)s.") % names
