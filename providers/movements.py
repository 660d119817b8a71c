"""The lines of a member's points history, as a vendor's adapter returns them, and their sentences.

A redemption is one line, however often its points moved: `points` is what it took in the end, `ending` says
how it ended. The keys (`spend_key`, `order_id`, `return_id`) let the page join our own records to a line.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

NEWEST = 50  # how many movements `LoyaltyProvider.get_history` returns unless it is asked for more


class MovementKind(StrEnum):
    REDEMPTION = "redemption"
    PURCHASE = "purchase"
    RETURN = "return"
    CANCELLATION = "cancellation"
    EXPIRY = "expiry"
    OTHER = "other"  # `title` has the vendor's own words


class Ending(StrEnum):
    """How a redemption ended; BACK also of a purchase that was taken back."""

    DONE = "done"
    HELD = "held"  # until its order
    UNKNOWN = "unknown"  # it may have happened
    PARTLY_BACK = "partly_back"
    BACK = "back"
    KEPT = "kept"  # bought and not used; the member keeps it


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One line; `points` is signed. `title` names the reward, or is the vendor's sentence. `number` is the
    number of the order, where the vendor knows it. `has_points` is False where they are not known. `pending`
    are points that the balance does not have yet."""

    at: datetime
    points: int
    kind: MovementKind = MovementKind.OTHER
    title: str = ""
    ending: Ending = Ending.DONE
    spend_key: str = ""
    order_id: str = ""
    return_id: str = ""
    number: str = ""
    has_points: bool = True
    pending: int = 0

    @property
    def text(self) -> str:
        """The line's sentence."""
        if self.pending:
            text = ngettext(
                "%(points)s point is pending: %(title)s",
                "%(points)s points are pending: %(title)s",
                self.pending,
            )
            return text % {"points": self.pending, "title": self.title or _("Points")}
        if self.kind is MovementKind.REDEMPTION:
            return redemption_sentence(self.title, self.ending)
        if self.kind is MovementKind.PURCHASE:
            return _purchase_sentence(self)
        if self.kind is MovementKind.RETURN:
            number = {"number": self.number}
            return _("Return of purchase %(number)s") % number if self.number else _("Return")
        if self.kind is MovementKind.CANCELLATION:
            number = {"number": self.number}
            return _("Purchase %(number)s cancelled") % number if self.number else _("Purchase cancelled")
        if self.kind is MovementKind.EXPIRY:
            return _("Points expired")
        return self.title or _("Points")


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Movements, newest first. `has_older`: the vendor has more. `points_after` are the points that could be
    spent after the newest of them; None where the list may have gaps."""

    movements: tuple[Movement, ...]
    has_older: bool = False
    points_after: int | None = None


def redemption_sentence(title: str, ending: Ending) -> str:
    """Return what happened to a redemption."""
    texts = {
        Ending.DONE: _("Redeemed: %(title)s"),
        Ending.HELD: _("Held for an order: %(title)s"),
        Ending.UNKNOWN: _("Not confirmed yet: %(title)s"),
        Ending.PARTLY_BACK: _("Redeemed and partly given back: %(title)s"),
        Ending.BACK: _("Redeemed and given back: %(title)s"),
        Ending.KEPT: _("Bought and kept for later: %(title)s"),
    }
    return texts[ending] % {"title": title or _("Reward")}


def newest_first(
    movements: list[Movement], until: datetime | None, limit: int, spendable: int | None = None
) -> History:
    """Return the page of a whole list: its newest `limit` movements at or before `until`. `spendable` are the
    points now, None where they do not prove that the list is whole."""
    ordered = sorted(movements, key=lambda movement: movement.at, reverse=True)
    newer = [movement for movement in ordered if until and movement.at > until]
    shown = ordered[len(newer) :]
    is_whole = spendable is not None and sum(movement.points for movement in ordered) == spendable
    after = (spendable or 0) - sum(movement.points for movement in newer)
    return History(
        movements=tuple(shown[:limit]),
        has_older=len(shown) > limit,
        points_after=after if is_whole else None,
    )


def _purchase_sentence(purchase: Movement) -> str:
    if purchase.ending is Ending.BACK:
        return _("Purchase, taken back")
    if not purchase.has_points:
        return _("Purchase, its points are not known here")
    return _("Purchase %(number)s") % {"number": purchase.number} if purchase.number else _("Purchase")
