"""The page of the points history: our redemptions in the vendor's list, months, balances, older lines."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from django.test import Client

from loyaltyview.programs.models import Store
from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview.timeline import isolated
from providers.errors import Unavailable
from providers.movements import Movement, MovementKind

from .conftest import Mint, Open, squeezed
from .fakes import FakeProvider, Vendor
from .test_redeem import form

NEW_YEAR = datetime(2027, 1, 1, 3, 30, tzinfo=UTC)  # still December in Boston


@pytest.fixture
def page(client: Client, open_page: Open, vendor: Vendor, newstore: Mint) -> str:
    page = open_page()
    client.get(page)
    return page


def text_of(client: Client, address: str, **headers: str) -> str:
    return squeezed(client.get(address, headers=headers).content.decode())


def listed(vendor: Vendor, *movements: Movement, spendable: int | None = None) -> None:
    vendor.movements = movements
    vendor.history_spendable = spendable


def test_a_redemption_of_ours_is_one_line_with_its_store_and_saving(
    client: Client, page: str, vendor: Vendor
) -> None:
    client.post(page + "redeem/", form("ten-off", "reward"))
    row = Redemption.objects.get()
    taken = Movement(
        at=row.requested_at + timedelta(seconds=2),
        points=-200,
        kind=MovementKind.REDEMPTION,
        title="Reserve points",
        spend_key=f"{row.pk.hex}-1",
    )
    earned = Movement(at=row.requested_at - timedelta(days=1), points=300, title="Birthday")
    listed(vendor, taken, earned, spendable=100)
    html = text_of(client, page + "history/")
    assert html.count("<li><span><bdi>") == 2
    for text in (isolated("$10 off"), "<bdi>Boston</bdi>", "<bdi>$10.00</bdi>saved", "-200", "+300"):
        assert text in html
    assert "Reserve points" not in html
    assert html.index("Balance<bdi>100</bdi>") < html.index("Balance<bdi>300</bdi>")


def test_a_list_that_does_not_add_up_shows_no_balance(client: Client, page: str, vendor: Vendor) -> None:
    listed(vendor, Movement(at=NEW_YEAR, points=300, title="Birthday"), spendable=90)
    assert "Balance" not in text_of(client, page + "history/")


def test_lines_are_grouped_by_the_months_of_the_store(client: Client, page: str, vendor: Vendor) -> None:
    store = Store.objects.get()
    store.time_zone = "America/New_York"
    store.save()
    listed(
        vendor,
        Movement(at=NEW_YEAR + timedelta(hours=2), points=1, title="New year"),
        Movement(at=NEW_YEAR, points=2, title="Fireworks"),
    )
    html = text_of(client, page + "history/")
    order = [html.index(text) for text in ("January 2027", "New year", "December 2026", "Fireworks")]
    assert order == sorted(order)


@pytest.mark.parametrize("step", [timedelta(0), timedelta(hours=1)], ids=["one moment", "hourly"])
def test_older_lines_follow_page_by_page_until_the_last(
    client: Client, page: str, vendor: Vendor, step: timedelta
) -> None:
    listed(
        vendor,
        *(
            Movement(at=NEW_YEAR - number * step, points=1, title=f"line {number:03}")
            for number in range(120)
        ),
        spendable=120,
    )
    seen, balances, address = [], [], page + "history/"
    while True:
        response = client.get(address)
        lines = [shown.line for month in response.context["months"] for shown in month.lines]
        seen += [line.text for line in lines]
        balances += [line.balance for line in lines]
        if not response.context["older"]:
            break
        address = f"{page}history/?{response.context['older']}"
    assert seen == [f"line {number:03}" for number in range(120)]
    assert balances == list(range(120, 0, -1))


def test_a_fragment_of_older_lines_names_a_month_once(client: Client, page: str, vendor: Vendor) -> None:
    listed(vendor, *(Movement(at=NEW_YEAR, points=1, title=f"line {number}") for number in range(60)))
    older = client.get(page + "history/").context["older"]
    assert "January 2027" not in text_of(client, f"{page}history/?{older}", **{"HX-Request": "true"})
    whole = text_of(client, f"{page}history/?{older}")
    assert "January 2027" in whole
    assert "Show the newest" in whole


@pytest.mark.parametrize("query", [{"until": "x", "skip": "1"}, {"until": "2026-01-01", "skip": "-1"}, {}])
def test_an_address_that_we_did_not_make_shows_the_newest(
    client: Client, page: str, vendor: Vendor, query: dict[str, str]
) -> None:
    listed(vendor, Movement(at=NEW_YEAR, points=1, title="Birthday"))
    assert "Birthday" in text_of(client, f"{page}history/?{urlencode(query)}")


def test_an_outage_is_said_on_the_older_pages_too(client: Client, page: str, vendor: Vendor) -> None:
    vendor.errors["get_history"] = Unavailable("timeout")
    assert 'data-error="PROVIDER_UNAVAILABLE"' in text_of(client, page + "history/")


def test_our_own_history_says_what_it_cannot_know(
    client: Client, page: str, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeProvider, "has_our_history", True)
    assert "What the program did by itself" in text_of(client, page + "history/")


def test_another_members_redemption_is_no_line(client: Client, page: str, vendor: Vendor) -> None:
    client.post(page + "redeem/", form("ten-off", "reward"))
    Redemption.objects.update(member_ref="L-00099", saving=Decimal("7.77"))
    listed(vendor)
    assert "7.77" not in text_of(client, page + "history/")
