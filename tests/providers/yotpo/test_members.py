"""Look-up by exactly one identifier, balance and tier, history, enrolment."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import responses
from pytest_django import Settings

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from loyaltyview.sandbox.vendors.yotpo.state import HistoryItem
from loyaltyview.sandbox.vendors.yotpo.views import customer_json
from providers.errors import Rejected, RejectReason, Unavailable
from providers.types import Consents, MemberProfile, MemberQuery, QueryKind, Tier
from providers.yotpo import tiers
from providers.yotpo.client import Client
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import ANA, LEO, MIA, ref
from tests.providers.yotpo.conftest import Build

NOOR = MemberProfile(
    email="noor@example.test", phone="+16175550103", first_name="Noor", last_name="Haddad", store="boston-1"
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (QueryKind.EMAIL, "Mia@Example.test"),
        (QueryKind.PHONE, "+16175550100"),
        (QueryKind.MEMBER_ID, "SHOP-4411"),
        (QueryKind.CODE, "ACME-000101"),
    ],
)
def test_each_identifier_finds_the_member(provider: YotpoProvider, kind: QueryKind, value: str) -> None:
    (member,) = provider.find_members(MemberQuery(kind=kind, value=value))

    assert (member.first_name, member.email) == ("Mia", MIA)
    assert (member.ref, member.member_id) == ("id:SHOP-4411", "ACME-000101")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (QueryKind.MEMBER_ID, "shop-4411"),
        (QueryKind.MEMBER_ID, "SHOP- 4411"),
        (QueryKind.CODE, "acme\u2011000101"),
    ],
)
def test_an_id_finds_the_member_in_other_spellings(
    provider: YotpoProvider, kind: QueryKind, value: str
) -> None:
    (member,) = provider.find_members(MemberQuery(kind=kind, value=value))
    assert member.ref == "id:SHOP-4411"


def test_two_customers_whose_ids_differ_by_case_are_a_choice(provider: YotpoProvider, yotpo: Yotpo) -> None:
    mia, leo = yotpo.books.customers[:2]
    mia.pos_account_id, leo.pos_account_id = "FAMILY-1", "family-1"
    exact = provider.find_members(MemberQuery(kind=QueryKind.CODE, value="family-1"))
    both = provider.find_members(MemberQuery(kind=QueryKind.CODE, value="Family-1"))
    assert (len(exact), len(both)) == (1, 2)


def test_an_answer_for_somebody_else_is_nobody(provider: YotpoProvider, address: str, yotpo: Yotpo) -> None:
    # A vendor that matched loosely would show a stranger's points.
    with responses.RequestsMock() as vendor:
        vendor.get(f"{address}/customers", json=customer_json(yotpo.books, yotpo.books.customers[0]))
        assert provider.find_members(MemberQuery(kind=QueryKind.PHONE, value="+16175559999")) == ()


def test_a_ref_without_an_id_hides_the_email_and_is_always_the_same(provider: YotpoProvider) -> None:
    first, again = ref(provider, ANA), ref(provider, ANA)

    assert first == again
    assert ANA not in first
    assert provider.get_member(first).email == ANA


def test_a_ref_of_another_program_means_nobody(provider: YotpoProvider) -> None:
    stranger = YotpoProvider(replace(provider.config, program="other"))

    with pytest.raises(Rejected) as caught:
        stranger.get_member(ref(provider, ANA))
    assert caught.value.reason is RejectReason.MEMBER_NOT_FOUND


def test_old_keys_still_read_a_ref(provider: YotpoProvider, settings: Settings) -> None:
    old = ref(provider, ANA)
    new_key = "2sbLPzh4BgBv0WNIGZVnvKA4Sw1HUvZSNQjzVcvTcJo="
    settings.CREDENTIAL_KEYS = [new_key, *settings.CREDENTIAL_KEYS]

    assert provider.get_member(old).email == ANA


def test_tier_and_expiring_points_are_shown(provider: YotpoProvider, mia: str) -> None:
    member = provider.get_member(mia)

    assert member.tier is not None
    assert (member.tier.name, member.tier.next_name) == ("Silver", "Gold")
    assert (member.tier.threshold, member.tier.progress, member.tier.next_threshold) == (500, 820, 2000)
    (expiring,) = member.balance.expiring
    assert (expiring.points, expiring.at.date()) == (120, date(2027, 3, 31))


def test_the_highest_tier_has_no_next(provider: YotpoProvider) -> None:
    tier = provider.get_member(ref(provider, ANA)).tier

    assert tier is not None
    assert (tier.name, tier.next_name) == ("Gold", "")


@pytest.mark.parametrize(("rule", "unit", "progress"), [("all", "USD", "100"), ("any", "points", "1900")])
def test_a_tier_by_points_and_money_shows_the_threshold_that_decides(
    build: Build, monkeypatch: pytest.MonkeyPatch, rule: str, unit: str, progress: str
) -> None:
    above = {"points_earned": 2000, "amount_spent_cents": 50000}
    needed = {"points_needed": 100, "amount_cents_needed": 40000}
    provider = build(tier_rule=rule)
    record = {
        "vip_tier_name": "Silver", "vip_tier_upgrade_requirements": needed, "points_balance": 1, "email": MIA
    }  # fmt: skip
    listed = [{"name": "Silver", "entry_threshold": {}}, {"name": "Gold", "entry_threshold": above}]
    monkeypatch.setattr(tiers, "list_tiers", lambda _client: listed)
    tier = tiers.tier_of(provider.client, record)

    assert tier is not None
    assert (tier.unit, tier.progress) == (unit, Decimal(progress))


def test_tiers_that_cannot_be_read_leave_the_name(
    provider: YotpoProvider, mia: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(client: Client) -> None:
        raise Unavailable("list_tiers: 503")

    monkeypatch.setattr(tiers, "list_tiers", fail)

    assert provider.get_member(mia).tier == Tier(name="Silver")


def test_history_is_in_words_and_without_codes_or_marks(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    customer = yotpo.books.customers[0]
    at = datetime(2026, 11, 1, tzinfo=UTC)
    customer.history += [
        HistoryItem(at=at, action="$5 off", points=-100, status="LOY-1"),
        HistoryItem(at=at, action="Reward returned [7d1b5a3c9e4f-1]", points=100),
        HistoryItem(at=at, action="", points=0, status="40%"),
    ]

    texts = [line.text for line in provider.get_history(mia).movements]

    assert texts == ["Points", "Reward returned", "Redeemed: $5 off", "Imported points"]


def test_enrolment_makes_one_member_with_points_to_come(provider: YotpoProvider, yotpo: Yotpo) -> None:
    first = provider.enrol(NOOR, Consents())
    again = provider.enrol(NOOR, Consents())

    assert first == again
    (customer,) = [each for each in yotpo.books.customers if each.email == NOOR.email]
    assert (customer.first_name, customer.phone_number) == ("Noor", "+16175550103")
    assert customer.opt_in
    assert customer.third_party_id


def test_a_platform_gives_its_own_customer_ids(build: Build, yotpo: Yotpo) -> None:
    member = build(platform="shopify").enrol(NOOR, Consents())

    assert yotpo.books.customers[-1].third_party_id is None
    assert member.ref.startswith("m:")


def test_enrolling_a_member_again_keeps_the_profile(provider: YotpoProvider, yotpo: Yotpo) -> None:
    by_email = provider.enrol(MemberProfile(email=MIA, first_name="Eve"), Consents())
    by_phone = provider.enrol(MemberProfile(email="eve@example.test", phone="+16175550100"), Consents())

    assert by_email.ref == by_phone.ref
    assert yotpo.books.customers[0].first_name == "Mia"
    assert len(yotpo.books.customers) == 3


def test_a_phone_alone_is_not_enough_to_enrol(provider: YotpoProvider) -> None:
    with pytest.raises(Rejected) as caught:
        provider.enrol(MemberProfile(phone="+16175550103"), Consents())
    assert caught.value.reason is RejectReason.INVALID_INPUT


def test_a_new_member_is_waited_for(provider: YotpoProvider, yotpo: Yotpo, pauses: list[float]) -> None:
    yotpo.hidden_reads = 2

    assert provider.enrol(NOOR, Consents()).first_name == "Noor"
    assert pauses == [0.2, 0.4]


@pytest.mark.parametrize("platform", ["generic", "shopify"])
def test_a_new_member_whom_yotpo_does_not_find_yet_has_a_page(
    build: Build, yotpo: Yotpo, platform: str
) -> None:
    provider = build(platform=platform)
    yotpo.hidden_reads = 10

    member = provider.enrol(NOOR, Consents())
    seen = provider.get_member(member.ref)

    assert (member.email, member.balance.spendable) == (NOOR.email, 0)
    assert (seen.ref, seen.balance.spendable) == (member.ref, 0)
    yotpo.books.customers[-1].hidden_reads = 0
    assert provider.get_member(member.ref).first_name == "Noor"


def test_where_opt_in_is_required_a_customer_without_it_enrols(build: Build, yotpo: Yotpo) -> None:
    provider = build(requires_opt_in=True)
    leo = yotpo.books.customers[1]
    leo.opt_in = False
    query = MemberQuery(kind=QueryKind.EMAIL, value=LEO)

    assert provider.find_members(query) == ()
    provider.enrol(MemberProfile(email=LEO, first_name="Leonard"), Consents())

    assert [member.first_name for member in provider.find_members(query)] == ["Leo"]
