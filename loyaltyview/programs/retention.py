"""Vendors' own tables: what is over is deleted by who knows what it is (`LoyaltyProvider.forget_old`)."""

from datetime import datetime

from providers.outbound import sharing
from providers.registry import PROVIDERS, provider_class


def purge_bookkeeping(before: datetime) -> int:
    """Have every vendor delete what was over before that time; returns how many rows. Also those that no
    program uses any more. May be repeated."""
    count = sum(provider_class(kind).forget_old(before) for kind in PROVIDERS)
    return count + sharing.forget_changes()
