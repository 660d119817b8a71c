"""Deletes finished rows after their time: writes to the vendors, and the vendors' own tables."""

from datetime import datetime

from loyaltyview.brand import files
from loyaltyview.programs.models import Program
from providers.journal.retention import forget_old
from providers.outbound import catalogues, member_rows
from providers.registry import PROVIDERS, provider_class


def purge_bookkeeping(before: datetime) -> int:
    """Let the journal and every vendor delete rows that were finished before that time; return how many.
    Includes vendors that no program uses any more. May be repeated."""
    count = sum(provider_class(kind).forget_old(before) for kind in PROVIDERS)
    return count + forget_old(before) + member_rows.forget_old() + catalogues.forget_old()


def purge_brand_files(before: datetime) -> int:
    """Delete the logos and typefaces that no program has and that nobody uploaded since; return how many."""
    used = {name for names in Program.objects.values_list("logo", "logo_dark", "typeface") for name in names}
    return files.forget_unused(used - {""}, before)
