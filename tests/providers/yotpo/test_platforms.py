"""Which status is sent on each platform. The tables are those of Yotpo's page "Store Associate Managed
Loyalty (POS loyalty interface)", support.yotpo.com, as docs/contracts/yotpo.md 9.3 has them."""

import re
from pathlib import Path
from typing import Any

import pytest

from loyaltyview.programs.forms import field_name, setting_fields
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import SettingsError
from providers.yotpo.platforms import BIGCOMMERCE_STATUSES, PLATFORMS, SFCC_CODES
from providers.yotpo.provider import YotpoProvider
from providers.yotpo.settings import Settings
from tests.providers.yotpo.build import make_intent, make_order, points_of
from tests.providers.yotpo.conftest import Build

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "contracts" / "yotpo.md").read_text()

# Platform, the choice of the program, what Yotpo's table says to send, and what must not earn.
TABLE = [
    ("generic", {}, "paid", "open"),
    ("generic", {"order_status": "done", "open_order_status": "new"}, "done", "new"),
    ("generic", {"names": {"open_status": "pending"}}, "paid", "pending"),
    ("magento", {}, "paid", "open"),
    ("magento", {"order_status": "complete"}, "complete", "open"),
    ("shopify", {}, "", ""),
    ("bigcommerce", {}, "completed", "awaitingpayment"),
    *(
        ("bigcommerce", {"bigcommerce_status": status}, status, "awaitingpayment")
        for status in (
            "awaitingfulfillment",
            "awaitingshipment",
            "awaitingpickup",
            "partiallyshipped",
            "shipped",
        )
    ),
    ("sfcc", {}, "5", "4"),
    ("sfcc", {"sfcc_status": "COMPLETED"}, "5", "4"),
    ("sfcc", {"sfcc_status": "CREATED"}, "0", "5"),
    ("sfcc", {"sfcc_status": "NEW"}, "3", "5"),
    ("sfcc", {"sfcc_status": "OPEN"}, "4", "5"),
]


def settings(**given: Any) -> Settings:
    return Settings.read(YotpoProvider.validate_settings({"guid": "g", "api_key": "k", **given}))


def row_of(platform: str) -> str:
    """Return what the page's table says of the platform."""
    table = PAGE.partition("### 9.3 Status\n")[2].partition("\n#")[0]
    return next(line for line in table.splitlines() if line.lower().startswith(f"| {platform}"))


@pytest.mark.parametrize(("platform", "chosen", "earning", "open_"), TABLE)
def test_the_status_is_that_of_yotpos_table(
    platform: str, chosen: dict[str, Any], earning: str, open_: str
) -> None:
    found = settings(platform=platform, **chosen)

    assert (found.earning_status, found.open_status) == (earning, open_)


def test_the_choices_are_those_of_yotpos_tables() -> None:
    assert set(re.findall(r"`([a-z]+)`", row_of("bigcommerce"))) == {*BIGCOMMERCE_STATUSES, "awaitingpayment"}
    assert dict(re.findall(r"`(\d)` ([A-Z]+)", row_of("salesforce"))) == {
        code: name for name, code in SFCC_CODES.items()
    }


@pytest.mark.parametrize(
    ("rule", "chosen"),
    [
        ("5", "COMPLETED"),
        ("0", "CREATED"),
        ("[03]", "CREATED"),
        ("[034]", "CREATED"),
        ("3", "NEW"),
        ("4", "OPEN"),
    ],
)
def test_under_every_rule_of_salesforce_an_order_earns_once_and_its_open_one_never(
    build: Build, yotpo: Yotpo, mia: str, rule: str, chosen: str
) -> None:
    """The open status was 4 once, which the rule "CREATED, NEW or OPEN" lets earn."""
    yotpo.orders.status_regex, yotpo.orders.repeats = rule, "updated"
    provider = build(platform="sfcc", sfcc_status=chosen, order_sending="open_and_paid")
    spend = provider.spend(make_intent(mia))
    provider.confirm(spend, make_order(mia, spend))
    assert points_of(provider, mia) == (720, 0)

    provider.record_order(make_order(mia, spend))

    assert points_of(provider, mia) == (720 + 100, 0)


@pytest.mark.parametrize(
    ("given", "key", "problem"),
    [
        ({"platform": "bigcommerce", "order_status": "done"}, "order_status", "use bigcommerce_status"),
        ({"platform": "sfcc", "order_status": "5"}, "order_status", "use sfcc_status"),
        ({"platform": "shopify", "order_status": "paid"}, "order_status", "none is sent"),
        (
            {"platform": "bigcommerce", "bigcommerce_status": "paid"},
            "bigcommerce_status",
            "must be completed",
        ),
        ({"platform": "sfcc", "sfcc_status": "5"}, "sfcc_status", "must be COMPLETED"),
        ({"open_order_status": "paid"}, "open_order_status", "must not be the status that earns"),
    ],
)
def test_a_status_that_is_not_the_platforms_is_refused(given: dict[str, str], key: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(**given)

    assert caught.value.key == key
    assert problem in caught.value.problem


def test_admin_offers_the_tables_as_choices_and_says_them_in_words() -> None:
    fields = setting_fields()

    def choices(setting: str) -> tuple[str, ...]:
        return tuple(value for value, _label in fields[field_name("yotpo", setting)].choices)  # type: ignore[attr-defined]

    assert choices("platform") == PLATFORMS
    assert choices("bigcommerce_status") == BIGCOMMERCE_STATUSES
    assert choices("sfcc_status") == ("COMPLETED", "CREATED", "NEW", "OPEN")
    help_ = str(fields[field_name("yotpo", "platform")].help_text)
    for word in (*PLATFORMS, *BIGCOMMERCE_STATUSES, *SFCC_CODES, *SFCC_CODES.values()):
        assert word in help_
