"""`house_load`: all of a file or nothing, and nothing the second time."""

import re
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from providers.base import ProviderConfig
from providers.house.models import Member, Multiplier, Reward, Tier
from providers.house.provider import HouseProvider
from providers.house.sample_file import DISCOUNT_KEYS, KEYS, SampleFileError, load_sample
from providers.types import Cart, EnrolmentField, LockReason
from tests.providers.house import usd

README = Path(__file__).resolve().parents[2] / "providers" / "house" / "README.md"
SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "house.toml"
pytestmark = pytest.mark.django_db

SMALL = """
program = "acme"
[[tiers]]
name = "Bronze"
threshold = 0
[[rewards]]
id = "five-off"
title = "$5 off"
cost = 100
kind = "fixed"
amount = 5
stock = 10
[[members]]
id = "ACME-000101"
email = "mia@example.test"
points = 820
consent_email = "yes"
"""


def run() -> str:
    out = StringIO()
    call_command("house_load", SAMPLE, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_date_lasts_its_day_in_the_zone_of_the_file() -> None:
    text = """
program = "acme"
time_zone = "Europe/Paris"

[[rewards]]
id = "five-off"
title = "$5 off"
kind = "fixed"
amount = 5
cost = 100
starts_at = 2026-11-01
ends_at = 2026-11-30
"""
    load_sample(text)
    reward = Reward.objects.get()
    assert reward.starts_at == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert reward.ends_at == datetime(2026, 11, 30, 23, tzinfo=UTC) - timedelta(microseconds=1)
    assert load_sample(text) == []
    with pytest.raises(SampleFileError, match="starts_at is a date, and the file names no time_zone"):
        load_sample(text.replace('time_zone = "Europe/Paris"', ""))
    with pytest.raises(SampleFileError, match="time_zone: must be such as"):
        load_sample(text.replace("Europe/Paris", "Mars"))


def test_the_sample_program_has_the_members_of_the_readme() -> None:
    run()
    house = HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))
    cart = Cart(cart_id="c", total=usd("80.00"))
    mia = house.get_member("ACME-000101")
    assert mia.tier
    assert (mia.balance.spendable, mia.tier.name) == (820, "Silver")
    locks = {reward.title: reward.lock for reward in house.list_rewards(mia.ref, cart)}
    assert [title for title, lock in locks.items() if lock is None] == [
        "Points as money",
        "$5 off",
        "$10 off",
        "Free canvas tote",
        "15% off",
    ]
    costly, gold, online = locks["$25 off"], locks["Gold: $40 off"], locks["Free shipping"]
    assert costly
    assert (costly.reason, costly.points_gap) == (LockReason.POINTS, 180)
    assert gold
    assert (gold.reason, gold.tier) == (LockReason.TIER, "Gold")
    assert online
    assert online.reason is LockReason.ONLINE_ONLY
    leo, ana = house.get_member("ACME-000102"), house.get_member("ACME-000103")
    assert leo.tier
    assert (leo.balance.spendable, leo.tier.name) == (60, "Bronze")
    assert ana.tier
    assert (ana.balance.spendable, ana.tier.name) == (3150, "Gold")
    assert [voucher.title for voucher in house.list_vouchers(ana.ref)] == ["$10 birthday voucher"]
    assert not Member.objects.filter(email="noor@example.test").exists()


def test_loading_twice_changes_nothing_the_second_time() -> None:
    assert "members ACME-000101: opening balance of 820 points" in run()
    assert run() == "Nothing to change\n"
    assert Member.objects.get(member_id="ACME-000101").spendable == 820


def test_a_changed_file_says_what_it_changed() -> None:
    load_sample(SMALL)
    assert load_sample(SMALL.replace("cost = 100", "cost = 120")) == ["rewards five-off: cost changed"]
    assert Reward.objects.get().cost == 120


def test_values_that_changed_by_use_are_not_reset() -> None:
    load_sample(SMALL)
    Reward.objects.update(stock=3)
    Member.objects.update(consent_email="no")
    assert load_sample(SMALL) == []
    assert Reward.objects.get().stock == 3
    assert Member.objects.get().consent_email == "no"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('program = "acme"', 'program = "acme"\ncolour = "red"', "the file: unknown key colour"),
        ('program = "acme"', "", "program: the slug"),
        ("stock = 10", "stocks = 10", "rewards five-off: unknown key stocks"),
        ("stock = 10", 'stock = "ten"', "rewards five-off: stock has the wrong type"),
        ("cost = 100", "", "rewards five-off: A cost"),
        ("amount = 5", "", "rewards five-off: An amount"),
        ('kind = "fixed"', 'kind = "magic"', "rewards five-off: .*magic"),
        ("stock = 10", 'tier = "Diamond"', "rewards five-off: there is no tier Diamond"),
        ("points = 820", "points = -1", "members ACME-000101: points must be"),
        ('id = "ACME-000101"', "", "members: id is missing"),
        ("[[tiers]]", "[tiers]", "tiers: must be a list of tables"),
        ("[[members]]", "[[members", "line 13"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_writes_nothing(old: str, new: str, message: str) -> None:
    with pytest.raises(SampleFileError, match=message):
        load_sample(SMALL.replace(old, new, 1))
    assert not Tier.objects.exists()


def test_a_file_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(CommandError, match=r"missing\.toml cannot be read"):
        call_command("house_load", "missing.toml")


RULES = """
program = "acme"
[earn]
points_per_unit = 1
inactivity_months = 12
[[earn.multipliers]]
name = "May"
factor = 2.5
category = "Scarves"
tier = "Silver"
starts_on = 2026-05-01
ends_on = 2026-05-31
stores = ["boston-1"]
[[categories]]
name = "Scarves"
products = ["SCARF-*"]
[[tiers]]
name = "Silver"
threshold = 500
benefits = "Free alterations"
"""


def test_a_file_has_multipliers_categories_and_benefits() -> None:
    assert load_sample(RULES) == [
        "tiers Silver: created",
        "categories Scarves: created",
        "earn: created",
        "earn.multipliers May: created",
    ]
    assert load_sample(RULES) == []
    assert load_sample(RULES.replace("2.5", "3")) == ["earn.multipliers May: factor changed"]
    multiplier = Multiplier.objects.get()
    assert (multiplier.factor, multiplier.starts_on, multiplier.stores) == (3, date(2026, 5, 1), ["boston-1"])


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('category = "Scarves"', 'category = "Hats"', "earn.multipliers May: there is no category Hats"),
        ('tier = "Silver"', 'tier = "Gold"', "earn.multipliers May: there is no tier Gold"),
        ("factor = 2.5", "factor = 101", "earn.multipliers May: .*100"),
        ("2026-05-31", "2026-04-30", "earn.multipliers May: The last day is before the first one"),
        ('["SCARF-*"]', "[]", "categories Scarves: .*Name at least one product id"),
        ("inactivity_months = 12", 'expires_on = "02-29"', "earn: Write month and day of every year"),
        (
            "inactivity_months = 12",
            "inactivity_months = 12\nexpiry_months = 1",
            "earn: Points expire in one way",
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_its_name(old: str, new: str, why: str) -> None:
    with pytest.raises(SampleFileError, match=why):
        load_sample(RULES.replace(old, new))
    assert not Multiplier.objects.exists()


CAMPAIGN = (
    SMALL
    + """
[[campaigns]]
id = "welcome"
title = "$10 off"
kind = "fixed"
amount = 10
codes = ["WELCOME-1", "WELCOME-2"]
[birthday]
campaign = "welcome"
[referral]
friend_campaign = "welcome"
referrer_points = 50
"""
)


def test_campaigns_codes_and_rewards_for_occasions_are_loaded_once() -> None:
    changes = load_sample(CAMPAIGN)
    assert "campaigns welcome: 2 codes stored" in changes
    assert {"birthday: created", "referral: created"} <= {change.split(",")[0] for change in changes}
    house = HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))
    assert house.find_voucher("ACME-000101", "welcome 2").title == "$10 off"
    assert house.enrolment_fields() == frozenset(EnrolmentField)
    assert load_sample(CAMPAIGN) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"WELCOME-2"', '"=1+1"', "campaigns welcome: =1+1: Only letters"),
        ('"WELCOME-2"', "2", "campaigns welcome: codes must be a list of texts"),
        ('campaign = "welcome"', 'campaign = "none"', "there is no campaign none"),
        ("referrer_points", "points", "referral: unknown key points"),
    ],
)
def test_a_wrong_campaign_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(SampleFileError, match=re.escape(message)):
        load_sample(CAMPAIGN.replace(old, new, 1))
    assert not Member.objects.exists()


@pytest.mark.parametrize("table", KEYS)
def test_the_readme_names_each_key_of_the_file(table: str) -> None:
    (line,) = (line for line in README.read_text().splitlines() if f"[{table}]" in line.partition("` |")[0])
    shared = set() if table == "rewards" else set(DISCOUNT_KEYS)
    assert [key for key in KEYS[table] if key not in shared and f"`{key}`" not in line] == []
