"""Permissions of Pongo's admin pages, and connecting a merchant from there: to Pongo's form and back.

`state` is signed and works once, within ten minutes, for the administrator who started. The start is a link
and not a form: `form-action 'self'` would block a form that leads to Pongo.
"""

import secrets
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import structlog
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from providers.admin_pages import Host
from providers.errors import AuthFailed, OutcomeUnknown, ProviderError, Rejected, Unavailable
from providers.pongo import account as accounts
from providers.pongo import merchant
from providers.pongo.models import Account, ConnectAttempt
from providers.pongo.provider import PongoProvider

log = structlog.get_logger(__name__)

SALT = "providers.pongo.connect"
MINUTES = 10

View = Callable[..., HttpResponse]


def for_administrators(view: View) -> View:
    """Admit staff who may change programs; others are sent to the login, or refused."""

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
    """Record a user's change of the program's connection in admin's log."""
    account, _created = Account.objects.get_or_create(program=program)
    LogEntry.objects.create(
        user_id=request.user.pk or 0,
        content_type=ContentType.objects.get_for_model(Account),
        object_id=str(account.pk),
        object_repr=str(account)[:200],
        action_flag=CHANGE,
        change_message=text,
    )


class WrongState(Exception):
    """The callback does not belong to an attempt that this administrator has under way."""


@for_administrators
@require_safe
def start(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """Send the administrator to Pongo's consent form."""
    config = provider_of(host, program).config
    if not config.settings["client_id"] or not config.settings["client_secret"]:
        messages.error(request, _("Set the client id and the client secret of the partner account first."))
        return redirect("pongo:home", program=program)
    address = merchant.form_url(
        config, state=_new_state(request, program), redirect_uri=_callback_uri(request)
    )
    return redirect(address)


@for_administrators
@require_safe
def callback(request: HttpRequest, *, host: Host) -> HttpResponse:
    """The administrator returns with or without a code. Errors are shown on the program's page."""
    try:
        program = _take_state(request)
    except WrongState:
        text = _("This answer from Pongo does not belong to a connection that you started just now.")
        return render(
            request, "pongo/wrong_state.html", {"title": _("Not connected"), "text": text}, status=400
        )
    provider = provider_of(host, program)
    if request.GET.get("error") or not request.GET.get("code"):
        messages.warning(request, _("Pongo was not allowed to connect. Nothing has changed."))
        return redirect("pongo:home", program=program)
    try:
        granted = merchant.exchange(provider.config, request.GET["code"])
    except ProviderError as error:
        log.warning("connect_failed", program=program, error=type(error).__name__, detail=error.detail)
        messages.error(request, _why_not(error))
        return redirect("pongo:home", program=program)
    account = accounts.connect(
        program,
        base_url=provider.config.settings["base_url"],
        token=granted.token,
        expires_in_s=granted.expires_in_s,
        merchant=granted.merchant,
    )
    write_log(request, program, f"Connected to {account.merchant_name}")
    messages.success(request, _("Connected to %(merchant)s.") % {"merchant": account.merchant_name})
    return redirect("pongo:home", program=program)


@for_administrators
@require_POST
def disconnect(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """Delete the token."""
    provider_of(host, program)
    accounts.disconnect(program)
    write_log(request, program, "Disconnected")
    messages.success(request, _("Disconnected. Pongo is not told: revoke the access there, too."))
    return redirect("pongo:home", program=program)


def _callback_uri(request: HttpRequest) -> str:
    return request.build_absolute_uri(reverse("pongo:callback"))


def _new_state(request: HttpRequest, program: str) -> str:
    ConnectAttempt.objects.filter(started_at__lt=timezone.now() - timedelta(minutes=MINUTES)).delete()
    nonce = secrets.token_urlsafe(24)
    ConnectAttempt.objects.create(nonce=nonce, program=program, user_id=request.user.pk or 0)
    return signing.dumps(nonce, salt=SALT)


def _take_state(request: HttpRequest) -> str:
    """Return the program that the answer is about, once; raise WrongState."""
    try:
        nonce = signing.loads(request.GET.get("state", ""), salt=SALT, max_age=MINUTES * 60)
    except signing.BadSignature as error:
        raise WrongState from error
    attempts = ConnectAttempt.objects.filter(
        nonce=nonce,
        user_id=request.user.pk or 0,
        started_at__gte=timezone.now() - timedelta(minutes=MINUTES),
    )
    program = attempts.values_list("program", flat=True).first()
    if program is None or not attempts.delete()[0]:
        raise WrongState
    return program


def _why_not(error: ProviderError) -> str:
    if isinstance(error, Unavailable | OutcomeUnknown):
        return _("Pongo did not answer. Connect again in a minute.")
    if isinstance(error, AuthFailed):
        return _("Pongo does not accept the partner's client id and secret, or its own token.")
    if isinstance(error, Rejected):
        return _("Pongo did not take its own code: it may have been used or too old. Connect again.")
    return _("Pongo gave an answer that is not understood. Connect again, or paste a token.")
