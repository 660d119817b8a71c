"""Finished spends, orders, returns and silent passes are forgotten when their time is over."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from providers.errors import Rejected
from providers.pongo.models import OrderState, PassCode, Refund, SentOrder, Spending, SpendingState
from providers.pongo.retention import FINISHED, erase_member, forget_old

pytestmark = pytest.mark.django_db

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)
YOUNG = datetime(2024, 1, 3, tzinfo=UTC)


def spend(key: str, state: SpendingState, at: datetime = OLD) -> None:
    row = Spending.objects.create(
        program="acme", key=key, state=state, member_ref="cust_mia", kind="reward", item_id="r", points=1
    )
    Spending.objects.filter(pk=row.pk).update(changed_at=at)


def test_what_is_over_goes_and_what_is_under_way_or_young_stays() -> None:
    for state in SpendingState:
        spend(f"old-{state}", state)
    spend("young", SpendingState.USED, at=YOUNG)
    for order_state in OrderState:
        SentOrder.objects.create(
            program="acme", order_id=order_state, store_slug="s", state=order_state, sent_at=OLD
        )
    for number, at in enumerate((OLD, YOUNG)):
        Refund.objects.create(
            program="acme", return_id=str(number), order_id="o", net=Decimal(1), noted_at=at
        )
        PassCode.objects.create(program="acme", customer_id=str(number), sealed_phone="x", changed_at=at)
    assert forget_old(BEFORE) == 3 + 2 + 1 + 1
    stay = {*(f"old-{state}" for state in SpendingState if state not in FINISHED), "young"}
    assert set(Spending.objects.values_list("key", flat=True)) == stay
    assert SentOrder.objects.get().state == OrderState.SENDING
    assert (Refund.objects.get().return_id, PassCode.objects.get().customer_id) == ("1", "1")


def test_a_customers_pass_goes_with_her_once_nothing_is_in_a_cart() -> None:
    PassCode.objects.create(program="acme", customer_id="cust_mia", sealed_phone="x")
    spend("taken", SpendingState.TAKEN)
    with pytest.raises(Rejected):
        erase_member("acme", "cust_mia", "ERASED-1")
    Spending.objects.update(state=SpendingState.USED)
    assert erase_member("acme", "cust_mia", "ERASED-1") == 2
    assert not PassCode.objects.exists()
