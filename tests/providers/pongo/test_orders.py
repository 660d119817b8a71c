"""Orders: sent once, naming the rewards used in them; taken back as a whole; a person handles parts."""

from dataclasses import replace

import pytest

from providers.errors import OutcomeUnknown, Rejected, Unsupported
from providers.journal.models import Write, WriteKind, WriteState
from providers.pongo.provider import PongoProvider
from providers.pongo.release import is_used
from providers.sales import PointsChange, SpendKind
from tests.providers.pongo.conftest import ANA, FIVE_OFF, MIA, TEN_OFF, TOTE, LoseAnswers, Served
from tests.providers.pongo.intents import TOTE_FREE, a_line, a_return, an_intent, an_order

ORDERS = "/v1/orders"
ORDER = "/v1/orders/order-1"
LINES = (a_line("l1", "JACKET-01", "125.00"), a_line("l2", "TOTE-01", "23.00"))


def test_an_order_is_sent_as_the_contract_shows(provider: PongoProvider, vendor: Served) -> None:
    spend = provider.spend(an_intent())
    order = an_order(spend, lines=LINES)
    provider.confirm(spend, order)

    change = provider.record_order(order)

    reward_line = f"reward-{Write.objects.get(kind=WriteKind.SPEND).pk}"
    (body,) = vendor.bodies("POST", ORDERS)
    assert body == {
        "order_id": "order-1",
        "channel": "pos",
        "delivery_mode": "on_site",
        "loyalty_store_slug": "boston-1",
        "amount": 14800,
        "reward_ids": [FIVE_OFF],
        "status": "closed",
        "created_at": "2026-05-04T12:31:00+00:00",
        "delivery_status": "delivered",
        "lines": [
            {
                "id": "l1", "sku": "JACKET-01", "name": "JACKET-01", "quantity": 1, "amount": 12922,
                "reward_id": None,
            },
            {
                "id": "l2", "sku": "TOTE-01", "name": "TOTE-01", "quantity": 1, "amount": 2378,
                "reward_id": None,
            },
            {
                "id": reward_line, "sku": FIVE_OFF, "name": FIVE_OFF, "quantity": 1, "amount": -500,
                "reward_id": FIVE_OFF,
            },
        ],
        "customer": {"customer_public_id": MIA},
        "payments": [{"method": "other", "amount": 14800}],
    }  # fmt: skip
    assert change == PointsChange(points=148)
    assert vendor.book.customers[MIA].won[0].used_at


def test_confirming_does_not_use_a_reward_that_the_order_will_use(
    provider: PongoProvider, vendor: Served
) -> None:
    """Pongo would use up two of them: docs/contracts/pongo.md 5.1."""
    customer = vendor.book.customers[MIA]
    spend = provider.spend(an_intent())
    other = vendor.book.give(customer, vendor.book.rewards[FIVE_OFF])
    order = an_order(spend)

    provider.confirm(spend, order)
    provider.record_order(order)

    assert [won.used_at is not None for won in customer.won] == [True, False]
    assert vendor.count("PATCH", f"/v1/rewards/{FIVE_OFF}") == 0
    assert not other.is_locked


def test_the_unused_one_of_two_bought_rewards_belongs_to_the_other_cart(
    provider: PongoProvider, vendor: Served
) -> None:
    """Pongo may use up either reward. The unused one is worth the same and can be used."""
    first = provider.spend(an_intent("key-1"))
    second = provider.spend(an_intent("key-2"))
    order = an_order(second)
    provider.confirm(second, order)

    provider.record_order(order)

    assert [won.used_at is not None for won in vendor.book.customers[MIA].won] == [True, False]
    assert provider.list_vouchers(MIA) == (), "the first cart has it"
    assert provider.keep_with_customer(first)
    (left,) = provider.list_vouchers(MIA)
    provider.spend(an_intent("key-3", left.voucher_id, kind=SpendKind.VOUCHER, points=0))


def test_a_reward_that_the_order_did_not_use_can_be_used_although_it_was_bought_for_it(
    provider: PongoProvider, vendor: Served
) -> None:
    vendor.rewards.has_locks = False
    vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF])
    spend = provider.spend(an_intent())
    order = an_order(spend)
    provider.confirm(spend, order)

    provider.record_order(order)

    (left,) = provider.list_vouchers(MIA)
    provider.spend(an_intent("key-2", left.voucher_id, kind=SpendKind.VOUCHER, points=0))
    assert [won.used_at is not None for won in vendor.book.customers[MIA].won] == [True, False]


def test_a_free_product_costs_nothing_on_its_own_line(provider: PongoProvider, vendor: Served) -> None:
    spend = provider.spend(an_intent(item=TOTE, points=300, discount=TOTE_FREE))
    order = an_order(spend, base="129.00", lines=(a_line("l1", "JACKET-01", "109.00"), LINES[1]))

    provider.record_order(order)

    (body,) = vendor.bodies("POST", ORDERS)
    shown = [(line["sku"], line["amount"], line["reward_id"]) for line in body["lines"]]
    assert shown == [("JACKET-01", 12900, None), ("TOTE-01", 0, TOTE)]


def test_a_processed_order_is_success(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    order = an_order()
    with lose_answers(ORDERS), pytest.raises(OutcomeUnknown):
        provider.record_order(order)

    changes = [provider.record_order(order) for _ in range(3)]

    assert changes == [PointsChange(points=None)] * 3
    assert vendor.book.customers[MIA].points == 820 + 148
    assert vendor.count("POST", ORDERS) == 2, "sent again once, then known"


def test_the_reward_of_a_lost_order_is_used_once(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    spend = provider.spend(an_intent())
    vendor.book.give(vendor.book.customers[MIA], vendor.book.rewards[FIVE_OFF])
    order = an_order(spend)
    provider.confirm(spend, order)
    with lose_answers(ORDERS), pytest.raises(OutcomeUnknown):
        provider.record_order(order)

    provider.record_order(order)

    assert sum(won.used_at is not None for won in vendor.book.customers[MIA].won) == 1
    assert is_used(Write.objects.get(kind=WriteKind.SPEND))


def test_an_order_that_earns_nothing_uses_its_reward_by_a_call_of_its_own(
    provider: PongoProvider, vendor: Served
) -> None:
    spend = provider.spend(an_intent())

    for _ in range(2):
        provider.confirm(spend, an_order(spend, base="0.00"))

    assert vendor.book.customers[MIA].won[0].used_at
    assert vendor.count("PATCH", f"/v1/rewards/{FIVE_OFF}") == 1


def test_a_lost_use_is_repeated_and_counts_once(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    spend = provider.spend(an_intent())
    order = an_order(spend, base="0.00")
    with lose_answers(f"/v1/rewards/{FIVE_OFF}"), pytest.raises(OutcomeUnknown):
        provider.confirm(spend, order)

    provider.confirm(spend, order)

    assert is_used(Write.objects.get(kind=WriteKind.SPEND))


def test_another_customers_reward_is_used_beside_the_order(provider: PongoProvider, vendor: Served) -> None:
    anas = vendor.book.customers[ANA].won[0]
    mias = provider.spend(an_intent())
    anas_spend = provider.spend(an_intent("key-2", anas.hash, kind=SpendKind.VOUCHER, points=0, ref=ANA))
    order = an_order(mias, anas_spend)
    for spend in (mias, anas_spend):
        provider.confirm(spend, order)

    provider.record_order(order)

    (body,) = vendor.bodies("POST", ORDERS)
    assert body["reward_ids"] == [FIVE_OFF]
    assert anas.used_at
    assert vendor.count("PATCH", f"/v1/rewards/{TEN_OFF}") == 1


def test_a_reward_confirmed_after_the_order_was_sent_is_used(provider: PongoProvider, vendor: Served) -> None:
    spend = provider.spend(an_intent())
    provider.record_order(an_order())

    provider.confirm(spend, an_order(spend))

    assert vendor.book.customers[MIA].won[0].used_at


def test_an_order_of_an_unmapped_store_is_refused_before_anything_is_sent(
    provider: PongoProvider, vendor: Served
) -> None:
    with pytest.raises(Rejected) as caught:
        provider.record_order(an_order(store=""))

    assert "not mapped" in caught.value.detail
    assert vendor.asked == []


def test_an_order_of_an_unknown_slug_is_refused(provider: PongoProvider, vendor: Served) -> None:
    with pytest.raises(Rejected) as caught:
        provider.record_order(an_order(store="nowhere-1"))

    assert "loyalty_store_slug" in caught.value.detail


def test_a_used_reward_is_not_given_back(provider: PongoProvider, vendor: Served) -> None:
    item = vendor.book.customers[ANA].won[0].hash
    spend = provider.spend(an_intent(item=item, kind=SpendKind.VOUCHER, points=0, ref=ANA))
    provider.record_order(an_order(spend, ref=ANA))

    with pytest.raises(Rejected):
        provider.release(spend)


def test_an_order_that_was_confirmed_and_not_sent_gives_its_owned_reward_back(
    provider: PongoProvider, vendor: Served
) -> None:
    (won,) = vendor.book.customers[ANA].won
    spend = provider.spend(an_intent(item=won.hash, kind=SpendKind.VOUCHER, points=0, ref=ANA))
    provider.confirm(spend, an_order(spend, ref=ANA))

    provider.release(spend)

    assert (won.is_locked, won.used_at) == (False, None)


# --- Taking back ------------------------------------------------------------------------------------


def test_a_cancelled_order_is_cancelled_once(provider: PongoProvider, vendor: Served) -> None:
    provider.record_order(an_order())

    for _ in range(2):
        provider.cancel_order(an_order())

    assert vendor.bodies("PATCH", ORDER) == [
        {"loyalty_store_slug": "boston-1", "status": "cancelled", "delivery_status": "cancelled"}
    ]
    assert vendor.book.customers[MIA].points == 820


def test_an_order_with_an_unknown_arrival_is_cancelled(
    provider: PongoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    with lose_answers(ORDERS), pytest.raises(OutcomeUnknown):
        provider.record_order(an_order())

    provider.cancel_order(an_order())

    assert vendor.book.customers[MIA].points == 820


def test_the_next_status_is_tried_when_pongo_refuses_the_first(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyaltyview.sandbox.vendors.pongo.orders.STATUSES", ("closed", "refunded"))
    provider.record_order(an_order())

    provider.cancel_order(an_order())

    assert [body["status"] for body in vendor.bodies("PATCH", ORDER)] == ["cancelled", "refunded"]
    assert vendor.book.customers[MIA].points == 820


def test_a_whole_return_takes_the_order_back(provider: PongoProvider, vendor: Served) -> None:
    provider.record_order(an_order())

    for _ in range(2):
        provider.record_return(a_return("148.00"))

    assert [body["status"] for body in vendor.bodies("PATCH", ORDER)] == ["refunded"]
    assert vendor.book.customers[MIA].points == 820


def test_a_complete_return_that_is_a_cent_short_takes_the_order_back(
    provider: PongoProvider, vendor: Served
) -> None:
    provider.record_order(an_order())
    provider.record_return(replace(a_return("147.99"), is_complete=True))
    assert vendor.book.customers[MIA].points == 820


def test_a_partial_return_is_left_to_a_person(provider: PongoProvider, vendor: Served) -> None:
    provider.record_order(an_order())

    for _ in range(2):
        with pytest.raises(Unsupported, match="part of an order"):
            provider.record_return(a_return("23.00"))

    assert vendor.count("PATCH", ORDER) == 0
    refund = Write.objects.get(kind=WriteKind.RETURN)
    assert (refund.amount, refund.state) == (23, WriteState.PLANNED)


def test_the_last_part_takes_the_whole_order_back(provider: PongoProvider, vendor: Served) -> None:
    provider.record_order(an_order())
    with pytest.raises(Unsupported):
        provider.record_return(a_return("23.00"))

    provider.record_return(a_return("125.00", "return-2"))
    provider.record_return(a_return("23.00"))

    assert vendor.book.customers[MIA].points == 820
    assert not Write.objects.filter(kind=WriteKind.RETURN).exclude(state=WriteState.DONE).exists()


def test_a_return_of_an_order_that_was_never_sent_takes_nothing(
    provider: PongoProvider, vendor: Served
) -> None:
    assert provider.record_return(a_return("23.00")) == PointsChange(points=0)
    assert vendor.asked == []
