"""Writes to the vendors, and the vendors' own tables: finished rows are deleted when their time has come."""

from datetime import datetime

from providers.journal.retention import forget_old
from providers.outbound import sharing
from providers.registry import PROVIDERS, provider_class


def purge_bookkeeping(before: datetime) -> int:
    """Have the journal and every vendor delete what was finished before that time; return how many rows. Also
    of vendors that no program uses any more. May be repeated."""
    count = sum(provider_class(kind).forget_old(before) for kind in PROVIDERS)
    return count + forget_old(before) + sharing.forget_changes()
