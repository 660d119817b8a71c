"""What an administrator must look at: files that are stuck, refused or missing lines, orders that wait."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Q

from providers import clock
from providers.antavo.client import Client
from providers.antavo.feed_delivery import UNDELIVERED
from providers.journal import batches
from providers.journal.models import Batch, BatchState, WriteKind, WriteState
from providers.types import ProviderAlarm

STUCK_AFTER = timedelta(hours=6)
MISSING_AFTER = timedelta(days=2)
ORDER_WAITS_FOR = timedelta(days=2)


def alarms(client: Client) -> tuple[ProviderAlarm, ...]:
    """Return one alarm for each file that needs a person, and one for orders that wait too long."""
    return (*_of_files(client), *_of_refused_lines(client), *_of_orders(client))


def _of_files(client: Client) -> Iterator[ProviderAlarm]:
    now = clock.now()
    stuck = batches.files(client.journal, *UNDELIVERED).filter(collected_at__lt=now - STUCK_AFTER)
    for batch in stuck:
        yield _about(batch, f"could not be delivered: {batch.last_error or 'no attempt ended'}")
    sent = Count("lines", filter=Q(lines__refusal="", lines__write__state=WriteState.SENT))
    for batch in batches.files(client.journal, BatchState.DELIVERED).annotate(undecided=sent):
        if batch.delivered_at and batch.delivered_at < now - MISSING_AFTER:
            yield _about(batch, f"{batch.undecided} lines are not at Antavo: was it imported?", "missing")
        if batch.last_error:
            yield _about(batch, f"its refused lines cannot be read: {batch.last_error}", "refusals")


def _of_refused_lines(client: Client) -> Iterator[ProviderAlarm]:
    refused = batches.refused_lines(client.journal).values_list("batch__name").annotate(Count("pk"))
    for name, count in refused.order_by("batch__name"):
        detail = f"{count} lines were refused: send them again or leave them out (Lines of files)"
        yield ProviderAlarm(subject=f"{name} refused", detail=detail)


def _of_orders(client: Client) -> Iterator[ProviderAlarm]:
    late = client.journal.writes(
        None,
        kind__in=(WriteKind.SALE, WriteKind.RETURN, WriteKind.CANCEL),
        state__in=[WriteState.PLANNED, WriteState.SENT],
        due_at__isnull=False,
        noted_at__lt=clock.now() - ORDER_WAITS_FOR,
    ).exclude(batches.IN_A_FILE)
    if first := late.first():
        what = f"{late.count()} orders and returns wait to be sent"
        since = f"the oldest since {first.noted_at:%Y-%m-%d %H:%M}"
        yield ProviderAlarm(subject="orders", detail=f"{what}, {since}: {first.last_error or 'no error'}")


def _about(batch: Batch, detail: str, what: str = "delivery") -> ProviderAlarm:
    return ProviderAlarm(subject=f"{batch.name} {what}", detail=detail)
