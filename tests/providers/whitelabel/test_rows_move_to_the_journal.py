"""Rows of the former table go on as they were: each kind in each state."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import OutcomeUnknown, Rejected, RejectReason, Unavailable
from providers.journal import retention
from providers.journal.models import Write, WriteState
from providers.sales import Finding, PointsChange, Spend, SpendIntent, SpendKind
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.journal.carried_over import former_tables
from tests.providers.whitelabel.build import order, points_intent, returned, reward_intent, voucher_intent
from tests.providers.whitelabel.conftest import LoseAnswers

pytestmark = pytest.mark.django_db(transaction=True)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def carry(ref: str, *rows: dict[str, Any]) -> None:
    """Write rows into the former table, and migrate."""
    with former_tables("whitelabel", "0003_spends_know_what_was_before") as model:
        report = model("Report")
        for row in rows:
            made = report.objects.create(program="acme", member_ref=ref, **row)
            report.objects.filter(pk=made.pk).update(created_at=AT)


def row(kind: str, reference: str, state: str = "done", **columns: Any) -> dict[str, Any]:
    sent_at = None if state == "new" else AT
    return {"kind": kind, "reference": reference, "state": state, "sent_at": sent_at, **columns}


def spend_of(intent: SpendIntent, provider_ref: str = "7") -> Spend:
    return Spend(
        key=intent.key,
        member_ref=intent.member_ref,
        kind=intent.kind,
        provider_ref=provider_ref,
        points=intent.points,
        memo={"store": "boston-1"},
    )


def test_finished_spends_of_each_way_are_found_as_they_were(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, whole_voucher: Json
) -> None:
    bought = vendor.state.give(mia, vendor.state.reward_named("$5 off"))["id"]
    carry(
        mia,
        row("spend", "points", vendor_ref="7", points=250),
        row("spend", "reward", vendor_ref=bought, points=100, shown_before={"benefits": [], "points": 820}),
        row("spend", "voucher", vendor_ref=whole_voucher["id"], points=0, shown_before={}),
        row("spend", "refused", "new"),
        row("spend", "void", "void"),
        row("spend", "begun", "sending"),
    )
    intents = {
        "points": points_intent(mia, 250, key="points"),
        "reward": reward_intent(mia, key="reward"),
        "voucher": voucher_intent(mia, whole_voucher["id"], key="voucher"),
    }
    for key, intent in intents.items():
        spend = provider.find_spend(intent).spend
        assert spend
        assert (spend.key, spend.kind, spend.points) == (key, intent.kind, intent.points)
        assert provider.spend(intent) == spend
        assert ("burned" in spend.memo) == (intent.kind is not SpendKind.POINTS)
    for key in ("refused", "void", "begun"):
        assert provider.find_spend(points_intent(mia, 250, key=key)).finding is Finding.DID_NOT
    with pytest.raises(Rejected) as caught:
        provider.spend(voucher_intent(mia, bought, key="another", amount="5"))
    assert caught.value.reason is RejectReason.ALREADY_USED, "one benefit is never two spends"


def test_spends_whose_answer_was_lost_are_found_or_denied_only_when_that_is_certain(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    intents = [reward_intent(mia, key="reward"), points_intent(mia, 250, key="points")]
    for intent in intents:
        with lose_answers(), pytest.raises(OutcomeUnknown):
            provider.spend(intent)
    Write.objects.all().delete()
    now = timezone.now()
    carry(
        mia,
        row("spend", "reward", "sending", shown_before={"benefits": [], "points": 820}),
        row("spend", "points", "sending", shown_before={}),
        row("spend", "never", "sending", shown_before={}) | {"sent_at": now},
    )
    for intent in intents:
        spend = provider.find_spend(intent).spend
        assert spend
        assert (spend.points, spend.memo["store"]) == (intent.points, "boston-1")
    never = points_intent(mia, 10, key="never")
    assert provider.find_spend(never).finding is Finding.CANNOT_TELL
    with pytest.raises(OutcomeUnknown):
        provider.spend(never)
    with time_machine.travel(now + timedelta(minutes=2)):
        assert provider.find_spend(never).finding is Finding.DID_NOT


def test_points_are_given_back_once_and_parts_count(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    spent = {"vendor_ref": "7", "points": 100, "order_id": "order-1"}
    carry(
        mia,
        row("spend", "whole", **spent),
        row("refund", "whole", points=100),
        row("spend", "parts", **spent | {"vendor_ref": "8"}),
        row("refund", "parts:return-1", points=20, withheld=10),
        row("refund", "parts:return-2", "new", points=5),
        row("refund", "forgotten", points=100),
        row("spend", "lost", **spent | {"vendor_ref": "9"}),
        row("refund", "lost", "sending", points=100) | {"sent_at": timezone.now()},
    )
    whole, parts, forgotten, lost = (
        spend_of(points_intent(mia, 100, key=key)) for key in ("whole", "parts", "forgotten", "lost")
    )
    balance = vendor.state.points[mia]
    for spend in (whole, forgotten):
        provider.release(spend)
        assert provider.find_spend(points_intent(mia, 100, key=spend.key)).finding is Finding.DID_NOT
    with pytest.raises(Rejected):
        provider.release_part(whole, 5, "return-1")
    provider.release_part(parts, 30, "return-1")
    assert vendor.state.points[mia] == balance
    provider.release_part(parts, 5, "return-2")
    assert vendor.state.points[mia] == balance + 5
    provider.release(parts)
    assert vendor.state.points[mia] == balance + 5 + 65
    with pytest.raises(Unavailable):
        provider.release(lost)
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        provider.release(lost)
    assert vendor.state.points[mia] == balance + 70 + 100


def test_a_spend_below_zero_whose_points_are_not_given_back_yet_gives_back_all_of_them(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, lose_answers: LoseAnswers
) -> None:
    intent, balance = points_intent(mia, 250), vendor.state.points[mia]
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(intent)
    Write.objects.all().delete()
    carry(
        mia,
        row("spend", intent.key, "sending", shown_before={}),
        row("refund", intent.key, "new", points=250),
    )
    assert provider.find_spend(intent).finding is Finding.DID_NOT
    assert vendor.state.points[mia] == balance


def test_a_part_that_was_not_given_back_keeps_no_member_from_erasure(mia: str) -> None:
    carry(
        mia, row("spend", "done", vendor_ref="7", points=100), row("refund", "done:return-1", "new", points=5)
    )
    assert retention.erase_member("whitelabel", "acme", [mia], "ERASED-1") == 2


def test_what_a_return_owes_is_paid_by_the_refund_of_an_earlier_spend_only(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    carry(
        mia,
        row("spend", "before", vendor_ref="7", points=100),
        row("return", "return-1", order_id="order-0", net=Decimal(20), points=-10, owed=30),
        row("spend", "after", vendor_ref="8", points=100),
    )
    balance = vendor.state.points[mia]
    provider.release(spend_of(points_intent(mia, 100, key="after")))
    assert vendor.state.points[mia] == balance + 100
    provider.release(spend_of(points_intent(mia, 100, key="before")))
    assert vendor.state.points[mia] == balance + 100 + 70


def test_orders_returns_and_cancellations_go_on_as_they_were(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    sale = {"net": Decimal(80), "vendor_ref": "7"}
    carry(
        mia,
        row("sale", "order-1", order_id="order-1", points=80, **sale),
        row("return", "return-1", order_id="order-1", net=Decimal(40), points=-30, owed=0, paid=10),
        row("sale", "gone", order_id="gone", points=80, **sale),
        row("cancel", "gone", order_id="gone", points=-80),
        row("sale", "void", "void", order_id="void", net=Decimal(80)),
        row("sale", "new", "new", order_id="new", net=Decimal(80)),
        row("sale", "lost", "sending", order_id="lost", net=Decimal(80)) | {"sent_at": timezone.now()},
    )
    assert provider.record_order(order(mia)) == PointsChange(points=80)
    assert provider.record_return(returned(mia, "40.00")) == PointsChange(points=-30)
    assert provider.record_return(returned(mia, "40.00", "return-2")) == PointsChange(points=-40)
    assert provider.cancel_order(order(mia, order_id="gone")) == PointsChange(points=-80)
    assert provider.cancel_order(order(mia, order_id="void")) == PointsChange(points=0)
    assert provider.cancel_order(order(mia, order_id="new")) == PointsChange(points=0)
    with pytest.raises(Unavailable):
        provider.record_order(order(mia, order_id="lost"))
    assert not vendor.state.events_of("TRANSACTION")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert provider.record_order(order(mia, order_id="lost")) == PointsChange(points=80)


def test_what_is_over_is_forgotten_and_what_is_open_stays(provider: WhiteLabelProvider, mia: str) -> None:
    carry(
        mia,
        row("spend", "done", vendor_ref="7", points=100),
        row("refund", "done", points=100),
        row("spend", "open", "sending", shown_before={}),
    )
    with pytest.raises(Rejected):
        retention.erase_member("whitelabel", "acme", [mia], "ERASED-1")
    assert retention.forget_old(AT + timedelta(days=1)) == 2
    (left,) = Write.objects.all()
    assert (left.key, left.state) == ("open", WriteState.SENT)
