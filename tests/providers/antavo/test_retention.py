"""Finished spends, returns and checkouts are forgotten when their time is over, those under way never."""

from datetime import UTC, datetime

import pytest

from providers.antavo.models import QueuedCheckout, RefundRecord, RefundState, SpendRecord, SpendState
from providers.antavo.retention import erase_member, forget_old
from providers.errors import Rejected

pytestmark = pytest.mark.django_db

OLD = datetime(2024, 1, 1, tzinfo=UTC)
BEFORE = datetime(2024, 1, 2, tzinfo=UTC)
YOUNG = datetime(2024, 1, 3, tzinfo=UTC)


def spend(key: str, state: SpendState, at: datetime = OLD, kind: str = "reward", burned: str = "") -> None:
    SpendRecord.objects.create(
        program="acme", key=key, state=state, member_ref="mia", kind=kind, points=100, noted_at=at,
        item_id="points" if kind == "points" else "five-off", transaction_id=burned,
    )  # fmt: skip


def test_what_is_over_goes_and_what_is_under_way_or_young_stays() -> None:
    for state in (SpendState.DONE, SpendState.RELEASED, SpendState.CLOSED):
        spend(f"old-{state}", state)
    spend("burned", SpendState.DONE, kind="points", burned="order-1")
    spend("sent", SpendState.SENT)
    spend("reserved", SpendState.DONE, kind="points")
    spend("young", SpendState.DONE, at=YOUNG)
    for return_state in RefundState:
        RefundRecord.objects.create(
            program="acme", return_id=return_state, order_id="o", state=return_state, noted_at=OLD
        )
    for number, sent_at in enumerate((OLD, YOUNG, None)):
        QueuedCheckout.objects.create(
            program="acme", transaction_id=str(number), member_ref="mia", data={}, sent_at=sent_at
        )
    assert forget_old(BEFORE) == 4 + 2 + 1
    assert set(SpendRecord.objects.values_list("key", flat=True)) == {"sent", "reserved", "young"}
    assert RefundRecord.objects.get().state == RefundState.SENT
    assert set(QueuedCheckout.objects.values_list("transaction_id", flat=True)) == {"1", "2"}


def test_a_member_is_erased_with_what_she_bought_once_nothing_waits() -> None:
    checkout = QueuedCheckout.objects.create(
        program="acme", transaction_id="order-1", member_ref="mia", data={"items": ["SHIRT"]}
    )
    with pytest.raises(Rejected):
        erase_member("acme", "mia", "ERASED-1")
    QueuedCheckout.objects.update(sent_at=OLD)
    spend("reserved", SpendState.DONE, kind="points")
    with pytest.raises(Rejected):
        erase_member("acme", "mia", "ERASED-1")
    SpendRecord.objects.update(transaction_id="order-1")
    assert erase_member("acme", "mia", "ERASED-1") == 2
    checkout.refresh_from_db()
    assert (checkout.member_ref, checkout.data) == ("ERASED-1", {})
