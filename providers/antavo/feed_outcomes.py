"""What became of the lines of delivered files: seen at Antavo, or named in a list of refused lines."""

from decimal import Decimal
from pathlib import Path

from django.db.models import Q

from providers import clock
from providers.antavo import feed_file, transactions, waiting
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.feed_delivery import UNDELIVERED, folder_of, next_time
from providers.antavo.refusals import MEMBER_NOT_FOUND, Refused
from providers.errors import ProviderError
from providers.journal import batches, queue
from providers.journal.models import Batch, BatchState, Write, WriteKind, WriteState
from providers.journal.spending import Made, is_past
from providers.journal.states import advance
from providers.outbound.folders import Folder, told_as_unavailable

REFUNDS = (WriteKind.RETURN, WriteKind.CANCEL)
LOOKED_AT = 50  # rows in one run: a call each


def look(client: Client) -> int:
    """Look for what was delivered, and for checkouts that were sent in another way before; return how many
    are done now."""
    count = 0
    not_there = batches.IN_A_FILE & Q(lines__batch__state__in=UNDELIVERED)
    sent = client.journal.writes(None, kind__in=(WriteKind.SALE, *REFUNDS), state=WriteState.SENT)
    if client.settings.orders != "feed":  # the others wait for what the setting says now
        sent = sent.filter(batches.IN_A_FILE)
    due = sent.filter(due_at__lte=clock.now()).exclude(pk__in=sent.filter(not_there).values("pk"))
    for write in due[:LOOKED_AT]:
        was_sent_long_ago = is_past(write, SETTLED_AFTER)
        if not queue.take(write):
            continue
        try:
            count += _settle(client, write, was_sent_long_ago)
        except ProviderError as error:
            queue.postpone(write, type(error).__name__)
    return count


def _settle(client: Client, write: Write, was_sent_long_ago: bool) -> bool:
    """Move a write on, where Antavo shows it; return whether it is done."""
    if made := _seen(client, write):
        queue.done(write, made)
        if write.kind == WriteKind.SALE:
            waiting.finish(client, write)
        return True
    if was_sent_long_ago and not write.lines.filter(refusal="").exists():
        advance(write, WriteState.SENT, WriteState.PLANNED, due_at=next_time(client))
    else:
        queue.postpone(write, "not at Antavo yet")
    return False


def _seen(client: Client, write: Write) -> Made | None:
    """Return what the write made at Antavo, None where it is not to be seen: not even the member, perhaps."""
    try:
        return _made(client, write)
    except Refused as refused:
        if refused.code == MEMBER_NOT_FOUND:
            return None
        raise


def _made(client: Client, write: Write) -> Made | None:
    ref = write.member_ref
    if write.kind == WriteKind.SALE:
        found = transactions.read(client, ref, write.key)
        return waiting.made(found) if found else None
    checkout, action = write.detail["checkout"], write.detail["action"]
    found = transactions.read(client, ref, checkout)
    if found is None:
        return None
    if action == "checkout_update":
        is_smaller = found.status in transactions.UNDONE or found.total == Decimal(write.detail["left"])
        return Made(ref=write.key) if is_smaller else None
    before = write.shown_before or {}
    count, points = transactions.refunds_of(client, ref, checkout)
    if action == "partial_refund":
        is_there = count > before.get("count", 0)
    else:
        is_there = found.status in transactions.UNDONE
    return Made(ref=write.key, points=points - before.get("points", 0)) if is_there else None


def read_refusals(client: Client) -> int:
    """Read the lists of refused lines of delivered files; return how many lines were refused."""
    due = batches.files(client.journal, BatchState.DELIVERED).filter(due_at__lte=clock.now())
    taken = [batch for batch in due if batches.take(batch)]
    if not taken:
        return 0
    count, problem = 0, ""
    try:
        with told_as_unavailable("feed"), folder_of(client) as folder:
            for batch in taken:
                count += _refuse_lines(client, folder, batch)
    except ProviderError as error:
        problem = f"{type(error).__name__}: {error.detail}"
    for batch in taken:
        batches.postpone(batch, problem)
    return count


def _refuse_lines(client: Client, folder: Folder, batch: Batch) -> int:
    """Note the lines that a list in `errors` names, and mark the list as read. Its name begins with the name
    of the file, with or without its ending."""
    errors, count = client.settings.feed_errors, 0
    for name in folder.names(errors):
        is_ours = name == batch.name or name.startswith((f"{batch.name}.", f"{Path(batch.name).stem}."))
        if not is_ours or name.endswith(".read"):
            continue
        refused = list(feed_file.refusals(client, folder.read(f"{errors}/{name}")))
        for line in batch.lines.filter(refusal="", write__state=WriteState.SENT).select_related("write"):
            action, data = feed_file.event_of(line.write)
            reasons = [
                refusal.reason
                for refusal in refused
                if refusal.transaction_id == data["transaction_id"] and refusal.action in ("", action)
            ]
            if reasons and not _seen(client, line.write):
                count += batches.refuse(line, reasons[0])
        folder.rename(f"{errors}/{name}", f"{errors}/{name}.{int(clock.now().timestamp())}.read")
    return count
