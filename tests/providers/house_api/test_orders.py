"""Orders, returns and cancellations, each once by its id."""

from dataclasses import replace

import pytest

from providers.base import ProviderConfig
from providers.house.merging import merge_members
from providers.house.models import Member
from providers.house.provider import HouseProvider
from tests.providers.house import build_member, build_order
from tests.providers.house_api.conftest import Shop, mem, order_of, reservation_of, return_of


def points(member: Member) -> int:
    member.refresh_from_db()
    return member.spendable


@pytest.fixture
def till() -> HouseProvider:
    return HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))


def test_an_order_earns_once_and_a_repeat_gets_the_first_answer(shop: Shop, mia: Member) -> None:
    first = shop.post("orders", order_of(mia))
    assert first == {"order_id": "W-1", "points": 80}
    again = order_of(mia, placed_at="2026-05-04T14:30:00+02:00", total="80.00")
    again["total"] = {"amount": "80", "currency": "USD"}  # the same amount and moment, said otherwise
    assert shop.post("orders", again) == first
    assert points(mia) == 330


@pytest.mark.parametrize("other", [{"total": "81.00"}, {"placed_at": "2026-05-05T12:30:00Z"}])
def test_other_content_under_the_same_id_is_refused(shop: Shop, mia: Member, other: dict[str, str]) -> None:
    shop.post("orders", order_of(mia))
    assert shop.post("orders", order_of(mia, **other))["code"] == "id_used"  # type: ignore[arg-type]
    assert (shop.status, points(mia)) == (409, 330)


def test_an_order_of_another_member_is_refused(shop: Shop, mia: Member, till: HouseProvider) -> None:
    other = build_member("ACME-000002")
    till.record_order(build_order("W-1", ref="ACME-000002"))
    assert shop.post("orders", order_of(mia))["code"] == "other_member"
    assert shop.post("returns", return_of(mia))["code"] == "other_member"
    assert shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})["code"] == "other_member"
    assert (points(mia), points(other)) == (250, 80)


@pytest.mark.parametrize("first", ["till", "shop"])
def test_an_order_that_newstore_reports_too_earns_once(
    shop: Shop, mia: Member, till: HouseProvider, first: str
) -> None:
    event = replace(build_order("5f0c"), external_id="W-1")
    if first == "till":
        till.record_order(event)
    assert shop.post("orders", order_of(mia))["points"] == 80
    till.record_order(event)
    till.record_order(build_order("W-1"))
    assert points(mia) == 330


def test_returns_take_back_in_proportion_and_once(shop: Shop, mia: Member) -> None:
    shop.post("orders", order_of(mia))
    for _ in range(2):
        answer = shop.post("returns", return_of(mia))
        assert answer == {"return_id": "R-1", "order_id": "W-1", "points": -30}
    assert shop.post("returns", return_of(mia, total="31.00"))["code"] == "id_used"
    rest = shop.post("returns", return_of(mia, "R-2", "0.00", is_complete=True))
    assert (rest["points"], points(mia)) == (-50, 250)


def test_a_return_before_its_order_lets_it_earn_less(shop: Shop, mia: Member) -> None:
    assert shop.post("returns", return_of(mia))["points"] == 0
    for _ in range(2):
        assert shop.post("orders", order_of(mia))["points"] == 50
    assert points(mia) == 300


def test_an_order_that_was_cancelled_before_it_came_earns_nothing(shop: Shop, mia: Member) -> None:
    shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})
    assert shop.post("orders", order_of(mia))["points"] == 0
    assert points(mia) == 250


def test_a_cancelled_order_gives_back_what_it_spent_and_earned(shop: Shop, mia: Member) -> None:
    reservation = shop.post("reservations", reservation_of(mia))["reservation"]
    shop.post(f"reservations/{reservation}/confirm", {"order_id": "W-1"})
    shop.post("orders", order_of(mia))
    assert points(mia) == 230
    for _ in range(2):
        cancelled = shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})
        assert cancelled == {"order_id": "W-1", "points": -80}
    assert points(mia) == 250
    assert shop.get(f"reservations/{reservation}")["state"] == "released"


def test_a_cancellation_gives_nothing_back_to_another_member(shop: Shop, mia: Member) -> None:
    leo = build_member("ACME-000002", points=100)
    path = f"reservations/{shop.post('reservations', reservation_of(leo))['reservation']}"
    shop.post(f"{path}/confirm", {"order_id": "W-1"})
    shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})
    assert shop.get(path)["state"] == "confirmed"
    assert points(leo) == 0


def test_lines_add_up_to_the_total(shop: Shop, mia: Member) -> None:
    line = {"line_id": "1", "product_id": "TOTE-01", "quantity": 2, "total": "79.99"}
    refused = shop.post("orders", order_of(mia, lines=[line]))
    assert (shop.status, refused["errors"][0]["field"]) == (422, "lines")
    line["total"] = "80.00"
    assert shop.post("orders", order_of(mia, lines=[line]))["points"] == 80


def test_an_order_of_a_card_that_was_merged_since_is_still_the_members(
    shop: Shop, mia: Member, till: HouseProvider
) -> None:
    old = build_member("ACME-000002")
    first = shop.post("orders", order_of(old))
    merge_members("acme", "ACME-000001", "ACME-000002", actor="ada", reason="two cards")
    assert shop.post("orders", order_of(old)) == first
    assert shop.post("returns", return_of(old))["points"] == -30
    assert shop.post("returns", return_of(mia, "R-2"))["points"] == -30
    assert points(mia) == 270
