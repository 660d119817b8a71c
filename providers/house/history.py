"""A member's movements in plain words, newest first."""

from django.utils.translation import gettext as _

from providers.house.ledger import cards_of
from providers.house.models import Entry, EntryKind, Hold, HoldState, Member
from providers.house.referral import NOTE, NOTE_BACK
from providers.types import Movement


def list_movements(member: Member, limit: int = 50) -> tuple[Movement, ...]:
    """Return the newest `limit` entries, and the holds that are not entries yet. Lines of 0 points are the
    ledger's own notes and mean nothing to a customer."""
    held = member.holds.filter(state=HoldState.HELD, points__gt=0).order_by("-created_at")[:limit]
    # Both sides of a merge are shown as they were earned and spent, so its own lines say nothing more.
    entries = (
        Entry.objects.filter(member__in=cards_of(member)).exclude(points=0).exclude(kind=EntryKind.MERGE)
    )
    entries = entries.order_by("-at", "-pk")[:limit]
    movements = [_of_hold(hold) for hold in held] + [_of_entry(entry) for entry in entries]
    return tuple(sorted(movements, key=lambda movement: movement.at, reverse=True)[:limit])


def _of_hold(hold: Hold) -> Movement:
    text = _("Reserved for %(title)s") % {"title": hold.title}
    return Movement(at=hold.created_at, points=-hold.points, text=text)


def _of_entry(entry: Entry) -> Movement:
    note = {NOTE: _("Referral reward"), NOTE_BACK: _("Referral reward taken back")}.get(
        entry.note, entry.note
    )
    return Movement(at=entry.at, points=entry.points, text=_words(EntryKind(entry.kind), note))


def _words(kind: EntryKind, note: str) -> str:
    """Return the sentence for one line; `note` is the reward's title or the order's number, if known."""
    texts = {
        EntryKind.EARN: (_("Purchase"), _("Purchase %(note)s")),
        EntryKind.SPEND: (_("Redeemed"), _("Redeemed: %(note)s")),
        EntryKind.RELEASE: (_("Given back"), _("Given back: %(note)s")),
        EntryKind.RETURN: (_("Return"), _("Return of purchase %(note)s")),
        EntryKind.CANCEL: (_("Purchase cancelled"), _("Purchase %(note)s cancelled")),
        EntryKind.ADJUST: (_("Correction"), "%(note)s"),
        EntryKind.MERGE: (_("Moved from another card"), _("Moved from another card")),
        EntryKind.EXPIRE: (_("Points expired"), _("Points expired")),
    }
    bare, with_note = texts[kind]
    return with_note % {"note": note} if note else bare
