"""The daily check of redemptions: what our own rows say is wrong, and where the vendor disagrees."""

from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import QuerySet

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import HOLDING, OPEN, Redemption, State
from loyaltyview.redemptions.serialization import intent_of, spend_of
from loyaltyview.work import clock
from providers.errors import ProviderError
from providers.sales import Finding

# The worker looks every second. A row that is overdue by this much was lost, it is not late.
OVERDUE = timedelta(hours=1)


class Trouble(StrEnum):
    """What is wrong with a redemption."""

    STUCK = "needs a person"
    NOT_RELEASED = "revealed long ago, no order, not given back"
    NOT_FINISHED = "not finished"
    ABSENT = "spent here, absent at the provider"
    STANDS = "given back here, stands at the provider"
    NOT_ASKED = "the provider cannot be asked"

    @property
    def is_repairable(self) -> bool:
        return self in (Trouble.NOT_RELEASED, Trouble.NOT_FINISHED, Trouble.STANDS)


def of_day(program: Program, since: datetime, until: datetime) -> QuerySet[Redemption]:
    """Return the redemptions that associates asked for in that time."""
    rows = Redemption.objects.select_related("program").filter(program=program)
    return rows.filter(requested_at__gte=since, requested_at__lt=until).order_by("pk")


def in_trouble(row: Redemption) -> Trouble | None:
    """Return what our own row says is wrong."""
    if row.state == State.STUCK:
        return Trouble.STUCK
    # Never due again, or due long ago: the worker does not find it.
    is_lost = row.due_at is None or row.due_at < clock.now() - OVERDUE
    if not is_lost:
        return None
    if row.state in (State.SPENT, State.REVEALED):
        return Trouble.NOT_RELEASED
    return Trouble.NOT_FINISHED if row.state in (*OPEN, State.RELEASING) else None


def ask_vendor(row: Redemption) -> Trouble | None:
    """Return where the vendor's view differs from ours. One read."""
    if row.state not in (*HOLDING, State.RELEASED):
        return None
    try:
        finding = row.program.provider().find_spend(intent_of(row)).finding
    except ProviderError:
        return Trouble.NOT_ASKED
    if row.state in HOLDING and finding is Finding.DID_NOT:
        return Trouble.ABSENT
    return Trouble.STANDS if row.state == State.RELEASED and finding is Finding.HAPPENED else None


def resume(row: Redemption, trouble: Trouble) -> None:
    """Repair it: make the row due for the worker, or release the spend again. Raises ProviderError; may be
    repeated."""
    if trouble is Trouble.STANDS:
        row.program.provider().release(spend_of(row))
        return
    Redemption.objects.filter(pk=row.pk, state=row.state).update(due_at=clock.now(), attempts=0)
