"""Limits that guard against abuse: per associate and hour, per member and day. Off by default.

Counted without a lock, each with its own row written: of two tills at the same moment both may be refused
where one would have been within the limit. It is a guard, not money; what is money is held by constraints.
"""

from datetime import timedelta
from enum import StrEnum

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.work import clock


class Limit(StrEnum):
    """The refusal written to the row that went above a limit."""

    ASSOCIATE_LIMIT = "ASSOCIATE_LIMIT"
    MEMBER_LIMIT = "MEMBER_LIMIT"


def limit_reached(row: Redemption) -> Limit | None:
    """Return the limit that `row`, already committed, goes beyond. Refused and released ones do not count."""
    program, now = row.program, clock.now()
    if not program.associate_hour_limit and not program.member_day_limit:
        return None
    counted = Redemption.objects.filter(program=program).exclude(
        state__in=[State.REFUSED.value, State.RELEASED.value]
    )
    if program.associate_hour_limit and row.associate_id:
        since = now - timedelta(hours=1)
        of_associate = counted.filter(associate_id=row.associate_id, requested_at__gt=since)
        if of_associate.count() > program.associate_hour_limit:
            return Limit.ASSOCIATE_LIMIT
    if program.member_day_limit:
        since = now - timedelta(days=1)
        of_member = counted.filter(member_ref=row.member_ref, requested_at__gt=since)
        if of_member.count() > program.member_day_limit:
            return Limit.MEMBER_LIMIT
    return None
