"""Converts a vendor's settings to the encrypted JSON field and back.

JSON has no decimals: they are stored as text and converted back by the adapter's `setting_specs`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.registry import provider_class


def storable(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return validated `settings` as plain JSON values."""
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in settings.items()}


def restored(kind: str, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `storable` stored; settings that were added to the adapter since then get their
    defaults."""
    result = {spec.name: spec.default for spec in provider_class(kind).setting_specs} | dict(stored)
    for spec in provider_class(kind).setting_specs:
        if spec.type is Decimal and isinstance(result[spec.name], str):
            result[spec.name] = Decimal(result[spec.name])
    return result


def secret_names(kind: str) -> frozenset[str]:
    """Return the names of the settings that are never shown."""
    return frozenset(spec.name for spec in provider_class(kind).setting_specs if spec.is_secret)
