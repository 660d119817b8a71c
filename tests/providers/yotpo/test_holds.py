"""What a member has while a reward is held, and how the hold ends."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db.models import Q
from django.utils import timezone

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import OutcomeUnknown, Unavailable
from providers.journal.models import Write
from providers.journal.states import Journal, note_detail
from providers.outbound.sharing import sharing
from providers.types import WebhookName, WebhookRequest
from providers.yotpo import holds
from providers.yotpo.holds import note_deducted, note_order
from providers.yotpo.provider import YotpoProvider
from tests.providers.transcripts import losing
from tests.providers.yotpo.build import MIA, make_intent, make_order, points_of

JOURNAL = Journal(vendor="yotpo", program="acme")


def test_the_balance_follows_the_hold_from_the_tap_to_the_deduction(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    """Yotpo's own balance is 820 until it has processed the order that was paid."""
    yotpo.orders.is_delayed = True
    shown = [points_of(provider, mia)]
    spend = provider.spend(make_intent(mia))
    shown.append(points_of(provider, mia))
    provider.confirm(spend, make_order(mia, spend))
    shown.append(points_of(provider, mia))
    provider.record_order(make_order(mia, spend))
    shown.append(points_of(provider, mia))
    at_yotpo = yotpo.books.customers[0].points_balance
    yotpo.orders.apply()
    shown.append(points_of(provider, mia))

    assert at_yotpo == 820
    assert shown == [(820, 0), (720, 100), (720, 0), (720, 0), (720 + 100, 0)]


def test_a_deduction_that_yotpo_never_makes_is_no_longer_expected_after_an_hour(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    yotpo.orders.is_delayed = True
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    provider.record_order(make_order(mia, spend))

    with time_machine.travel(timezone.now() + timedelta(minutes=50), tick=False):
        assert points_of(provider, mia) == (720, 0)
    with time_machine.travel(timezone.now() + timedelta(minutes=70), tick=False):
        assert points_of(provider, mia) == (820, 0)


def test_a_hold_stands_as_long_as_its_order_is_tried_again(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    """A second hold would cancel its code at Yotpo, and the customer has the discount already."""
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    with losing(yotpo, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.record_order(order)

    with time_machine.travel(timezone.now() + timedelta(minutes=70), tick=False):  # of an outage
        assert points_of(provider, mia) == (720, 0)
        assert not provider.spend(make_intent(mia)).is_held
        provider.record_order(order)
        assert yotpo.books.orders["order-1"].flags == []
    with time_machine.travel(timezone.now() + timedelta(minutes=140), tick=False):
        assert points_of(provider, mia) == (620 + 100, 0)


def test_an_undone_hold_lets_the_next_reward_be_held(provider: YotpoProvider, yotpo: Yotpo, mia: str) -> None:
    first = provider.spend(make_intent(mia))
    provider.release(first)
    second = provider.spend(make_intent(mia))

    # Yotpo has cancelled the first, whose code is in no cart, and its callback says so.
    assert (first.is_held, second.is_held) == (True, True)
    assert points_of(provider, mia) == (720, 100)
    sent = yotpo.webhooks.sent[-1]
    headers = {name.lower(): value for name, value in sent.headers.items()}
    (event,) = provider.parse_webhook(WebhookRequest(headers=headers, body=sent.body))
    assert (event.name, event.provider_ref) == (WebhookName.SPEND_CANCELLED, first.provider_ref)


def test_a_hold_that_the_web_shop_cancels_gives_its_points_back_at_once(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    yotpo.redeem_in_the_web_shop(MIA)
    provider.release(spend)  # as the callback makes the worker do

    assert points_of(provider, mia) == (820, 0)
    provider.record_order(make_order(mia, spend))
    assert "coupon_code" not in yotpo.books.orders["order-1"].body


def test_an_order_does_not_begin_again_a_hold_whose_points_were_seen_gone_meanwhile(
    provider: YotpoProvider, yotpo: Yotpo, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend = provider.spend(make_intent(mia))

    def after_another_till(*args: Any, **changes: Any) -> bool:
        monkeypatch.setattr(holds, "note_detail", note_detail)
        note_deducted(Write.objects.get(key=spend.key))
        return note_detail(*args, **changes)

    monkeypatch.setattr(holds, "note_detail", after_another_till)
    note_order(JOURNAL, [spend.key])

    row = Write.objects.get(key=spend.key)
    assert (row.waits_for_order, holds.is_held(row)) == (False, False)


def test_points_are_not_given_back_while_an_order_that_was_sent_again_may_take_them(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    with losing(yotpo, loses_requests=True), pytest.raises(OutcomeUnknown):
        provider.record_order(order)
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        yotpo.orders.is_delayed = True
        provider.record_order(order)
        with pytest.raises(Unavailable):
            provider.release(spend)
        yotpo.orders.apply()
        provider.release(spend)
        assert points_of(provider, mia) == (820 + 100, 0)


def test_notes_of_a_write_do_not_undo_each_other(provider: YotpoProvider, mia: str) -> None:
    spend = provider.spend(make_intent(mia))
    one, other = (Write.objects.get(key=spend.key) for _ in range(2))

    assert note_detail(one, Q(), add={"seen": 1}, drop=["is_custom"])
    assert note_detail(other, Q(waits_for_order=True), add={"asked": 2}, waits_for_order=False)
    assert not note_detail(one, Q(waits_for_order=True), add={"late": 3})

    one.refresh_from_db()
    assert one.detail == {
        "option_id": "90210",
        "title": "$5 off",
        "redemption_id": one.detail["redemption_id"],
        "seen": 1,
        "asked": 2,
    }
    assert not one.waits_for_order


def test_a_page_reads_the_member_again_after_an_order_that_earned_nothing(
    provider: YotpoProvider, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    order = make_order(mia, spend)
    provider.confirm(spend, order)
    texts = []
    for _ in range(2):
        with sharing("acme", mia, max_age_s=3):
            texts.append(provider.get_history(mia).movements[0].text)
        provider.close_order(order)

    assert texts == ["Held for an order: $5 off", "Redeemed: $5 off"]
