"""A member's history from the journal, for vendors that list no movements: what went through our own calls.

One line tells one redemption: what was spent, and what of it was given back. What the journal forgets or puts
a pseudonym on (`retention`) is in no history any more.
"""

from collections.abc import Callable

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal
from providers.sales import SpendKind
from providers.types import Movement

LONGEST = 50
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
    *,
    given_back: Callable[[Write], int] = points_of,
    keeps_undone: Callable[[Write], bool] = lambda spend: False,
) -> tuple[Movement, ...]:
    """Return the member's newest movements. `given_back` says how many points the member got by a release or
    a part that is done. `keeps_undone` says of a spend that was undone whether its points stay spent and the
    member keeps what they bought."""
    told = []
    for write in rows_of(journal, ref).prefetch_related("children")[:LONGEST]:
        if write.kind == WriteKind.SPEND:
            points, text = _redemption(write, given_back, keeps_undone)
        elif write.kind == WriteKind.SALE:
            points, text = _purchase(write)
        else:
            points = -abs(write.points or 0)
            text = _("Return") if write.kind == WriteKind.RETURN else _("Purchase cancelled")
        told.append(Movement(at=write.noted_at, points=points, text=text))
    return tuple(told)


def rows_of(journal: Journal, ref: str) -> "QuerySet[Write]":
    """Return the writes that have a line of their own, newest first."""
    # By time, so that PostgreSQL reads the member's own rows and not the whole table from its end.
    return journal.writes(None, TOLD, member_ref=ref).order_by("-noted_at", "-pk")


def _redemption(
    spend: Write, given_back: Callable[[Write], int], keeps_undone: Callable[[Write], bool]
) -> tuple[int, str]:
    """Return what the spend took in the end, and how it ended."""
    named = {"title": _title(spend)}
    if spend.state == WriteState.SENT:
        return -points_of(spend), _("%(title)s: not confirmed yet") % named
    if spend.state == WriteState.UNDONE and keeps_undone(spend):
        return -points_of(spend), _("%(title)s: bought and kept for later") % named
    back = [child for child in spend.children.all() if child.state == WriteState.DONE]
    points = sum(given_back(child) for child in back) - points_of(spend)
    if spend.state == WriteState.UNDONE:
        is_by_release = any(child.kind == WriteKind.RELEASE for child in back)
        return points if is_by_release else 0, _("%(title)s: given back") % named
    if back:
        return points, _("%(title)s: redeemed, partly given back") % named
    if spend.waits_for_order:
        return points, _("%(title)s: in the cart") % named
    return points, _("%(title)s: redeemed") % named


def _title(spend: Write) -> str:
    if title := spend.detail.get(TITLE):
        return str(title)
    texts = {
        SpendKind.REWARD: _("Reward"),
        SpendKind.VOUCHER: _("Voucher"),
        SpendKind.POINTS: _("Points as money"),
        SpendKind.OFFER: _("Offer"),
    }
    return texts[SpendKind(spend.item_kind)] if spend.item_kind else _("Reward")


def _purchase(sale: Write) -> tuple[int, str]:
    if sale.state == WriteState.UNDONE:
        return 0, _("Purchase, taken back")
    if sale.points is None:
        return 0, _("Purchase, its points are not known here")
    return sale.points, _("Purchase")
