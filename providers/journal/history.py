"""A member's history from the journal, for vendors that list no movements: what went through our own calls.

One line tells one redemption: what was spent, and what of it was given back. What the journal forgets or puts
a pseudonym on (`retention`) is in no history any more.
"""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal
from providers.movements import NEWEST, Ending, History, Movement, MovementKind
from providers.sales import SpendKind

TITLE = "title"  # what `Write.detail` of a spend calls the reward, where the vendor told its name
LONGEST_TITLE = 100
# A spend that may have happened; a sale; what a return or a cancellation took.
TOLD = (
    Q(kind=WriteKind.SPEND, state__in=[WriteState.SENT, WriteState.DONE, WriteState.UNDONE])
    | Q(kind=WriteKind.SALE, state__in=[WriteState.DONE, WriteState.UNDONE])
    | (
        Q(kind__in=[WriteKind.RETURN, WriteKind.CANCEL], state=WriteState.DONE, points__isnull=False)
        & ~Q(points=0)
    )
)


def points_of(write: Write) -> int:
    """Return the points of a release or a part."""
    return write.points or 0


def list_movements(
    journal: Journal,
    ref: str,
    until: datetime | None = None,
    limit: int = NEWEST,
    *,
    given_back: Callable[[Write], int] = points_of,
    keeps_undone: Callable[[Write], bool] = lambda spend: False,
) -> History:
    """Return the member's newest movements. `given_back` says how many points the member got by a release or
    a part that is done. `keeps_undone` says of a spend that was undone whether its points stay spent and the
    member keeps what they bought. What the vendor did by itself is not known, so no balance follows."""
    rows = rows_of(journal, ref)
    if until:
        rows = rows.filter(noted_at__lte=until)
    found = list(rows.prefetch_related("children")[: limit + 1])
    told = []
    for write in found[:limit]:
        if write.kind == WriteKind.SPEND:
            told.append(_redemption(write, given_back, keeps_undone))
        elif write.kind == WriteKind.SALE:
            told.append(_purchase(write))
        else:
            told.append(_taken_back(write))
    return History(movements=tuple(told), has_older=len(found) > limit)


def rows_of(journal: Journal, ref: str) -> "QuerySet[Write]":
    """Return the writes that have a line of their own, newest first."""
    # By time, so that PostgreSQL reads the member's own rows and not the whole table from its end.
    return journal.writes(None, TOLD, member_ref=ref).order_by("-noted_at", "-pk")


def _redemption(
    spend: Write, given_back: Callable[[Write], int], keeps_undone: Callable[[Write], bool]
) -> Movement:
    """Return what the spend took in the end, and how it ended."""
    back = [child for child in spend.children.all() if child.state == WriteState.DONE]
    points = sum(given_back(child) for child in back) - points_of(spend)
    if spend.state == WriteState.SENT:
        points, ending = -points_of(spend), Ending.UNKNOWN
    elif spend.state == WriteState.UNDONE and keeps_undone(spend):
        points, ending = -points_of(spend), Ending.KEPT
    elif spend.state == WriteState.UNDONE:
        ending = Ending.BACK
        if not any(child.kind == WriteKind.RELEASE for child in back):
            points = 0
    elif back:
        ending = Ending.PARTLY_BACK if points else Ending.BACK
    else:
        ending = Ending.HELD if spend.waits_for_order else Ending.DONE
    return Movement(
        at=spend.noted_at,
        points=points,
        kind=MovementKind.REDEMPTION,
        title=title_of(spend),
        ending=ending,
        spend_key=spend.key,
        order_id=spend.order_id,
    )


def title_of(spend: Write) -> str:
    """Return the name of what was redeemed, the kind of it where the vendor told no name."""
    if title := spend.detail.get(TITLE):
        return str(title)
    texts = {
        SpendKind.REWARD: _("Reward"),
        SpendKind.VOUCHER: _("Voucher"),
        SpendKind.POINTS: _("Points as money"),
        SpendKind.OFFER: _("Offer"),
    }
    return texts[SpendKind(spend.item_kind)] if spend.item_kind else _("Reward")


def _purchase(sale: Write) -> Movement:
    is_back = sale.state == WriteState.UNDONE
    return Movement(
        at=sale.noted_at,
        points=0 if is_back else sale.points or 0,
        kind=MovementKind.PURCHASE,
        ending=Ending.BACK if is_back else Ending.DONE,
        order_id=sale.key,
        has_points=is_back or sale.points is not None,
    )


def _taken_back(write: Write) -> Movement:
    is_return = write.kind == WriteKind.RETURN
    return Movement(
        at=write.noted_at,
        points=-abs(write.points or 0),
        kind=MovementKind.RETURN if is_return else MovementKind.CANCELLATION,
        order_id=write.order_id or ("" if is_return else write.key),
        return_id=write.key if is_return else "",
    )
