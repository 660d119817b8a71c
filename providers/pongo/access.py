"""Who may see Pongo's admin pages, and the adapter of the program that a page is about."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from providers.admin_pages import Host
from providers.pongo.models import Account
from providers.pongo.provider import PongoProvider

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    """Let in staff who may change programs; others are sent to the login, or refused."""

    @wraps(view)
    def checked(request: HttpRequest, *, host: Host, **values: Any) -> HttpResponse:
        if not host.may_change(request.user):
            raise PermissionDenied
        return view(request, host=host, **values)

    wrapped: View = staff_member_required(checked)
    return wrapped


def provider_of(host: Host, program: str) -> PongoProvider:
    """Return the program's adapter; 404 for a program that is not with Pongo."""
    provider = host.provider(program)
    if not isinstance(provider, PongoProvider):
        raise Http404
    return provider


def write_log(request: HttpRequest, program: str, text: str) -> None:
    """Note in the admin's log who did what to the program's connection."""
    account, _created = Account.objects.get_or_create(program=program)
    LogEntry.objects.create(
        user_id=request.user.pk or 0,
        content_type=ContentType.objects.get_for_model(Account),
        object_id=str(account.pk),
        object_repr=str(account)[:200],
        action_flag=CHANGE,
        change_message=text,
    )
