"""Campaign codes at the till: who may use one, and who owns it afterwards."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.base import ProviderConfig
from providers.dates import last_moment
from providers.errors import Rejected, RejectReason
from providers.house.campaigns import find_code
from providers.house.models import (
    BatchState,
    CampaignCode,
    CodeBatch,
    Member,
    Voucher,
    VoucherState,
)
from providers.house.provider import HouseProvider
from providers.sales import SpendKind
from providers.types import Lock, LockReason
from tests.plans import plan_of
from tests.providers.house import REF, build_campaign, build_intent, build_member, build_order, usd, use_code

LEO = "ACME-000102"
NOW = datetime.now(UTC)


def why_not(house: HouseProvider, code: str, ref: str = REF) -> tuple[RejectReason, str]:
    with pytest.raises(Rejected) as caught:
        use_code(house, f"why-{code}-{ref}", code, ref)
    return caught.value.reason, caught.value.text


@pytest.mark.parametrize("typed", ["SUMMER-7Q2M", " summer 7q2m ", "Summer7Q2M"])
def test_a_code_is_found_in_any_spelling_and_looking_uses_nothing(
    house: HouseProvider, member: Member, typed: str
) -> None:
    build_campaign("SUMMER-7Q2M")
    voucher = house.find_voucher(REF, typed)
    assert (voucher.title, voucher.code, voucher.lock) == ("$10 off", "SUMMER-7Q2M", None)
    assert voucher.discount.amount == usd("10")
    assert CampaignCode.objects.get().member is None
    assert house.list_vouchers(REF) == ()


def test_the_first_member_who_uses_a_code_owns_it(house: HouseProvider, member: Member) -> None:
    build_member(LEO)
    build_campaign("SUMMER-7Q2M")
    spend = use_code(house, "key-1", "SUMMER-7Q2M")
    assert why_not(house, "SUMMER-7Q2M", LEO) == (RejectReason.NOT_ALLOWED, "Another member has it.")
    house.confirm(spend, build_order())
    assert why_not(house, "SUMMER-7Q2M", LEO)[0] is RejectReason.ALREADY_USED
    assert why_not(house, "SUMMER-7Q2M")[0] is RejectReason.ALREADY_USED


def test_an_undo_before_the_sale_frees_a_typed_code(house: HouseProvider, member: Member) -> None:
    build_member(LEO)
    build_campaign("SUMMER-7Q2M")
    spend = use_code(house, "key-1", "SUMMER-7Q2M")
    house.release(spend)
    assert use_code(house, "key-2", "SUMMER-7Q2M", LEO).is_held
    house.release(spend)
    assert Voucher.objects.get().member.member_id == LEO
    assert Voucher.objects.get().state == VoucherState.HELD


def test_goods_that_come_back_give_the_voucher_back_to_its_member(
    house: HouseProvider, member: Member
) -> None:
    build_campaign("SUMMER-7Q2M")
    spend = use_code(house, "key-1", "SUMMER-7Q2M")
    house.confirm(spend, build_order())
    house.release(spend)
    (voucher,) = house.list_vouchers(REF)
    assert voucher.code == "SUMMER-7Q2M"
    assert use_code(house, "key-2", "SUMMER-7Q2M").is_held


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ends_at": NOW - timedelta(days=1)}, RejectReason.EXPIRED),
        ({"is_active": False}, RejectReason.NOT_ALLOWED),
    ],
)
def test_a_code_says_why_it_cannot_be_used(
    house: HouseProvider, member: Member, fields: dict[str, Any], reason: RejectReason
) -> None:
    build_campaign("SUMMER-7Q2M", **fields)
    assert why_not(house, "SUMMER-7Q2M")[0] is reason


def test_a_code_before_its_campaign_begins_is_shown_locked(house: HouseProvider, member: Member) -> None:
    build_campaign("SUMMER-7Q2M", starts_at=NOW + timedelta(days=1))
    voucher = house.find_voucher(REF, "SUMMER-7Q2M")
    assert voucher.lock == Lock(reason=LockReason.NOT_STARTED)
    assert why_not(house, "SUMMER-7Q2M") == (RejectReason.NOT_ALLOWED, "Its campaign has not begun.")


def test_a_member_has_as_many_codes_as_the_campaign_allows(house: HouseProvider, member: Member) -> None:
    build_campaign("ONE", "TWO", "THREE", per_member=2)
    use_code(house, "key-1", "ONE")
    use_code(house, "key-2", "TWO")
    assert why_not(house, "THREE")[0] is RejectReason.LIMIT_REACHED


def test_codes_of_a_batch_are_valid_only_when_all_are_stored(house: HouseProvider, member: Member) -> None:
    build_campaign("SUMMER-7Q2M")
    CodeBatch.objects.update(state=BatchState.MAKING)
    assert why_not(house, "SUMMER-7Q2M")[0] is RejectReason.REWARD_NOT_FOUND


def test_a_voucher_keeps_what_the_campaign_promised(house: HouseProvider, member: Member) -> None:
    campaign = build_campaign("SUMMER-7Q2M", valid_days=5)
    house.confirm(spend := use_code(house, "key-1", "SUMMER-7Q2M"), build_order())
    campaign.amount = Decimal(1)
    campaign.save()
    house.release(spend)
    (voucher,) = house.list_vouchers(REF)
    assert voucher.discount.amount == usd("10")


@pytest.mark.parametrize("item_id", ["code-", "code-x", "code-9999", "code-\u0663", f"code-{'9' * 30}"])
def test_an_id_that_names_no_code_is_unknown(house: HouseProvider, member: Member, item_id: str) -> None:
    with pytest.raises(Rejected) as caught:
        house.spend(build_intent(points=0, item_id=item_id, kind=SpendKind.VOUCHER))
    assert caught.value.reason is RejectReason.REWARD_NOT_FOUND


def test_a_code_is_found_by_an_index(house: HouseProvider, member: Member) -> None:
    build_campaign("SUMMER-7Q2M")
    with CaptureQueriesContext(connection) as queries:
        find_code(member, "summer7q2m", "USD")
    plan = plan_of(queries.captured_queries[0]["sql"])
    by_key = ("(program=? AND key=?)", "house_one_code_per_spelling")
    assert any(text in plan for text in by_key), plan


def test_a_voucher_lasts_its_days_in_the_zone_of_the_program(member: Member) -> None:
    build_campaign("SUMMER-7Q2M", valid_days=5)
    config = ProviderConfig(program="acme", currency="USD", country="US", time_zone="America/New_York")
    house = HouseProvider(config)
    found = house.find_voucher(REF, "SUMMER-7Q2M")
    last_day = datetime.now(ZoneInfo("America/New_York")).date() + timedelta(days=5)
    assert found.expires_at == last_moment(last_day, "America/New_York")
    use_code(house, "key-1", "SUMMER-7Q2M")
    assert Voucher.objects.get().expires_at == found.expires_at


def test_a_code_of_a_campaign_comes_before_ones_own_that_only_looks_like_it(
    house: HouseProvider, member: Member
) -> None:
    build_campaign("PROMO-1X")
    Voucher.objects.create(
        program="acme", member=member, voucher_id="v1", title="Own", kind="fixed", amount=5, code="PROM0-1X"
    )
    assert house.find_voucher(REF, "promo 1x").title == "$10 off"
    assert house.find_voucher(REF, "PROM0-1X").title == "Own"
    assert house.find_voucher(REF, "PR0M0-1X").title == "Own"
