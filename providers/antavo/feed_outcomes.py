"""What became of the lines of delivered files: seen at Antavo, or named in a list of refused lines."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from django.db.models import Q

from providers import clock
from providers.antavo import feed_file, transactions, waiting
from providers.antavo.client import SETTLED_AFTER, Client
from providers.antavo.feed_delivery import UNDELIVERED, folder_of, next_time
from providers.antavo.refusals import MEMBER_NOT_FOUND, Refused
from providers.errors import ProviderError, UnexpectedAnswer
from providers.journal import batches, queue
from providers.journal.models import Batch, BatchLine, BatchState, Write, WriteKind, WriteState
from providers.journal.spending import Made, is_past
from providers.journal.states import advance
from providers.outbound.folders import Folder, told_as_unavailable

REFUNDS = (WriteKind.RETURN, WriteKind.CANCEL)
LOOKED_AT = 50  # rows in one run: a call each
JUDGED = 200  # lines of a list in one run: other programs wait for the same worker


def look(client: Client) -> int:
    """Look for what was delivered, and for checkouts that were sent in another way before; return how many
    are done now."""
    count = 0
    not_there = batches.IN_A_FILE & Q(lines__batch__state__in=UNDELIVERED)
    sent = client.journal.writes(None, kind__in=(WriteKind.SALE, *REFUNDS), state=WriteState.SENT)
    if client.settings.orders != "feed":  # the others wait for what the setting says now
        sent = sent.filter(batches.IN_A_FILE)
    due = sent.filter(due_at__lte=clock.now()).exclude(pk__in=sent.filter(not_there).values("pk"))
    # By time, not by age: many lines that are never found would keep the others from being looked for.
    for write in due.order_by("due_at", "pk")[:LOOKED_AT]:
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
        _note_done(client, write, made)
        return True
    if was_sent_long_ago and not write.lines.filter(refusal="").exists():
        advance(write, WriteState.SENT, WriteState.PLANNED, due_at=next_time(client))
    else:
        queue.postpone(write, "not at Antavo yet")
    return False


def _note_done(client: Client, write: Write, made: Made) -> None:
    queue.done(write, made)
    if write.kind == WriteKind.SALE:
        waiting.finish(client, write)


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
    delivered = batches.files(client.journal, BatchState.DELIVERED)
    taken = [batch for batch in delivered.filter(due_at__lte=clock.now()) if batches.take(batch)]
    if not taken:
        return 0
    count, problems = 0, {batch.pk: "" for batch in taken}
    try:
        with told_as_unavailable("feed"), folder_of(client) as folder:
            for name, of_list in _lists_of(folder, client.settings.feed_errors, list(delivered)):
                try:
                    count += _refuse_lines(client, folder, name, of_list)
                except UnexpectedAnswer as error:  # the other lists can be read all the same
                    problems |= {batch.pk: _told(error) for batch in of_list}
    except ProviderError as error:
        problems = {batch.pk: _told(error) for batch in taken}
    for batch in taken:
        batches.postpone(batch, problems[batch.pk])
    return count


def _lists_of(folder: Folder, errors: str, delivered: list[Batch]) -> Iterator[tuple[str, list[Batch]]]:
    """Return each list in `errors` that is not read yet, with the files that it may be about: its name begins
    with theirs, with or without the ending. Several files have one name where the name is fixed."""
    for name in folder.names(errors):
        if name.endswith(".read"):
            continue
        named = [batch for batch in delivered if f"{name}.".startswith(f"{batch.name}.")]
        named = named or [batch for batch in delivered if name.startswith(f"{Path(batch.name).stem}.")]
        if named:
            yield name, named


def _refuse_lines(client: Client, folder: Folder, name: str, of_list: list[Batch]) -> int:
    """Decide about the lines that a list names, and mark the list as read when all are decided."""
    path, count = f"{client.settings.feed_errors}/{name}", 0
    refused: dict[str, list[feed_file.Refusal]] = {}
    for refusal in feed_file.refusals(client, folder.read(path)):
        refused.setdefault(refusal.transaction_id, []).append(refusal)
    lines = BatchLine.objects.filter(batch__in=of_list).select_related("write").order_by("pk")
    named = [line for line in lines if feed_file.transaction_of(line.write) in refused]
    if refused and not named:
        raise UnexpectedAnswer("refused lines: a list names no line of the file")
    undecided = [line for line in named if not line.refusal and line.write.state == WriteState.SENT]
    for line in undecided[:JUDGED]:
        action, _data = feed_file.event_of(line.write)
        reasons = [
            refusal.reason
            for refusal in refused[feed_file.transaction_of(line.write)]
            if refusal.action in ("", action)
        ]
        if not reasons:
            continue
        if made := _seen(client, line.write):
            _note_done(client, line.write, made)
        else:
            count += batches.refuse(line, reasons[0])
    if len(undecided) <= JUDGED:
        folder.rename(path, f"{path}.{int(clock.now().timestamp())}.read")
    return count


def _told(error: ProviderError) -> str:
    return f"{type(error).__name__}: {error.detail}"
