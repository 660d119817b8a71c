"""Rows of the former tables keep their meaning: each kind in each state."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from providers.errors import OutcomeUnknown, Rejected, Unsupported
from providers.journal.models import Write, WriteKind, WriteState
from providers.pongo.provider import PongoProvider
from providers.pongo.release import is_used
from providers.sales import Finding, PointsChange, SpendKind
from tests.providers.journal.carried_over import former_tables
from tests.providers.pongo.conftest import FIVE_OFF, MIA, Connect, Served
from tests.providers.pongo.intents import a_return, an_intent, an_order

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def carry(**tables: list[dict[str, Any]]) -> None:
    """Write rows into the former tables, and migrate."""
    with former_tables("pongo", "0004_purchases_know_when_they_were_sent") as model:
        for name, rows in tables.items():
            for row in rows:
                made = model(name).objects.create(program="acme", **row)
                if "changed_at" in row:  # set by itself when saved
                    model(name).objects.filter(pk=made.pk).update(changed_at=row["changed_at"])


def spending(key: str, state: str, **columns: Any) -> dict[str, Any]:
    return {
        "key": key,
        "state": state,
        "member_ref": MIA,
        "kind": "reward",
        "item_id": FIVE_OFF,
        "reward_id": FIVE_OFF,
        "points": 100,
        "saving_minor": 500,
        "skus": [],
        "store_slug": "boston-1",
        "started_at": AT,
        "changed_at": AT,
        **columns,
    }


@pytest.fixture
def provider(connect: Connect) -> PongoProvider:
    return connect()


def test_spends_in_every_state_are_found_as_before(provider: PongoProvider, vendor: Served) -> None:
    mia = vendor.book.customers[MIA]
    won = [vendor.book.give(mia, vendor.book.rewards[FIVE_OFF]).hash for _ in range(4)]
    before = {"hashes_before": [], "sent_at": AT}
    carry(
        Spending=[
            spending("begun", "started"),
            spending("taken", "taken", hash=won[0], coupon_code="C-1", **before),
            spending("confirmed", "confirmed", hash=won[1], order_id="order-1", **before),
            spending("used", "used", hash=won[2], order_id="order-0", **before),
            spending("left", "released", hash=won[3], **before),
            spending("void", "void"),
        ]
    )
    found = {key: provider.find_spend(an_intent(key)) for key in ("taken", "confirmed", "used", "left")}
    happened = {key: each.spend for key, each in found.items() if each.finding is Finding.HAPPENED}
    assert set(happened) == {"taken", "confirmed", "used"}
    spend = happened["taken"]
    assert spend
    assert (spend.provider_ref, spend.points, spend.is_held) == (won[0], 100, False)
    assert spend.memo == {"reward": FIVE_OFF, "coupon_code": "C-1", "own_code": "C-1"}
    for key in ("begun", "left", "void"):
        assert provider.find_spend(an_intent(key)).finding is Finding.DID_NOT
    assert is_used(Write.objects.get(key="used"))
    with pytest.raises(Rejected):  # the cart of "taken" has it
        provider.spend(an_intent("new", won[0], kind=SpendKind.VOUCHER, points=0))
    vendor.book.customers[MIA].won[3].is_locked = False
    assert provider.spend(an_intent("again", won[3], kind=SpendKind.VOUCHER, points=0)).provider_ref == won[3]


def test_a_purchase_whose_answer_was_lost_is_found_by_what_is_new(
    provider: PongoProvider, vendor: Served
) -> None:
    mia = vendor.book.customers[MIA]
    old, new = (vendor.book.give(mia, vendor.book.rewards[FIVE_OFF]).hash for _ in range(2))
    carry(Spending=[spending("lost", "started", hashes_before=[old], sent_at=AT)])
    found = provider.find_spend(an_intent("lost"))
    assert found.spend
    assert found.spend.provider_ref == new


def test_a_purchase_that_may_still_arrive_is_not_denied(provider: PongoProvider) -> None:
    with time_machine.travel(AT, tick=False):
        carry(Spending=[spending("lost", "started", hashes_before=[], sent_at=AT)])
        assert provider.find_spend(an_intent("lost")).finding is Finding.CANNOT_TELL
        with pytest.raises(OutcomeUnknown):
            provider.spend(an_intent("lost"))
    with time_machine.travel(AT + timedelta(minutes=2)):
        assert provider.find_spend(an_intent("lost")).finding is Finding.DID_NOT


def test_a_lock_whose_answer_was_lost_leaves_the_reward_in_its_cart(
    provider: PongoProvider, vendor: Served
) -> None:
    won = vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF]).hash
    carry(
        Spending=[spending("lost", "started", kind="voucher", item_id=won, reward_id="", hash=won, points=0)]
    )
    intent = an_intent("lost", won, kind=SpendKind.VOUCHER, points=0)
    assert provider.find_spend(intent).finding is Finding.HAPPENED


def test_orders_and_returns_go_on_as_they_were(provider: PongoProvider, vendor: Served) -> None:
    provider.record_order(an_order(order_id="order-1"))
    Write.objects.all().delete()
    carry(
        SentOrder=[
            {"order_id": "order-1", "store_slug": "boston-1", "state": "sent", "points": 148, "sent_at": AT},
            {"order_id": "lost", "store_slug": "boston-1", "state": "sending", "sent_at": AT},
            {"order_id": "gone", "store_slug": "boston-1", "state": "voided", "points": 5, "sent_at": AT},
        ],
        Refund=[
            {"return_id": "return-1", "order_id": "order-1", "net": Decimal(23), "noted_at": AT},
            {"return_id": "old", "order_id": "gone", "net": 5, "is_taken_back": True, "noted_at": AT},
        ],
    )
    sent = vendor.count("POST", "/v1/orders")
    assert provider.record_order(an_order(order_id="order-1")) == PointsChange(points=148)
    assert provider.record_order(an_order(order_id="gone")) == PointsChange(points=5)
    assert vendor.count("POST", "/v1/orders") == sent
    provider.record_order(an_order(order_id="lost"))
    assert vendor.count("POST", "/v1/orders") == sent + 1
    with pytest.raises(Unsupported):
        provider.record_return(a_return("23.00"))
    provider.record_return(a_return("125.00", "return-2"))
    states = Write.objects.filter(kind=WriteKind.RETURN).values_list("state", flat=True)
    assert set(states) == {WriteState.DONE}
