"""Deletes finished rows after their time: writes to the vendors, and the vendors' own tables."""

from datetime import datetime

from providers.journal.retention import forget_old
from providers.outbound import catalogues, member_rows
from providers.registry import PROVIDERS, provider_class


def purge_bookkeeping(before: datetime) -> int:
    """Let the journal and every vendor delete rows that were finished before that time; return how many.
    Includes vendors that no program uses any more. May be repeated."""
    count = sum(provider_class(kind).forget_old(before) for kind in PROVIDERS)
    return count + forget_old(before) + member_rows.forget_old() + catalogues.forget_old()
