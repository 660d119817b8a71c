"""Points that a return or a cancelled order should have taken, but that were on hold or spent.

The entry of the return keeps them as `shortfall`. When the points of an earlier hold come back, they pay for
it first: the member ends as if the points had never been spent. The points of a later hold pay nothing, since
the shortfall could not have been taken from them.
"""

from django.db.models import Max

from providers.house.ledger import cards_of, post
from providers.house.models import Entry, EntryKind, Hold, Member


def newest_entry() -> int:
    """Return the id of the newest entry, 0 without one. A hold keeps it: entries of its member with a higher
    id are later than the hold, independent of clocks."""
    newest: int | None = Entry.objects.aggregate(newest=Max("pk"))["newest"]
    return newest or 0


def take_owed(member: Member, hold: Hold, came_back: int, release: str) -> None:
    """`came_back` points of the hold are spendable again: take the shortfall since the hold was made, at most
    these points. Inside the caller's transaction and its `lock`, once per `release`, the caller's name for
    the write that gave the points back."""
    for short, owed in _owed_since(member, hold.newest_entry):
        if came_back <= 0:
            return
        taken = min(owed, came_back)
        came_back -= taken
        post(
            member,
            EntryKind(short.kind),
            -taken,
            reference=f"{_paid_reference(short.pk)}{release}",
            shortfall=-taken,
            order_id=short.order_id,
            note=short.note,
        )


def _owed_since(member: Member, newest: int) -> list[tuple[Entry, int]]:
    """Return the entries after `newest` with a shortfall, oldest first, with the points that are still owed.
    Those of cards that were merged count too."""
    found = list(
        Entry.objects.filter(pk__gt=newest, member__in=cards_of(member)).exclude(shortfall=0).order_by("pk")
    )
    payments = [entry for entry in found if entry.shortfall < 0]
    result = []
    for entry in found:
        reference = _paid_reference(entry.pk)
        paid = sum(-payment.shortfall for payment in payments if payment.reference.startswith(reference))
        if entry.shortfall > paid:
            result.append((entry, entry.shortfall - paid))
    return result


def _paid_reference(pk: int) -> str:
    return f"owed:{pk}:"
