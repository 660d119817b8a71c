"""Checks at the end of a test: the house program's books agree with the redemptions."""

from loyaltyview.events.models import Event, EventState
from loyaltyview.redemptions.models import Redemption, State, Transition
from loyaltyview.redemptions.serialization import spend_key
from providers.house.models import Entry, Hold, HoldState, Member

from .stack import ALIAS

STANDING = (HoldState.HELD, HoldState.CAPTURED)
ENDED = (State.SETTLED, State.RELEASED, State.REFUSED)


def rows_of(member: Member) -> list[Redemption]:
    """Return the member's redemptions, oldest first."""
    rows = Redemption.objects.using(ALIAS).filter(member_ref=member.member_id)
    return list(rows.order_by("requested_at"))


def hold_of(row: Redemption) -> str | None:
    """Return the state of the hold that the house program has under the redemption's current key."""
    holds = Hold.objects.using(ALIAS).filter(key=spend_key(row))
    return holds.values_list("state", flat=True).first()


def check_code(code: str) -> None:
    """Check that the points of a shown code were spent."""
    row = Redemption.objects.using(ALIAS).get(codes__code=code)
    assert hold_of(row) in STANDING, row


def check_books(member: Member, *, points: int, may_be_stuck: bool = False) -> None:
    """Check that all work ended and the member has `points`: each spend is valid or was given back once."""
    assert not Event.objects.using(ALIAS).exclude(state=EventState.DONE).exists()
    taken = 0
    for row in rows_of(member):
        hold = hold_of(row)
        if row.state == State.SETTLED:
            assert hold == HoldState.CAPTURED, (row, hold)
        elif not (may_be_stuck and row.state == State.STUCK):
            assert row.state in ENDED, (row, row.state)
            assert hold in (HoldState.RELEASED, HoldState.VOID, None), (row, hold)
        taken += row.points if hold in STANDING else 0
        earlier = Hold.objects.using(ALIAS).filter(key__startswith=row.id.hex).exclude(key=spend_key(row))
        assert not earlier.filter(state__in=STANDING).exists()
        _check_trail(row)
    member.refresh_from_db()
    entries = Entry.objects.using(ALIAS).filter(member=member)
    assert sum(entry.points for entry in entries) == member.spendable
    assert (member.spendable, member.reserved) == (points, 0)
    standing = Hold.objects.using(ALIAS).filter(member=member, state__in=STANDING)
    assert sum(hold.points for hold in standing) == taken


def _check_trail(row: Redemption) -> None:
    """Check that each line starts where the one before ended, and that the last ends in the row's state."""
    lines = Transition.objects.using(ALIAS).filter(redemption=row).order_by("pk")
    at = ""
    for line in lines:
        assert line.from_state == at, (row, line)
        at = line.to_state
    assert at == row.state
