"""Stored secrets are not sent to a changed address: an administrator must enter them again.

Otherwise the right to change a program would be enough to have its secrets sent to any host.
"""

from collections.abc import Mapping
from typing import Any

from loyaltyview.programs.models import Program
from providers.registry import PROVIDERS, provider_class

# Our secrets by the address that gets them. The client secret fetches the token that NewStore's API gets. The
# event key is sent when the event stream is registered.
NEWSTORE = {
    "newstore_api_url": ("newstore_client_secret", "newstore_event_key"),
    "newstore_identity_url": ("newstore_client_secret",),
}
# Adapters register their webhooks with it.
OF_PROVIDER = "provider_webhook_secret"


def moved_secrets(before: Program, after: Mapping[str, Any]) -> set[str]:
    """Return the fields of `before` whose stored secrets may not be kept: `after` has the new values of the
    NewStore addresses, of `provider_kind` and of `provider_settings`."""
    moved = {
        secret
        for address, secrets in NEWSTORE.items()
        if differs(getattr(before, address), after[address])
        for secret in secrets
    }
    if before.provider_kind != after["provider_kind"] or provider_moved(before, after["provider_settings"]):
        moved.add(OF_PROVIDER)
    return {name for name in moved if getattr(before, name)}


def provider_moved(before: Program, settings: Mapping[str, Any]) -> bool:
    """Return whether one of the vendor's addresses differs in `settings`. Their names end in "url"."""
    kind = before.provider_kind
    addresses = [
        spec
        for spec in (provider_class(kind).setting_specs if kind in PROVIDERS else ())
        if spec.name.endswith("url")
    ]
    # A missing address that is required is refused anyway.
    now = {spec.name: settings.get(spec.name) or spec.default for spec in addresses}
    return any(now[name] and differs(before.provider_settings.get(name), now[name]) for name in now)


def differs(old: Any, new: Any) -> bool:
    """Return whether two addresses differ by more than a slash at the end."""
    return str(old or "").rstrip("/") != str(new or "").rstrip("/")
