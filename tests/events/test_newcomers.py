"""The order of a customer who asked to join with it makes them a member, once, and earns."""

from dataclasses import dataclass, field

import pytest

from loyaltyview.events import earning, erasure
from loyaltyview.events.models import Earning, Order
from loyaltyview.programs.erasure import Person
from loyaltyview.programs.models import Program
from loyaltyview.programs.newcomers import Newcomer
from providers.base import Capability
from providers.errors import Unavailable
from providers.sales import Order as ProviderOrder
from providers.types import Balance, Consents, Member, MemberProfile

from .conftest import Deliver, Work
from .deliveries import cancelled, completed, order
from .vendor import Books, MemoryVendor

ADA = Member(ref="ada", member_id="ada", balance=Balance(spendable=0))


@dataclass
class Till:
    """What the pages keep: one customer, until they are a member."""

    members: list[Member] = field(default_factory=list)
    is_forgotten: bool = False

    def find(self, program: Program, profile_id: str) -> Newcomer | None:
        if self.members or self.is_forgotten or profile_id != "NS-ADA":
            return None
        profile = MemberProfile(phone="+16175550177")
        return Newcomer(profile=profile, consents=Consents(), done=self.members.append)


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    def enrol(self: MemoryVendor, sold: ProviderOrder, profile: MemberProfile, consents: Consents) -> Member:
        self._enter("enrol_with_order")
        self.books.entries.setdefault(f"order {sold.order_id}", ("ada", int(sold.earn_base.amount)))
        self._leave("enrol_with_order")
        return ADA

    till = Till()
    monkeypatch.setattr(earning, "newcomer_of", till.find)
    monkeypatch.setattr(MemoryVendor, "enrol_with_order", enrol)
    with_newcomers = MemoryVendor.capabilities | {Capability.ENROL_WITH_ORDER}
    monkeypatch.setattr(MemoryVendor, "capabilities", with_newcomers)
    return till


def sell(deliver: Deliver, work: Work, **changes: object) -> Order:
    deliver("order.opened", order(**{"customer_email": None, "customer_id": "NS-ADA", **changes}))
    deliver("order.completed", completed())
    work(3)
    return Order.objects.get()


def test_a_paid_order_makes_its_customer_a_member(
    deliver: Deliver, work: Work, books: Books, till: Till
) -> None:
    row = sell(deliver, work)
    assert (row.earning, row.member_ref, till.members) == (Earning.EARNED, "ada", [ADA])
    assert row.earned_points == books.points("ada") > 0


def test_a_member_is_not_enrolled_again(deliver: Deliver, work: Work, books: Books, till: Till) -> None:
    row = sell(deliver, work, customer_email="mia@example.test")
    assert (row.member_ref, till.members, books.calls["enrol_with_order"]) == ("mia", [], 0)


@pytest.mark.parametrize("when", ["fail", "fail_after"])
def test_an_answer_that_is_lost_enrols_once(
    deliver: Deliver, work: Work, books: Books, till: Till, when: str
) -> None:
    getattr(books, when)["enrol_with_order"] = [Unavailable("down")]
    row = sell(deliver, work)
    assert (row.earning, row.member_ref, till.members) == (Earning.EARNED, "ada", [ADA])


def test_a_cancellation_before_the_member_is_known_takes_the_points_back(
    deliver: Deliver, work: Work, books: Books, till: Till
) -> None:
    books.fail_after["enrol_with_order"] = [Unavailable("down")] * 20
    assert sell(deliver, work).earning == Earning.STARTED
    deliver("order.cancelled", cancelled())
    work(3)
    assert Order.objects.get().earning == Earning.TAKEN_BACK
    assert books.calls["cancel_order"] == 1


@pytest.mark.parametrize("then", ["", "order.cancelled"])
def test_an_order_whose_customer_waits_no_more_is_settled(
    deliver: Deliver, work: Work, books: Books, till: Till, then: str
) -> None:
    books.fail_after["enrol_with_order"] = [Unavailable("down")]
    deliver("order.opened", order(customer_email=None, customer_id="NS-ADA"))
    deliver("order.completed", completed())
    work(1)
    till.is_forgotten = True
    work(3)
    row = Order.objects.get()
    assert (row.earning, row.why_nothing, row.member_ref) == (Earning.NOTHING, "no_member", "")
    if then:
        deliver(then, cancelled())
        work(3)
    # The program may have taken the order all the same.
    assert books.calls["cancel_order"] == bool(then)


def test_an_erasure_closes_an_order_that_had_begun_to_enrol(
    deliver: Deliver, work: Work, books: Books, till: Till, program: Program
) -> None:
    books.fail["enrol_with_order"] = [Unavailable("down")] * 40
    row = sell(deliver, work)
    erasure.erase(Person(program=program, ref="ada", pseudonym="ERASED-1", order_ids={row.order_id}))
    row.refresh_from_db()
    assert (row.earning, row.why_nothing) == (Earning.NOTHING, "no_member")


@pytest.mark.parametrize(
    "changes", [{"customer_id": None}, {"customer_id": "NS-OTHER"}, {"channel_type": "web"}]
)
def test_an_order_of_another_customer_enrols_nobody(
    deliver: Deliver, work: Work, books: Books, till: Till, changes: dict[str, object]
) -> None:
    assert sell(deliver, work, **changes).earning == Earning.NOTHING
    assert till.members == []
