"""A reward that only an extended attribute of its order names is used once, as if a discount named it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from structlog.testing import capture_logs

from loyaltyview.events.models import Event, Order
from loyaltyview.events.order_lookup import has_unread
from loyaltyview.newstore.orders import order_from
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State

from .conftest import Deliver, Work
from .deliveries import CODE, ORDER, item, order
from .vendor import Books

NAME = "loyalty_reward"


@pytest.fixture
def named(program: Program, books: Books, redemption: Redemption) -> Program:
    Program.objects.update(newstore_reward_attribute=NAME)
    program.refresh_from_db()
    return program


def attribute(value: str) -> dict[str, object]:
    return {"extended_attributes": [{"name": NAME, "value": value}]}


def order_with(value: str, *, of_item: bool = False, discounts: tuple[str, ...] = ()) -> dict[str, object]:
    codes = [{"coupon_code": code} for code in discounts]
    line = item(discounts=codes, **attribute(value) if of_item else {})
    return order(discounts=codes, items=[line], **{} if of_item else attribute(value))


@pytest.mark.parametrize("of_item", [False, True], ids=["order", "item"])
def test_a_code_in_the_attribute_is_used_and_confirmed(
    deliver: Deliver, work: Work, named: Program, redemption: Redemption, of_item: bool
) -> None:
    deliver("order.opened", order_with(f"other text, {CODE.lower()}", of_item=of_item))
    work()
    redemption.refresh_from_db()
    assert (redemption.state, redemption.order_id) == (State.SETTLED, ORDER)
    assert Order.objects.get().codes == [CODE]


def test_a_code_that_a_discount_names_as_well_is_used_once(
    deliver: Deliver, work: Work, named: Program, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order_with(CODE, discounts=(CODE.lower(),)))
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.SETTLED
    assert Order.objects.get().codes == [CODE.lower()]


def test_an_unknown_text_is_left_out_and_counted_in_the_log(
    deliver: Deliver, work: Work, named: Program, redemption: Redemption
) -> None:
    deliver("order.opened", order_with("Mia Stone", discounts=("PROMO",)))
    with capture_logs() as logs:
        work()
    assert Order.objects.get().codes == ["PROMO"]
    notes = [each for each in logs if each["event"] == "reward_attribute_unknown"]
    assert {each["texts"] for each in notes} == {2}
    assert "Mia" not in str(notes)


def test_without_the_setting_the_attribute_is_not_read(
    deliver: Deliver, work: Work, books: Books, redemption: Redemption
) -> None:
    deliver("order.opened", order_with(CODE))
    work()
    redemption.refresh_from_db()
    assert redemption.state == State.REVEALED


def test_an_event_that_waits_protects_the_code_of_its_attribute(
    deliver: Deliver, named: Program, redemption: Redemption
) -> None:
    deliver("order.opened", order_with(CODE))
    Event.objects.update(attempts=1)
    later = timezone.now() + timedelta(minutes=1)
    assert has_unread(named, (CODE,), later)
    assert not has_unread(named, ("LOY-OTHER",), later)


def test_an_order_that_is_read_from_newstore_has_the_attribute_too() -> None:
    line = {"id": "i", "status": "complete", "price": {"base": 10, "discount": 0, "tax": 0}}
    body = {
        "origin_id": ORDER,
        "status": "closed",
        "channel_type": "store",
        "currency": "USD",
        "placed_at": "2026-03-04T15:20:00Z",
        "items": [line | attribute(CODE)],
    }
    assert order_from(body, reward_attribute=NAME).reward_texts == (CODE,)
    assert order_from(body).reward_texts == ()
