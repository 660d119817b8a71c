"""Web and worker are killed at every transition of a redemption, and no point is lost.

There is one test for each boundary. The process kills itself with SIGKILL exactly there and is started again.
The associate repeats the tap, opens the page again, or never returns. The test checks what the associate
sees, and the house program's books (`books`).
"""

import json
from datetime import timedelta

import pytest
import requests
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventSource
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.sandbox.orders import Order
from providers.house.models import Entry, EntryKind, Member

from .books import check_books, check_code, rows_of
from .stack import ALIAS, Stack, wait_for
from .till import Till

# On PostgreSQL a transition is one statement: there is no moment within.
WITHIN = pytest.mark.once
OPENING, COST, EARNED = 500, 200, 162  # "shirts" cost $172.30, and $10 less with the reward
REWARD = "ten-off"


@pytest.fixture(autouse=True)
def _may_read_the_stacks_database(django_db_blocker: DjangoDbBlocker) -> object:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def mia(stack: Stack) -> Member:
    return stack.enrol(OPENING)


@pytest.fixture
def till(stack: Stack, mia: Member) -> object:
    with stack.launch(mia) as till:
        yield till


# --- The web process dies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "is_spent"),
    [
        ("requested.after", False),
        ("mint.before", False),
        ("mint.after", False),
        pytest.param("uncertain.within", False, marks=WITHIN),  # the transaction that stores the code
        ("uncertain.after", False),
        ("spend.before", False),
        ("spend.after", True),
        pytest.param("revealed.within", True, marks=WITHIN),
        ("revealed.after", True),
    ],
)
def test_a_tap_whose_web_process_dies_is_finished_or_refused_when_repeated(
    stack: Stack, mia: Member, till: Till, moment: str, is_spent: bool
) -> None:
    die(stack, moment, till)

    till.tap_again()
    look(till)

    assert bool(till.code) == is_spent
    if not is_spent:
        assert till.problem in ("ABANDONED", "NOT_SPENT")
        till.open(till.member_url)
        assert till.points == OPENING
        till.tap(item=REWARD)
    sell(stack, till)
    check_books(mia, points=OPENING - COST + EARNED)


@pytest.mark.parametrize("moment", ["find_spend.before", "find_spend.after", "spent.after", "revealed.after"])
def test_a_page_whose_web_process_dies_finds_out_when_asked_again(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    die(stack, "spend.after", till, hidden_from_worker=True)  # it could be faster than the page
    stack.web.die_at(moment)
    with pytest.raises(requests.ConnectionError):
        till.tap_again()
    assert stack.web.was_struck()
    stack.end_leases()

    till.tap_again()
    look(till)

    sell(stack, till)
    check_books(mia, points=OPENING - COST + EARNED)


@pytest.mark.parametrize(
    "moment", ["releasing.before", "releasing.after", "release.before", "release.after", "released.after"]
)
def test_an_undo_whose_web_process_dies_gives_back_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    die(stack, moment, till, "undo")

    till.tap_again()
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.RELEASED])

    till.open(till.member_url)
    assert till.points == OPENING
    check_books(mia, points=OPENING)


@pytest.mark.parametrize(
    "moment",
    ["mint.before", "mint.after", pytest.param("revealed.within", marks=WITHIN), "revealed.after"],
)
def test_a_renewal_whose_web_process_dies_takes_no_points_and_keeps_the_spend(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    first = till.code
    let_the_code_expire(stack, mia, minutes=16)
    till.open(till.url)
    die(stack, moment, till, "renew")

    def tap_until_renewed() -> bool:
        till.tap_again()
        return bool(till.code)

    wait_for(tap_until_renewed)

    assert till.code != first
    sell(stack, till)
    check_books(mia, points=OPENING - COST + EARNED)


# --- The worker dies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["find_spend.before", "find_spend.after", "spent.after"])
def test_a_worker_that_dies_while_finding_out_that_it_happened(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    stack.worker.die_at(moment)
    die(stack, "spend.after", till)

    revive_worker(stack)
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.SPENT])

    # The associate had given up. Now the member page shows the reward as applied.
    till.open(till.member_url)
    assert till.points == OPENING - COST
    till.open(f"{till.member_url}applied/{rows_of(mia)[0].pk}/")
    sell(stack, till)
    check_books(mia, points=OPENING - COST + EARNED)


@pytest.mark.parametrize("moment", ["find_spend.before", "find_spend.after", "refused.after"])
def test_a_worker_that_dies_while_finding_out_that_it_did_not_happen(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    stack.worker.die_at(moment)
    die(stack, "spend.before", till)

    revive_worker(stack)
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.REFUSED])

    check_books(mia, points=OPENING)


@pytest.mark.parametrize(
    "moment", ["releasing.before", "releasing.after", "release.before", "release.after", "released.after"]
)
def test_a_worker_that_dies_while_giving_back_an_unused_code(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    check_code(till.code)
    stack.worker.die_at(moment)
    let_the_code_expire(stack, mia, minutes=41)

    revive_worker(stack)
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.RELEASED])

    check_books(mia, points=OPENING)


@pytest.mark.parametrize(
    "moment",
    ["used.before", "used.after", "confirm.before", "confirm.after", "settled.after", "finish.before"],
)
def test_a_worker_that_dies_over_a_sale_settles_it_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    stack.worker.die_at(moment)
    pay(stack, till)

    revive_worker(stack)
    stack.wait_until_done()

    assert [row.state for row in rows_of(mia)] == [State.SETTLED]
    check_books(mia, points=OPENING - COST)


@pytest.mark.parametrize("moment", ["record_order.before", "record_order.after", "finish.before"])
def test_a_worker_that_dies_over_a_completed_order_earns_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    pay(stack, till)
    stack.wait_until_done()
    stack.worker.die_at(moment)
    stack.sandbox.app.hand_over()

    revive_worker(stack)
    stack.wait_until_done()

    assert Entry.objects.using(ALIAS).filter(member=mia, kind=EntryKind.EARN).count() == 1
    check_books(mia, points=OPENING - COST + EARNED)


@pytest.mark.parametrize(
    "moment",
    [
        "cancel_order.before",
        "cancel_order.after",
        "releasing.before",
        "releasing.after",
        "release.before",
        "release.after",
        "released.after",
    ],
)
def test_a_worker_that_dies_over_a_cancelled_order_gives_back_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    sell(stack, till)
    stack.worker.die_at(moment)
    stack.sandbox.app.cancel()

    revive_worker(stack)
    stack.wait_until_done()
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.RELEASED])

    check_books(mia, points=OPENING)


@pytest.mark.parametrize("moment", ["record_return.before", "record_return.after"])
def test_a_worker_that_dies_over_a_return_takes_and_gives_back_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    sell(stack, till)
    stack.worker.die_at(moment)
    stack.sandbox.app.return_items()

    revive_worker(stack)
    stack.wait_until_done()

    # All goods are back, so the program gives back all that was redeemed for them.
    check_books(mia, points=OPENING)


@pytest.mark.parametrize(
    "moment", ["uncertain.before", "uncertain.after", "spend.before", "spend.after", "used.after"]
)
def test_a_worker_that_dies_over_a_late_order_never_gives_a_silent_free_discount(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    applied = stack.sandbox.app.apply(till.handoff)
    assert applied.codes
    till.tap("undo")  # but the code stays in the cart
    stack.worker.die_at(moment)
    stack.sandbox.app.pay(hand_over=False)

    revive_worker(stack)
    stack.wait_until_done()

    # With a local vendor all of it is one transaction: it is undone, and the worker begins anew.
    assert [row.state for row in rows_of(mia)] == [State.SETTLED]
    check_books(mia, points=OPENING - COST)


@pytest.mark.parametrize("moment", ["release.after", "released.after", "finish.before"])
def test_a_worker_that_dies_over_a_cancellation_by_the_program_gives_back_once(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    stack.worker.die_at(moment)
    cancel_at_the_program(stack, mia)

    revive_worker(stack)
    stack.wait_until_done()
    wait_for(lambda: [row.state for row in rows_of(mia)] == [State.RELEASED])

    check_books(mia, points=OPENING)
    check_alarm(mia)


@pytest.mark.parametrize("moment", ["stuck.before", "stuck.after"])
def test_a_worker_that_dies_over_the_cancellation_of_a_used_reward_leaves_it_to_a_person(
    stack: Stack, mia: Member, till: Till, moment: str
) -> None:
    till.tap(item=REWARD)
    pay(stack, till)
    stack.wait_until_done()
    stack.worker.die_at(moment)
    cancel_at_the_program(stack, mia)

    revive_worker(stack)
    stack.wait_until_done()

    assert [row.state for row in rows_of(mia)] == [State.STUCK]
    check_books(mia, points=OPENING - COST, may_be_stuck=True)
    check_alarm(mia)


# --- Helpers of the tests --------------------------------------------------------------------------------


def die(
    stack: Stack, moment: str, till: Till, path: str = "redeem", *, hidden_from_worker: bool = False
) -> None:
    """Send the form; the web process dies at `moment`, and the browser gets no answer."""
    stack.web.die_at(moment)
    with pytest.raises(requests.ConnectionError):
        till.tap(path, REWARD if path == "redeem" else "")
    assert stack.web.was_struck()
    if hidden_from_worker:
        # While the killed process still has the lease: a moment later the worker may take the row.
        in_hand = Redemption.objects.using(ALIAS).filter(lease_until__gt=timezone.now())
        assert in_hand.update(due_at=None)
    stack.end_leases()


def revive_worker(stack: Stack) -> None:
    """Wait until the process died, and start another."""
    stack.worker.revive()
    stack.end_leases()


def look(till: Till) -> None:
    """Reload the page while it is checking."""

    def has_found_out() -> bool:
        if till.is_checking:
            till.open(till.url)
        return not till.is_checking

    wait_for(has_found_out)


def pay(stack: Stack, till: Till, *, hand_over: bool = False) -> Order:
    """Go back to the cart with the code, and pay."""
    check_code(till.code)
    assert stack.sandbox.app.apply(till.handoff).codes == (till.code,)
    return stack.sandbox.app.pay(hand_over=hand_over)


def sell(stack: Stack, till: Till) -> None:
    """Pay and hand over, and wait until all events are handled."""
    pay(stack, till, hand_over=True)
    stack.wait_until_done()


def cancel_at_the_program(stack: Stack, member: Member) -> None:
    """Store the rows of a webhook about a spend that the vendor cancelled by itself. The house program never
    does that."""
    (row,) = rows_of(member)
    hint = {"event_id": f"hook-{row.pk}", "name": "spend_cancelled", "provider_ref": row.provider_ref}
    now = timezone.now()
    Event.objects.using(ALIAS).create(
        program=stack.program, source=EventSource.PROVIDER, name=hint["name"], dedupe_key=hint["event_id"],
        payload=json.dumps({**hint, "member_ref": ""}).encode(), received_at=now, due_at=now,
    )  # fmt: skip


def check_alarm(member: Member) -> None:
    """Check that one alarm reports the cancelled spend."""
    (row,) = rows_of(member)
    alarms = Alarm.objects.using(ALIAS).filter(kind=AlarmKind.CANCELLED, subject=str(row.pk))
    assert alarms.count() == 1


def let_the_code_expire(stack: Stack, member: Member, minutes: int) -> None:
    """Make the member's redemption and its code older by `minutes`."""
    earlier = timedelta(minutes=minutes)
    Redemption.objects.using(ALIAS).filter(member_ref=member.member_id).update(
        requested_at=F("requested_at") - earlier,
        code_expires_at=F("code_expires_at") - earlier,
        due_at=F("due_at") - earlier,
    )
    for row in rows_of(member):
        stack.sandbox.coupons.codes[row.code].created_at -= earlier
        assert row.code_expires_at < timezone.now()
