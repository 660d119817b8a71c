"""Counts failed requests for the admin's front page: pages, launches, and taps without a row."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError
from django.db.models import F, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from loyaltyview.ops.charts import midnights, whole
from loyaltyview.ops.overview import Need, Number, Part, Viewer
from loyaltyview.programs.models import Program, Trouble, TroubleKind
from loyaltyview.programs.time_zones import common_zone
from providers.retention import delete_in_steps

log = structlog.get_logger(__name__)

SLOT = timedelta(minutes=15)  # every time zone's midnight begins one
RECENT = timedelta(minutes=15)
DAY = timedelta(days=1)
WRITES_PER_S = 10  # of each process and reason

_label_of: Callable[[str], str] = str
_lock = threading.Lock()
_bursts: dict[tuple[object, ...], tuple[int, int, int]] = {}  # a second, written in it, held back

# Troubles that a person must look at while they last. All others are only counted.
NEEDS: dict[tuple[str, str], Promise] = {
    (TroubleKind.PAGE, "PROVIDER_UNAVAILABLE"): gettext_lazy("the loyalty program does not answer"),
    (TroubleKind.PAGE, "PROVIDER_BUSY"): gettext_lazy("the loyalty program takes no more requests"),
    (TroubleKind.PAGE, "PROVIDER_AUTH"): gettext_lazy("the loyalty program refuses our credentials"),
    (TroubleKind.PAGE, "PROVIDER_UNEXPECTED"): gettext_lazy(
        "the loyalty program's answers are not understood"
    ),
    (TroubleKind.NEWSTORE, "NEWSTORE_UNAVAILABLE"): gettext_lazy("NewStore does not answer"),
    (TroubleKind.NEWSTORE, "NEWSTORE_AUTH"): gettext_lazy("NewStore refuses our credentials"),
    (TroubleKind.NEWSTORE, "NEWSTORE_GONE"): gettext_lazy("NewStore has switched an interface off"),
    (TroubleKind.NEWSTORE, "NEWSTORE_UNEXPECTED"): gettext_lazy("NewStore's answers are not understood"),
}


def note_trouble(program: Program, kind: TroubleKind, code: str) -> None:
    """Count one more of `kind` for the reason `code`. Outside of a transaction. Never raises: the associate
    gets the answer also when counting fails."""
    now = timezone.now()
    slot = datetime.fromtimestamp(now.timestamp() // SLOT.total_seconds() * SLOT.total_seconds(), now.tzinfo)
    number = _to_write(int(now.timestamp()), (program.pk, kind, code))
    if not number:
        return
    same = Trouble.objects.filter(program=program, kind=kind, code=code[:40], slot=slot)
    new = Trouble(program=program, kind=kind, code=code[:40], slot=slot, first_at=now, last_at=now, count=0)
    more = {"count": F("count") + number, "last_at": now}
    try:
        if not same.update(**more):
            Trouble.objects.bulk_create([new], ignore_conflicts=True)
            same.update(**more)
    except DatabaseError as error:
        log.warning("trouble_not_counted", program=program.slug, code=code, error=type(error).__name__)


def _to_write(second: int, reason: tuple[object, ...]) -> int:
    """Return how many to write now for one more of this reason: 0 when this second had enough writes. The
    next write includes them, so that many taps in an outage do not wait for one row."""
    with _lock:
        began, written, waiting = _bursts.get(reason, (second, 0, 0))
        if began != second:
            began, written = second, 0
        if written < WRITES_PER_S:
            _bursts[reason] = (began, written + 1, 0)
            return waiting + 1
        _bursts[reason] = (began, written, waiting + 1)
        return 0


def name_reasons(label_of: Callable[[str], str]) -> None:
    """Register what administrators read for the code of a trouble."""
    global _label_of
    _label_of = label_of


def reason_of(trouble: Trouble) -> str:
    """Return why it happened, as administrators read it."""
    return _label_of(trouble.code)


def count_since(kind: TroubleKind, since: datetime) -> int:
    """Return how many of `kind` there were since that time."""
    counted = Trouble.objects.filter(kind=kind, slot__gte=since).aggregate(n=Sum("count"))
    return int(counted["n"] or 0)


def troubles_part(_user: Viewer) -> Part:
    """Return the current troubles, and today's numbers; two queries."""
    now, (today, _end) = timezone.now(), midnights(common_zone(), 1)
    rows = list(
        Trouble.objects.filter(slot__gte=min(now - DAY, today)).select_related("program").order_by("-slot")
    )
    counts = {
        kind: sum(row.count for row in rows if row.kind == kind and row.slot >= today) for kind in TroubleKind
    }
    return Part(
        needs=_needs(rows, now),
        numbers=[
            Number(label=_("Pages not served today"), value=whole(counts[TroubleKind.PAGE])),
            Number(label=_("Launches refused today"), value=whole(counts[TroubleKind.LAUNCH])),
        ],
    )


def _needs(rows: Sequence[Trouble], now: datetime) -> list[Need]:
    groups: dict[tuple[int, str, str], list[Trouble]] = {}
    for row in rows:
        groups.setdefault((row.program_id, row.kind, row.code), []).append(row)
    needs = []
    for (program_id, kind, code), found in groups.items():
        what = NEEDS.get((kind, code))
        if what is None or found[0].last_at < now - RECENT:
            continue
        streak = _streak(found)
        text = _("%(program)s: %(what)s. Requests that could not be served as they should: %(n)s")
        shown = {"program": found[0].program.name, "what": what, "n": whole(sum(row.count for row in streak))}
        where = urlencode({"program__id__exact": str(program_id), "kind__exact": kind})
        url = f"{reverse('admin:programs_trouble_changelist')}?{where}"
        needs.append(Need(text=text % shown, url=url, since=streak[-1].first_at))
    return needs


def _streak(rows: Sequence[Trouble]) -> list[Trouble]:
    """Return the newest of `rows`, newest first, that follow each other without a pause as long as a slot."""
    streak = [rows[0]]
    for row in rows[1:]:
        if streak[-1].first_at - row.last_at > RECENT:
            break
        streak.append(row)
    return streak


def purge_troubles(before: datetime) -> int:
    """Delete the counts from before that time; returns how many rows. May be repeated."""
    return delete_in_steps(Trouble.objects.filter(slot__lt=before))
