"""Redemptions against the house program under random interleavings of everything that can go wrong.

Taps, undo, renewal, the clock, order events (lost, doubled, late, reversed), vendor faults before and after
their effect, and deaths of the process at every boundary. Afterwards the ledger must say what the redemptions
say.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import orders, release, renewal, saga, transitions
from loyaltyview.redemptions.commands import Actor, AnotherTillRedeeming, RedeemRequest
from loyaltyview.redemptions.models import OPEN, Redemption, State, Transition
from loyaltyview.redemptions.recovery import carry_on, run_one
from loyaltyview.redemptions.serialization import spend_key
from providers.errors import OutcomeUnknown, ProviderError, Unavailable
from providers.house.models import Entry, EntryKind, Hold, HoldState, Member, Reward
from providers.house.provider import HouseProvider
from providers.sales import Order, SpendKind
from providers.types import Cart, Discount, DiscountKind, Money

OPENING = 500
REWARDS = {"five": 100, "ten": 200, "twenty": 400}
KIM = Actor(name="a-17", store_id="US_BOSTON_01", device_id="ipad-1")
CALLS = ("spend", "find_spend", "release", "confirm")
MOMENTS = [f"{call}.{when}" for call in (*CALLS, "mint") for when in ("before", "after")] + ["advance.after"]
# Only a person can decide these. Everything else must end by itself.
A_PERSON_MUST = (
    "late order: the program refuses to spend again: INSUFFICIENT_POINTS",
    "an order used the code, and the spend did not happen",
    "outcome unknown: OutcomeUnknown",
    "outcome unknown: Unavailable",
)
# Where the process dies (None), an answer is lost, nothing is reached.
Trouble = tuple[str, Exception | None]
TROUBLES: list[Trouble] = [
    *((moment, None) for moment in MOMENTS),
    *((f"{call}.{when}", OutcomeUnknown("timed out")) for call in CALLS for when in ("before", "after")),
    *((f"{call}.before", Unavailable("down")) for call in CALLS),
    ("mint.before", NewStoreUnavailable("down")),
    *[("spend.after", None), ("spend.after", OutcomeUnknown("timed out"))]
    * 3,  # the cases that the saga exists for
]


class Died(BaseException):
    """The process is gone: no handler of the product may catch this."""


class World:
    """Where faults and deaths are set; each happens once."""

    def __init__(self) -> None:
        self.faults: dict[str, Exception] = {}
        self.deaths: set[str] = set()
        self.codes = 0

    def pass_by(self, moment: str) -> None:
        if moment in self.deaths:
            self.deaths.discard(moment)
            raise Died(moment)
        if moment in self.faults:
            raise self.faults.pop(moment)

    def wrap(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.pass_by(f"{name}.before")
            result = call(*args, **kwargs)
            self.pass_by(f"{name}.after")
            return result

        return wrapped

    def mint(self, program: Program, request: CouponRequest) -> MintedCode:
        self.codes += 1
        return MintedCode(code=f"LOY{self.codes:07d}", expires_at=timezone.now() + timedelta(minutes=15))


class Redemptions(RuleBasedStateMachine):
    """One member with points for some of the rewards, two tills, one worker."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        self.clock = time_machine.travel(datetime(2026, 3, 4, 10, tzinfo=UTC), tick=False)
        self.time = self.clock.start()
        self.patches = pytest.MonkeyPatch()
        self.world = World()
        self.patches.setattr(saga, "mint_code", self.world.wrap("mint", self.world.mint))
        for call in CALLS:
            self.patches.setattr(HouseProvider, call, self.world.wrap(call, getattr(HouseProvider, call)))
        advance = self.world.wrap("advance", transitions.advance)
        for module in (transitions, saga, release, renewal, orders):
            self.patches.setattr(module, "advance", advance)
        self.patches.setattr("django.conf.settings.PAGE_DEADLINE_S", 0)
        # The id decides the order of rows that are due at one moment: Hypothesis must be able to repeat it.
        self.patches.setattr(Redemption._meta.get_field("id"), "_get_default", an_id)
        self.program = make_program()
        self.taps: list[RedeemRequest] = []
        self.events: list[tuple[str, str, tuple[str, ...]]] = []  # waiting: name, order id, codes
        self.sent: list[tuple[str, str, tuple[str, ...]]] = []
        self.ordered: dict[str, str] = {}  # code -> order id
        self.cancelled: set[str] = set()
        self.shown: dict[str, UUID] = {}  # code -> its redemption

    # --- The associate ----------------------------------------------------------------------------

    @initialize(
        item=st.sampled_from(sorted(REWARDS)),
        troubles=st.lists(st.sampled_from(TROUBLES), max_size=3),
    )
    def first_tap(self, item: str, troubles: list[Trouble]) -> None:
        """Make a first tap: without it half of the runs would have none."""
        for trouble in troubles:
            self.something_goes_wrong(trouble)
        self.tap(item, 1)

    @rule(item=st.sampled_from(sorted(REWARDS)), till=st.integers(1, 2))
    def tap(self, item: str, till: int) -> None:
        request = RedeemRequest(
            program=self.program,
            launch_id=f"launch-{till}",
            key=f"key-{len(self.taps)}",
            cart=Cart(cart_id=f"cart-{till}", total=usd("129.90")),
            member_ref="MIA",
            kind=SpendKind.REWARD,
            item_id=item,
            title=item,
            points=REWARDS[item],
            discount=Discount(kind=DiscountKind.FIXED, amount=usd("5.00")),
            saving=usd("5.00"),
            actor=KIM,
        )
        self.taps.append(request)
        self.attempt(lambda: saga.redeem(request))

    @precondition(lambda self: self.taps)
    @rule(data=st.data())
    def tap_again(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.taps))
        self.attempt(lambda: saga.redeem(request))

    @precondition(lambda self: Redemption.objects.exists())
    @rule(data=st.data(), action=st.sampled_from(["poll", "undo", "renew"]))
    def touch(self, data: st.DataObject, action: str) -> None:
        row = data.draw(st.sampled_from(list(Redemption.objects.order_by("requested_at", "key"))))
        calls: dict[str, Callable[..., object]] = {
            "poll": carry_on,
            "undo": release.undo,
            "renew": renewal.renew,
        }
        self.attempt(lambda: calls[action](row.pk, KIM))

    # --- The host's orders --------------------------------------------------------------------------

    @precondition(lambda self: self.shown_codes())
    @rule(data=st.data(), is_lost=st.booleans())
    def pay(self, data: st.DataObject, is_lost: bool) -> None:
        codes = tuple(sorted(data.draw(st.sets(st.sampled_from(self.shown_codes()), min_size=1))))
        order_id = f"order-{len(self.ordered)}"
        self.ordered |= dict.fromkeys(codes, order_id)
        names = ["order.opened"] if is_lost else ["order.created", "order.opened"]
        self.events += [(name, order_id, codes) for name in names]

    @precondition(lambda self: self.ordered)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(set(self.ordered.values()))))
        self.cancelled.add(order_id)
        self.events.append(("order.cancelled", order_id, ()))

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def deliver_any(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.events))
        self.events.remove(event)
        if not self.attempt(lambda: self.handle(event)):
            self.events.append(event)
        self.sent.append(event)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def deliver_twice(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(self.sent))
        self.attempt(lambda: self.handle(event))

    # --- Time and trouble ---------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 5, 16, 41]))
    def wait(self, minutes: int) -> None:
        self.time.shift(timedelta(minutes=minutes))

    @rule()
    def work(self) -> None:
        self.attempt(run_one)

    # One rule, not five: Hypothesis leaves out about half of the rules of each run.
    @rule(trouble=st.sampled_from(TROUBLES))
    def something_goes_wrong(self, trouble: Trouble) -> None:
        moment, error = trouble
        if error:
            self.world.faults[moment] = error
        else:
            self.world.deaths.add(moment)

    # --- What holds at every moment -------------------------------------------------------------------

    @invariant()
    def a_shown_code_is_paid_for(self) -> None:
        for row in Redemption.objects.filter(state=State.REVEALED):
            self.shown[row.code] = row.pk
            assert hold_of(row) in (HoldState.HELD, HoldState.CAPTURED), row

    @invariant()
    def the_balance_is_the_ledger(self) -> None:
        member = Member.objects.get(member_id="MIA")
        total = sum(entry.points for entry in Entry.objects.filter(member=member))
        assert member.spendable + member.reserved == total
        assert member.spendable >= 0

    # --- At the end, when the trouble has ended ---------------------------------------------------------

    def teardown(self) -> None:
        try:
            self.heal()
            self.check()
        finally:
            self.patches.undo()
            self.clock.stop()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def heal(self) -> None:
        self.world.faults.clear()
        self.world.deaths.clear()
        for _round in range(12):
            self.time.shift(timedelta(minutes=20))
            while run_one():
                pass
            self.events = [event for event in self.events if not self.attempt(lambda e=event: self.handle(e))]
        assert not self.events

    def check(self) -> None:
        taken = 0
        for row in Redemption.objects.all():
            hold = hold_of(row)
            assert row.state in (State.SETTLED, State.RELEASED, State.REFUSED, State.STUCK), row
            if row.state == State.SETTLED:
                assert hold == HoldState.CAPTURED
            elif row.state == State.STUCK:
                assert row.last_error.startswith(A_PERSON_MUST), row.last_error
            else:
                assert hold in (HoldState.RELEASED, HoldState.VOID, None), (row, hold)
            taken += row.points if hold in (HoldState.HELD, HoldState.CAPTURED) else 0
            earlier = Hold.objects.filter(key__startswith=row.id.hex).exclude(key=spend_key(row))
            assert not earlier.filter(state__in=[HoldState.HELD, HoldState.CAPTURED]).exists()
            if Transition.objects.filter(redemption=row, to_state=State.REVEALED).exists():
                assert row.codes.exists()
        member = Member.objects.get(member_id="MIA")
        assert member.spendable + member.reserved == OPENING - sum(
            hold.points for hold in Hold.objects.filter(state=HoldState.CAPTURED)
        )
        assert member.spendable == OPENING - taken
        for code, order_id in self.ordered.items():
            row = Redemption.objects.get(codes__code=code)
            allowed = {State.RELEASED} if order_id in self.cancelled else {State.SETTLED}
            assert row.state in allowed | {State.STUCK}, (row, order_id)

    # --- Plumbing -----------------------------------------------------------------------------------

    def attempt(self, call: Callable[[], object]) -> bool:
        """Do it as a process would. Returns whether the process survived."""
        try:
            call()
        except Died:
            return False
        except (ProviderError, AnotherTillRedeeming):
            return False
        return True

    def handle(self, event: tuple[str, str, tuple[str, ...]]) -> None:
        name, order_id, codes = event
        if name != "order.cancelled":
            orders.use_codes(self.program, order_id=order_id, codes=codes)
        if order_id in self.cancelled and name == "order.cancelled":
            orders.give_back_order(self.program, order_id=order_id)
        elif name == "order.opened":
            if order_id in self.cancelled:
                orders.give_back_order(self.program, order_id=order_id)
            else:
                orders.settle(self.program, make_order(order_id))

    def shown_codes(self) -> list[str]:
        """Return the codes that were shown and that no order carries: valid or not, undone or not."""
        # An old code and the renewed one in two orders are an alarm: tests/events/test_processing.py.
        used = {self.shown[code] for code in self.ordered}
        return sorted(code for code, redemption in self.shown.items() if redemption not in used)


def an_id() -> UUID:
    """Return a new id made by `random`, which Hypothesis seeds."""
    return UUID(int=random.getrandbits(128), version=4)


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def make_program() -> Program:
    program = Program.objects.create(slug="acme", name="Acme", currency="USD", country="US")
    member = Member.objects.create(program="acme", member_id="MIA", spendable=OPENING)
    Entry.objects.create(
        program="acme", member=member, kind=EntryKind.ADJUST, points=OPENING, reference="opening"
    )
    for item, cost in REWARDS.items():
        Reward.objects.create(
            program="acme", reward_id=item, title=item, cost=cost, kind="fixed", amount=Decimal(5)
        )
    return program


def make_order(order_id: str) -> Order:
    return Order(
        order_id=order_id,
        external_id=order_id,
        member_ref="MIA",
        placed_at=timezone.now(),
        earn_base=usd("0"),
    )


def hold_of(row: Redemption) -> str | None:
    return Hold.objects.filter(key=spend_key(row)).values_list("state", flat=True).first()


@pytest.mark.once  # one thread; the races run on PostgreSQL
def test_the_ledger_says_what_the_redemptions_say(db: None) -> None:
    run_state_machine_as_test(
        Redemptions,
        settings=settings(
            max_examples=200,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_open_states_are_those_before_the_outcome() -> None:
    assert set(OPEN) == {State.REQUESTED, State.UNCERTAIN}
