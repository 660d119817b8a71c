"""What returns give back of the points that their order spent: nothing, everything, or a share."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from loyaltyview.events.models import Event, EventState, PartialRelease, ReturnRecord, ReturnState, WhyParked
from loyaltyview.programs.models import Program, ReturnPolicy
from loyaltyview.redemptions.models import Redemption, State
from providers.base import Capability
from providers.errors import Rejected, RejectReason, Unavailable
from providers.house.provider import HouseProvider

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, order, returned
from .house import COST, OPENING, balance, build_house, spend
from .vendor import Books, MemoryVendor

EARNED = 180  # two points for each of the $90


@pytest.fixture
def sold(
    program: Program, redemption: Redemption, deliver: Deliver, work: Work
) -> Callable[[ReturnPolicy], None]:
    """A sale of $90 after a reward of 200 points, under a rule."""

    def sell(policy: ReturnPolicy) -> None:
        Program.objects.update(return_policy=policy)
        spend(redemption, build_house(program))
        deliver("order.opened", order())
        deliver("order.completed", completed())
        work()
        assert balance() == OPENING - COST + EARNED

    return sell


def bring_back(deliver: Deliver, work: Work, *nets: float) -> None:
    for number, net in enumerate(nets, start=1):
        for _ in range(2):
            deliver("return.processed", returned(net, id=f"return-{number}"))
            work(2)


def test_by_default_points_go_back_in_proportion(
    program: Program, redemption: Redemption, deliver: Deliver, work: Work
) -> None:
    spend(redemption, build_house(program))
    deliver("order.opened", order())
    deliver("order.completed", completed())
    bring_back(deliver, work, 45.0)
    assert balance() == OPENING - COST + COST // 2 + EARNED // 2


def test_a_program_may_give_nothing_back(sold: Any, deliver: Deliver, work: Work) -> None:
    sold(ReturnPolicy.NONE)
    bring_back(deliver, work, 90.0)
    assert balance() == OPENING - COST


def test_the_full_rule_gives_everything_back_once(
    sold: Any, deliver: Deliver, work: Work, redemption: Redemption
) -> None:
    sold(ReturnPolicy.FULL)
    bring_back(deliver, work, 45.0, 45.0)
    assert balance() == OPENING
    redemption.refresh_from_db()
    assert redemption.state == State.RELEASED
    deliver("order.created", order())
    Event.objects.filter(name="order.opened").update(state=EventState.WAITING, due_at="2026-01-01T00:00Z")
    work()
    assert balance() == OPENING


@pytest.mark.parametrize(
    ("nets", "given"), [((45.0,), 100), ((30.0, 30.0), 133), ((30.0, 30.0, 30.0), 200), ((90.0,), 200)]
)
def test_the_pro_rata_rule_gives_back_the_share_rounded_down(
    nets: tuple[float, ...], given: int, sold: Any, deliver: Deliver, work: Work, redemption: Redemption
) -> None:
    sold(ReturnPolicy.PRO_RATA)
    bring_back(deliver, work, *nets)
    earned = EARNED - int(EARNED * sum(nets) / 90)
    assert balance() == OPENING - COST + given + earned
    assert sum(PartialRelease.objects.values_list("points", flat=True)) == given
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert redemption.transitions.filter(reason__contains="points back for return").count() == len(nets)


def test_a_cancellation_after_a_partial_return_gives_back_only_the_rest(
    sold: Any, deliver: Deliver, work: Work
) -> None:
    sold(ReturnPolicy.PRO_RATA)
    bring_back(deliver, work, 45.0)
    deliver("order.cancelled", cancelled("item-1"))
    work()
    assert balance() == OPENING


def test_a_part_that_could_not_be_given_back_at_once_is_given_once(
    sold: Any, deliver: Deliver, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(ReturnPolicy.PRO_RATA)
    real = HouseProvider.release_part
    failures = [1, 2]

    def shaky(self: HouseProvider, *args: Any) -> None:
        real(self, *args)
        if failures:
            failures.pop()
            raise Unavailable("the answer was lost")

    monkeypatch.setattr(HouseProvider, "release_part", shaky)
    deliver("return.processed", returned(45.0))
    work(4)
    assert balance() == OPENING - COST + 100 + 90


# --- A vendor that takes back only whole spends -----------------------------------------------------


def test_a_share_that_the_provider_cannot_give_back_is_for_a_person(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption, admin_client: Client
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    for name, payload in (
        ("order.opened", order()),
        ("order.completed", completed()),
        ("return.processed", returned(45.0)),
    ):
        deliver(name, payload)
        work()
    record = ReturnRecord.objects.get()
    assert (record.state, record.why_parked) == (ReturnState.PARKED, WhyParked.WHOLE_ONLY)
    assert (record.points_owed, record.points_taken) == (100, -45)
    assert books.calls["release"] == 0

    address = reverse("admin:events_returnrecord_changelist")
    admin_client.post(address, {"action": "close", "_selected_action": [record.pk]})
    Event.objects.filter(name="return.processed").update(state="waiting", due_at="2026-01-01T00:00Z")
    work()
    record.refresh_from_db()
    assert record.state == ReturnState.DONE
    deliver("return.processed", returned(45.0, id="return-2"))
    work()
    assert ReturnRecord.objects.get(return_id="return-2").points_owed == 100
    assert books.calls["release"] == 0


def test_when_everything_comes_back_at_once_the_whole_spend_is_released(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    Program.objects.update(return_policy=ReturnPolicy.PRO_RATA)
    for name, payload in (
        ("order.opened", order()),
        ("order.completed", completed()),
        ("return.processed", returned(90.0)),
    ):
        deliver(name, payload)
        work(2)
    redemption.refresh_from_db()
    assert redemption.state == State.RELEASED
    assert ReturnRecord.objects.get().state == ReturnState.DONE


def sell_and_return(deliver: Deliver, work: Work, *nets: float) -> None:
    """A completed order of $90 of which goods come back; each event comes twice."""
    deliver("order.opened", order())
    deliver("order.completed", completed())
    bring_back(deliver, work, *nets)


@pytest.fixture
def can(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the vendor be able to do this, besides returns."""

    def allow(*capabilities: Capability) -> None:
        kept = MemoryVendor.capabilities - {Capability.RELEASE_POINTS, Capability.RELEASE_VOUCHER}
        monkeypatch.setattr(MemoryVendor, "capabilities", kept | set(capabilities))

    return allow


@pytest.mark.parametrize(
    ("capabilities", "nets", "state"),
    [
        ([Capability.RELEASE_VOUCHER], (45.0,), State.SETTLED),
        ([Capability.RELEASE_VOUCHER], (45.0, 45.0), State.RELEASED),
        # It cannot be given back, so it stays used, and no person is asked.
        ([], (45.0, 45.0), State.SETTLED),
    ],
)
def test_a_voucher_goes_back_when_everything_is_back(
    capabilities: list[Capability],
    nets: tuple[float, ...],
    state: State,
    can: Callable[..., None],
    deliver: Deliver,
    work: Work,
    books: Books,
    redemption: Redemption,
) -> None:
    can(*capabilities)
    Redemption.objects.update(kind="voucher", points=0)
    sell_and_return(deliver, work, *nets)
    redemption.refresh_from_db()
    assert redemption.state == state
    assert set(ReturnRecord.objects.values_list("state", flat=True)) == {ReturnState.DONE}


def test_points_that_the_vendor_never_gives_back_are_for_a_person(
    can: Callable[..., None], deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    can()
    sell_and_return(deliver, work, 90.0)
    record = ReturnRecord.objects.get()
    assert (record.state, record.points_owed, record.points_taken) == (ReturnState.PARKED, 200, -90)
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED


def test_a_reward_that_is_final_is_for_a_person(
    can: Callable[..., None], deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    can(Capability.RELEASE_POINTS, Capability.PARTIAL_RELEASE)
    Redemption.objects.update(is_final=True)
    sell_and_return(deliver, work, 90.0)
    record = ReturnRecord.objects.get()
    assert (record.state, record.points_owed, record.points_taken) == (ReturnState.PARKED, 200, -90)


def test_a_part_that_the_vendor_refuses_is_for_a_person_and_the_earned_points_are_taken(
    sold: Any, deliver: Deliver, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    sold(ReturnPolicy.PRO_RATA)

    def refuse(self: HouseProvider, *args: Any) -> None:
        raise Rejected(RejectReason.NOT_ALLOWED)

    monkeypatch.setattr(HouseProvider, "release_part", refuse)
    bring_back(deliver, work, 45.0)
    record = ReturnRecord.objects.get()
    assert (record.state, record.points_owed, record.points_taken) == (ReturnState.PARKED, 100, -90)
    assert balance() == OPENING - COST + EARNED - 90


# --- Refunds without a return, and money that only moves ---------------------------------------------


def refund(**changes: Any) -> dict[str, Any]:
    fields = {
        "id": "refund-1",
        "order_id": "order-1",
        "amount": 15.5,
        "currency": "USD",
        "requested_at": "2026-03-05T09:00:00Z",
        "associate_email": "kim@acme.test",
        "note": "sorry for the wait",
    }
    return fields | changes


def test_an_appeasement_is_recorded_and_changes_no_points(deliver: Deliver, work: Work, books: Books) -> None:
    for _ in range(2):
        deliver("refund_request.issued", refund())
        deliver("refund_request.issued", refund(id="refund-2", order_id=None, requested_at=None))
        work()
    rows = ReturnRecord.objects.order_by("return_id").values_list("return_id", "kind", "state", "amount")
    assert [(*row[:3], float(row[3])) for row in rows] == [
        ("refund:refund-1", "appeasement", "nothing", 15.5),
        ("refund:refund-2", "appeasement", "nothing", 15.5),
    ]
    assert books.entries == {}
    assert Event.objects.filter(subject="order-1").count() == 1


def test_a_refund_of_money_is_kept_and_ignored_each_time(deliver: Deliver, work: Work) -> None:
    for transaction in ("t-1", "t-2", "t-1"):
        deliver("payment_account.amount_refunded", {"id": "pa-1", "transactions": [{"id": transaction}]})
    assert list(Event.objects.values_list("state", flat=True)) == [EventState.IGNORED] * 2
