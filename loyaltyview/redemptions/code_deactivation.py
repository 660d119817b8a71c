"""Codes that were used or given back are switched off at NewStore, for programs that want it."""

from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef

from loyaltyview.newstore.coupons import coupon_name
from loyaltyview.newstore.errors import NewStoreRejected
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.serialization import coupon_of
from loyaltyview.work import clock
from loyaltyview.work.registry import wake

log = structlog.get_logger(__name__)

EVERY_S = 60
DONE = (State.USED, State.SETTLED, State.RELEASED)
LOOKS_BACK = timedelta(days=2)  # a code lives minutes; older ones have expired
AT_ONCE = 500


def queue_used_codes() -> None:
    """Queue each code of a redemption that was used or given back, once. Database only; may be repeated."""
    programs = Program.objects.filter(newstore_disable_codes=True)
    if not programs.exists():
        return
    queued = UsedCode.objects.filter(program=OuterRef("program"), code=OuterRef("code"))
    now = clock.now()
    issued = IssuedCode.objects.select_related("redemption", "program").filter(
        ~Exists(queued),
        program__in=programs,
        redemption__state__in=[state.value for state in DONE],
        issued_at__gte=now - LOOKS_BACK,
    )
    rows = []
    for each in issued[:AT_ONCE]:
        try:
            name = coupon_name(each.program, coupon_of(each.redemption))
        except NewStoreRejected as error:  # minted by older rules
            log.warning("used_code_without_coupon", code=each.code, detail=error.detail)
            name = ""
        due_at = now if name else None
        rows.append(UsedCode(program=each.program, code=each.code, coupon_name=name, due_at=due_at))
    UsedCode.objects.bulk_create(rows, ignore_conflicts=True)
    if rows:
        wake()


def unqueue(row: Redemption) -> None:
    """Remove the codes of `row` from the queue, as far as they are not switched off yet. Database only."""
    codes = row.codes.values("code")
    UsedCode.objects.filter(program=row.program, code__in=codes, due_at__isnull=False).delete()
