"""What a value of a program must look like, wherever it comes from: admin form or file."""

import ipaddress
import unicodedata
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

CHANNELS = {"store": _("Store"), "web": _("Web shop")}


def is_loopback(host: str) -> bool:
    """True for this machine's own names and addresses."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def validate_address(value: str, *, allow_http: bool = False) -> None:
    """Refuse an address of another system that is not https (http: only on this machine, or `allow_http`)."""
    try:
        parts = urlsplit(value)
        host, user = parts.hostname or "", parts.username
        _port = parts.port  # raises ValueError when it is no number
    except ValueError as error:
        raise ValidationError(_("Must be an address such as https://acme.p.newstore.net.")) from error
    if parts.scheme not in {"http", "https"} or not host:
        raise ValidationError(_("Must be an address such as https://acme.p.newstore.net."))
    if user is not None:
        raise ValidationError(_("Must not carry a user name or a password."))
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise ValidationError(_("Must begin with https:// (http:// is for this machine only)."))


def validate_text(value: str) -> None:
    """Refuse control characters and lone surrogates: no setting needs them and databases choke on them."""
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in value):
        raise ValidationError(_("Must not contain control characters."))


def validate_languages(value: Any) -> None:
    """Refuse anything but a list of different languages that Django knows, at least one."""
    known = dict(settings.LANGUAGES)
    _validate_list(value)
    for code in value:
        if code not in known:
            raise ValidationError(
                _("%(code)s is not a language code such as en or fr."), params={"code": code}
            )


def validate_channels(value: Any) -> None:
    """Refuse anything but a list of different sales channels. An empty one reports nothing."""
    _validate_list(value, is_required=False)
    for channel in value:
        if channel not in CHANNELS:
            raise ValidationError(
                _("%(channel)s is not a channel; there are: %(known)s."),
                params={"channel": channel, "known": ", ".join(CHANNELS)},
            )


def _validate_list(value: Any, *, is_required: bool = True) -> None:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValidationError(_("Must be a list of texts."))
    if is_required and not value:
        raise ValidationError(_("Must name at least one."))
    if len(set(value)) != len(value):
        raise ValidationError(_("Must not name one twice."))
