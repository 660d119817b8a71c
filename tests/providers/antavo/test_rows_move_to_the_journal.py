"""Rows of the former tables keep their meaning: each kind in each state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from providers.antavo.provider import AntavoProvider
from providers.errors import OutcomeUnknown, Rejected, Unavailable
from providers.journal.models import Write, WriteKind
from providers.sales import Finding, PointsChange, Spend, SpendKind
from tests.providers.antavo.build import goods, intent, order, points_intent
from tests.providers.antavo.conftest import MIA, Connect, LoseAnswers, Served
from tests.providers.journal.carried_over import former_tables

pytestmark = pytest.mark.django_db(transaction=True)


def carry(**tables: list[dict[str, Any]]) -> None:
    """Write rows into the former tables, and migrate."""
    with former_tables("antavo", "0003_spends_know_when_they_were_sent_back") as model:
        for name, rows in tables.items():
            for row in rows:
                model(name).objects.create(program="acme", **row)


def former(spend: Spend, item: str, **columns: Any) -> dict[str, Any]:
    """Return the former row of a spend that Antavo made."""
    return {
        "key": spend.key,
        "member_ref": MIA,
        "kind": spend.kind.value,
        "item_id": item,
        "points": spend.points,
        "state": "done",
        "sent_at": datetime.now(UTC),
        "provider_ref": spend.provider_ref,
        "coupon": spend.memo.get("coupon", ""),
        **columns,
    }


def forget_rows() -> None:
    """The vendor keeps the spend, and we have only the former rows."""
    Write.objects.all().delete()


def spendable(provider: AntavoProvider) -> int:
    return provider.get_member(MIA).balance.spendable


def test_a_claim_is_found_confirmed_and_given_back(provider: AntavoProvider) -> None:
    asked = intent()
    spend = provider.spend(asked)
    forget_rows()
    carry(SpendRecord=[former(spend, asked.item_id)])
    assert provider.find_spend(asked).spend == spend
    with pytest.raises(Rejected):  # its coupon is used by a claim of ours
        provider.spend(intent(spend.memo["coupon"], 0, kind=SpendKind.VOUCHER))
    provider.confirm(spend, order(spends=(spend,)))
    provider.release(spend)
    assert spendable(provider) == 820
    assert provider.find_spend(asked).finding is Finding.DID_NOT


def test_claims_that_got_the_same_code_stand_both(provider: AntavoProvider) -> None:
    asked = [intent(), intent()]
    spends = [provider.spend(each) for each in asked]
    forget_rows()
    carry(SpendRecord=[former(spend, asked[0].item_id, coupon="WELCOME") for spend in spends])
    assert [provider.find_spend(each).finding for each in asked] == [Finding.HAPPENED] * 2
    with pytest.raises(Rejected):  # its coupon is used by claims of ours
        provider.spend(intent("WELCOME", 0, kind=SpendKind.VOUCHER))


def test_reserved_points_are_burned_by_their_order_or_given_back(provider: AntavoProvider) -> None:
    kept, burned = points_intent(200), points_intent(100)
    spends = [provider.spend(each) for each in (kept, burned)]
    forget_rows()
    carry(SpendRecord=[former(spend, "points") for spend in spends])
    assert provider.find_spend(kept).spend == spends[0]
    provider.release(spends[0])
    sale = order(spends=(spends[1],))
    provider.confirm(spends[1], sale)
    provider.record_order(sale)
    balance = provider.get_member(MIA).balance
    assert (balance.spendable, balance.reserved) == (820 - 100 + 100, 0)


def test_points_that_an_order_burned_are_given_back_once(
    provider: AntavoProvider, lose_answers: LoseAnswers
) -> None:
    spend = provider.spend(points_intent(200))
    provider.record_order(order(spends=(spend,)))
    with lose_answers("point_unspend"), pytest.raises(OutcomeUnknown):
        provider.release(spend)
    balance, now = spendable(provider), datetime.now(UTC)
    forget_rows()
    carry(SpendRecord=[former(spend, "points", transaction_id="order-1", returning_at=now)])
    provider.release(spend)
    assert spendable(provider) == balance
    assert Write.objects.get(kind=WriteKind.RELEASE).vendor_ref == spend.key


def test_a_release_that_may_still_arrive_is_not_sent_again(provider: AntavoProvider) -> None:
    spend = provider.spend(points_intent(200))
    provider.record_order(order(spends=(spend,)))
    forget_rows()
    carry(SpendRecord=[former(spend, "points", transaction_id="order-1", returning_at=datetime.now(UTC))])
    with pytest.raises(Unavailable):
        provider.release(spend)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=2)):
        provider.release(spend)
    assert Write.objects.get(kind=WriteKind.RELEASE).points == 200


def test_a_claim_whose_answer_was_lost_is_found_by_what_is_new(
    provider: AntavoProvider, lose_answers: LoseAnswers
) -> None:
    provider.spend(intent())
    old = [row.vendor_ref for row in Write.objects.all()]
    lost = intent()
    with lose_answers("claim"), pytest.raises(OutcomeUnknown):
        provider.spend(lost)
    forget_rows()
    row = {"key": lost.key, "member_ref": MIA, "kind": "reward", "item_id": lost.item_id, "points": 100}
    carry(SpendRecord=[{**row, "state": "sent", "sent_at": datetime.now(UTC), "seen": old}])
    found = provider.find_spend(lost)
    assert found.spend
    assert found.spend.provider_ref not in old


@pytest.mark.parametrize("state", ["closed", "released"])
def test_a_closed_or_released_key_stays_closed(provider: AntavoProvider, state: str) -> None:
    asked = intent()
    row = {"key": asked.key, "member_ref": MIA, "kind": "reward", "item_id": asked.item_id, "points": 100}
    carry(SpendRecord=[{**row, "state": state}])
    assert provider.find_spend(asked).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.spend(asked)


def test_waiting_checkouts_are_sent_and_returns_go_on(connect: Connect, vendor: Served) -> None:
    provider = connect(orders="queue")
    for name in ("order-1", "order-2", "order-3"):
        provider.record_order(order(name))
    provider.send_queued()
    [data] = Write.objects.filter(key="order-1").values_list("detail", flat=True)
    assert data == {} or data["transaction_id"] == "order-1"
    vendor.mia.transactions.pop("order-2")
    forget_rows()
    now = datetime.now(UTC)
    waiting = {"member_ref": MIA, "data": {"transaction_id": "order-2", "total": 80, "currency": "USD"}}
    carry(
        QueuedCheckout=[
            {"transaction_id": "order-1", "member_ref": MIA, "data": {}, "sent_at": now, "attempts": 1},
            {**waiting, "transaction_id": "order-2", "due_at": now},
            {"transaction_id": "order-4", "member_ref": MIA, "data": {}, "due_at": now},
        ],
        RefundRecord=[
            {"return_id": "done", "order_id": "order-1", "amount": 20, "state": "done", "points": -25},
            {"return_id": "new", "order_id": "order-1"},
        ],
    )
    assert provider.cancel_order(order("order-4")) == PointsChange(points=0)
    assert provider.send_queued() == (1, 0)
    assert "order-2" in vendor.mia.transactions
    assert provider.record_return(goods("20.00", "done")).points == -25
    assert provider.record_return(goods("20.00", "new")).points == -25
