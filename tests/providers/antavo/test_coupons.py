"""Coupons: their owners, whether they can be used, redeemed and given back."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from providers.antavo.provider import AntavoProvider
from providers.errors import OutcomeUnknown, Rejected, RejectReason
from providers.journal.retention import erase_member
from providers.types import DiscountKind
from tests.providers.antavo.build import cart, order, usd, voucher_intent
from tests.providers.antavo.conftest import ANA, LEO, MIA, LoseAnswers, Served
from tests.providers.lost_answers import lose

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).isoformat()


def test_a_coupon_shows_its_worth_its_minimum_and_its_end(provider: AntavoProvider, vendor: Served) -> None:
    vendor.give(MIA, "SPRING", minimum=Decimal(30), expires_at="2099-01-01T00:00:00+09:30")
    (voucher,) = provider.list_vouchers(MIA)
    assert (voucher.voucher_id, voucher.code, voucher.title) == ("SPRING", "SPRING", "SPRING")
    assert (voucher.discount.amount, voucher.discount.minimum) == (usd("10"), usd("30"))
    assert voucher.expires_at == datetime(2098, 12, 31, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"type": "percentage", "value": 15}, DiscountKind.PERCENT),
        ({"type": "percent", "value": 15}, DiscountKind.PERCENT),
        ({"type": "free_shipping", "value": 0}, DiscountKind.ONLINE_ONLY),
        ({"type": "gift_card", "balance": Decimal(7)}, DiscountKind.FIXED),
        ({"type": "mystery"}, DiscountKind.UNKNOWN),
    ],
)
def test_each_type_of_coupon_has_its_discount(
    provider: AntavoProvider, vendor: Served, fields: dict[str, Any], kind: DiscountKind
) -> None:
    vendor.give(MIA, "ONE", **fields)
    (voucher,) = provider.list_vouchers(MIA)
    assert voucher.discount.kind is kind
    if fields["type"] == "gift_card":
        assert voucher.discount.amount == usd("7")


@pytest.mark.parametrize(
    "fields",
    [{"status": "redeemed"}, {"status": "expired"}, {"status": "invalid"}, {"expires_at": YESTERDAY}],
)
def test_unusable_coupons_are_not_listed(
    provider: AntavoProvider, vendor: Served, fields: dict[str, Any]
) -> None:
    vendor.give(MIA, "OLD", **fields)
    assert provider.list_vouchers(MIA) == ()


def test_a_coupon_is_listed_on_the_last_day_of_its_date(provider: AntavoProvider, vendor: Served) -> None:
    with time_machine.travel(datetime(2026, 11, 30, 9, tzinfo=UTC)):
        vendor.give(MIA, "TODAY", expires_at="2026-11-30")
        (voucher,) = provider.list_vouchers(MIA)
    assert voucher.code == "TODAY"
    assert voucher.expires_at
    assert voucher.expires_at > datetime(2026, 11, 30, 23, tzinfo=UTC)


def test_many_coupons_are_listed_although_only_some_are_read(
    provider: AntavoProvider, vendor: Served
) -> None:
    for number in range(12):
        vendor.give(MIA, f"C-{number}")
    assert len(provider.list_vouchers(MIA)) == 12


@pytest.mark.parametrize(
    ("owner", "fields", "reason"),
    [
        (MIA, {"status": "redeemed"}, RejectReason.ALREADY_USED),
        (MIA, {"expires_at": YESTERDAY}, RejectReason.EXPIRED),
        (MIA, {"status": "unassigned"}, RejectReason.NOT_ALLOWED),
        (LEO, {}, RejectReason.NOT_ALLOWED),
    ],
)
def test_a_typed_code_says_why_it_cannot_be_used(
    provider: AntavoProvider, vendor: Served, owner: str, fields: dict[str, Any], reason: RejectReason
) -> None:
    vendor.give(owner, "TYPED", **fields)
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(MIA, "TYPED")
    assert caught.value.reason is reason


def test_a_typed_code_is_found_and_an_unknown_one_is_not(provider: AntavoProvider) -> None:
    assert provider.find_voucher(ANA, " ANA-BIRTHDAY ").discount.amount == usd("10")
    with pytest.raises(Rejected) as caught:
        provider.find_voucher(ANA, "NOBODYS")
    assert caught.value.reason is RejectReason.REWARD_NOT_FOUND


@pytest.mark.parametrize("code", ["spring-10", "Spring 10", "SPRING10"])
def test_a_typed_code_is_found_in_other_spellings(
    provider: AntavoProvider, vendor: Served, code: str
) -> None:
    vendor.give(MIA, "SPRING-10")
    assert provider.find_voucher(MIA, code).code == "SPRING-10"


def test_using_a_coupon_tells_antavo_code_and_transaction(provider: AntavoProvider, vendor: Served) -> None:
    vendor.give(MIA, "SPRING")
    intent = voucher_intent("SPRING")
    spend = provider.spend(intent)
    assert vendor.events("coupon_redeem") == [{"code": "SPRING", "transaction_id": intent.key}]
    assert (spend.provider_ref, spend.points, spend.is_held) == ("SPRING", 0, False)
    provider.confirm(spend, order(spends=(spend,)))
    assert len(vendor.events("coupon_redeem")) == 1


def test_a_gift_card_pays_no_more_than_the_cart_and_gets_it_back(
    provider: AntavoProvider, vendor: Served
) -> None:
    card = vendor.give(MIA, "GIFT", type="gift_card", value=Decimal(50), balance=Decimal(50))
    (voucher,) = provider.list_vouchers(MIA)
    spend = provider.spend(voucher_intent("GIFT", voucher.discount, cart("12.50")))
    assert (card.status, card.balance) == ("partially_redeemed", Decimal("37.5"))
    for _ in range(2):
        provider.release(spend)
    assert (card.status, card.balance) == ("claimed", 50)


@pytest.mark.parametrize("fault", ["withholds_answers", "delays_requests"])
def test_a_gift_card_that_was_used_elsewhere_too_gets_its_amount_back_once(
    provider: AntavoProvider, vendor: Served, fault: str
) -> None:
    card = vendor.give(MIA, "GIFT", type="gift_card", value=Decimal(50), balance=Decimal(40))
    (voucher,) = provider.list_vouchers(MIA)
    spend = provider.spend(voucher_intent("GIFT", voucher.discount, cart("12.50")))
    lose(vendor, fault, lambda: provider.release(spend))
    assert card.balance == 40


def test_a_coupon_that_is_seen_to_be_back_leaves_nothing_under_way(
    provider: AntavoProvider, vendor: Served, lose_answers: LoseAnswers
) -> None:
    vendor.give(MIA, "SPRING")
    spend = provider.spend(voucher_intent("SPRING"))
    with lose_answers("coupon_unredeem"), pytest.raises(OutcomeUnknown):
        provider.release(spend)
    provider.release(spend)
    assert erase_member("antavo", "acme", [MIA], "erased") > 0


@pytest.mark.parametrize(
    "fields",
    [{"minimum": Decimal(100)}, {"status": "redeemed"}, {"expires_at": YESTERDAY}, {"customer": LEO}],
)
def test_a_coupon_that_does_not_fit_is_refused_before_anything_is_sent(
    provider: AntavoProvider, vendor: Served, fields: dict[str, Any]
) -> None:
    vendor.give(MIA, "SPRING", **fields)
    with pytest.raises(Rejected):
        provider.spend(voucher_intent("SPRING"))
    assert not vendor.events("coupon_redeem")


def test_giving_back_a_coupon_that_is_already_usable_is_success(
    provider: AntavoProvider, vendor: Served
) -> None:
    coupon = vendor.give(MIA, "SPRING")
    spend = provider.spend(voucher_intent("SPRING"))
    coupon.status = "claimed"  # an operator gave it back in Antavo's own pages
    provider.release(spend)
    assert not vendor.events("coupon_unredeem")
