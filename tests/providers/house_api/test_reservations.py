"""Rewards, points and vouchers for a web cart: reserved, confirmed, released, expired."""

from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from django.utils import timezone

from providers.base import ProviderConfig
from providers.house.api.models import Report, Reservation
from providers.house.models import Hold, Member, Reward, Voucher
from providers.house.provider import HouseProvider
from tests.providers.house import build_campaign, build_intent, build_member
from tests.providers.house_api.conftest import Shop, mem, order_of, reservation_of


@pytest.fixture
def house() -> HouseProvider:
    return HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))


def balance(member: Member) -> tuple[int, int]:
    member.refresh_from_db()
    return member.spendable, member.reserved


def test_a_reward_is_reserved_once_by_key(shop: Shop, mia: Member) -> None:
    first = shop.post("reservations", reservation_of(mia))
    assert first == shop.post("reservations", reservation_of(mia))
    assert (first["state"], first["title"], first["order_id"]) == ("reserved", "$5 off", None)
    assert first["discount"]["amount"] == {"amount": "5.00", "currency": "USD"}
    assert shop.get(f"reservations/{first['reservation']}") == first
    assert balance(mia) == (150, 100)


@pytest.mark.parametrize("other", [{"item_id": "pay"}, {"points": 50}, {"kind": "voucher"}])
def test_a_key_with_other_content_is_refused(shop: Shop, mia: Member, other: dict[str, object]) -> None:
    shop.post("reservations", reservation_of(mia))
    assert shop.post("reservations", reservation_of(mia, **other))["code"] == "id_used"
    assert balance(mia) == (150, 100)


def test_a_key_of_another_member_is_refused(shop: Shop, mia: Member) -> None:
    shop.post("reservations", reservation_of(mia))
    other = build_member("ACME-000002", points=100)
    assert shop.post("reservations", reservation_of(other))["code"] == "id_used"
    assert balance(other) == (100, 0)


def test_it_is_confirmed_with_the_order_and_only_with_that_one(shop: Shop, mia: Member) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    for _ in range(2):
        confirmed = shop.post(f"{path}/confirm", {"order_id": "W-1"})
        assert (confirmed["state"], confirmed["order_id"]) == ("confirmed", "W-1")
    assert shop.post(f"{path}/confirm", {"order_id": "W-2"})["code"] == "reservation_confirmed"
    assert balance(mia) == (150, 0)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_what_is_released_comes_back_once(shop: Shop, mia: Member, is_confirmed: bool) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    if is_confirmed:
        shop.post(f"{path}/confirm", {"order_id": "W-1"})
    for _ in range(2):
        assert shop.post(f"{path}/release")["state"] == "released"
    assert balance(mia) == (250, 0)
    assert shop.post(f"{path}/confirm", {"order_id": "W-1"})["code"] == "reservation_closed"
    assert shop.post("reservations", reservation_of(mia))["code"] == "reservation_closed"


def test_an_order_that_was_cancelled_before_takes_nothing(shop: Shop, mia: Member) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})
    assert shop.post(f"{path}/confirm", {"order_id": "W-1"})["code"] == "reservation_closed"
    assert shop.get(path)["state"] == "released"
    assert balance(mia) == (250, 0)


def test_a_cancelled_order_gives_back_nothing_of_another_order(shop: Shop, mia: Member) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    shop.post(f"{path}/confirm", {"order_id": "W-2"})
    shop.post("cancellations", {"order_id": "W-1", "member": mem(mia)})
    assert shop.post(f"{path}/confirm", {"order_id": "W-1"})["code"] == "reservation_confirmed"
    assert (shop.get(path)["state"], balance(mia)) == ("confirmed", (150, 0))


def test_a_cancellation_of_another_member_closes_no_reservation(shop: Shop, mia: Member) -> None:
    leo = build_member("ACME-000002", points=100)
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    shop.post("cancellations", {"order_id": "W-1", "member": mem(leo)})
    assert shop.post(f"{path}/confirm", {"order_id": "W-1"})["state"] == "confirmed"


def test_the_worker_releases_what_has_expired_and_nothing_else(
    shop: Shop, mia: Member, house: HouseProvider
) -> None:
    names = [
        shop.post("reservations", reservation_of(mia, key, minutes=minutes))["reservation"]
        for key, minutes in (("short", 5), ("long", 60))
    ]
    assert balance(mia) == (50, 200)
    with time_machine.travel(timezone.now() + timedelta(minutes=6)):
        house.maintain()
        assert [shop.get(f"reservations/{name}")["state"] for name in names] == ["expired", "reserved"]
        assert (
            shop.post(f"reservations/{names[0]}/confirm", {"order_id": "W"})["code"] == "reservation_closed"
        )
    assert balance(mia) == (150, 100)


def test_a_confirmed_reservation_never_expires(shop: Shop, mia: Member, house: HouseProvider) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    shop.post(f"{path}/confirm", {"order_id": "W-1"})
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        house.maintain()
        assert shop.get(path)["state"] == "confirmed"
    assert balance(mia) == (150, 0)


def test_points_as_money_are_worth_what_the_interface_says(shop: Shop, mia: Member) -> None:
    Reward.objects.create(
        program="acme", reward_id="pay", title="Pay", kind="points",
        points_min=100, points_max=1000, points_step=1, value_per_point=Decimal("0.0125"),
    )  # fmt: skip
    item = {"kind": "points", "item_id": "pay", "points": 101}
    reserved = shop.post("reservations", reservation_of(mia, **item))
    assert reserved["discount"]["amount"] == {"amount": "1.26", "currency": "USD"}
    refused = shop.post("reservations", reservation_of(mia, "cart-2", **{**item, "points": 99}))
    assert (shop.status, refused["code"]) == (409, "not_allowed")


@pytest.mark.parametrize("kind", ["fixed", "online_only"])
def test_a_voucher_is_used_once(shop: Shop, mia: Member, kind: str) -> None:
    Voucher.objects.create(
        program="acme", member=mia, voucher_id="v1", title="V", kind=kind,
        amount=Decimal(5) if kind == "fixed" else None,
    )  # fmt: skip
    item = {"kind": "voucher", "item_id": "v1", "points": 0}
    path = f"reservations/{shop.post('reservations', reservation_of(mia, **item))['reservation']}"
    assert shop.post("reservations", reservation_of(mia, "cart-2", **item))["code"] == "already_used"
    shop.post(f"{path}/confirm", {"order_id": "W-1"})
    assert Voucher.objects.get().state == "used"
    shop.post(f"{path}/release")
    assert Voucher.objects.get().state == "open"


def test_a_code_lasts_as_long_as_its_search_says(shop: Shop, mia: Member) -> None:
    build_campaign("CODE-77QQ", valid_days=3)
    found = shop.post(f"members/{mem(mia)}/vouchers/search", {"code": "code77qq"})
    item = {"kind": "voucher", "item_id": found["voucher_id"], "points": 0}
    shop.post("reservations", reservation_of(mia, **item))
    expires = Voucher.objects.get().expires_at
    assert expires is not None
    assert expires.isoformat()[:23] == found["expires_at"][:23]


@pytest.mark.parametrize(
    ("change", "code", "gap"),
    [
        ({"points": 100, "item_id": "big"}, "price_changed", None),
        ({"points": 900, "item_id": "big"}, "insufficient_points", 650),
        ({"item_id": "none"}, "reward_not_found", None),
        ({"kind": "voucher", "item_id": "none", "points": 0}, "reward_not_found", None),
        ({"kind": "points"}, "not_allowed", None),
    ],
)
def test_the_refusals_are_those_of_the_till(
    shop: Shop, mia: Member, change: dict[str, object], code: str, gap: int | None
) -> None:
    Reward.objects.create(program="acme", reward_id="big", title="Big", cost=900, kind="percent", percent=20)
    refused = shop.post("reservations", reservation_of(mia, **change))
    assert (refused["code"], refused.get("points_gap")) == (code, gap)
    assert balance(mia) == (250, 0)


def test_what_a_till_spent_is_no_reservation(shop: Shop, mia: Member, house: HouseProvider) -> None:
    house.spend(build_intent("cart-1"))
    assert shop.get("reservations/res_1")["code"] == "reservation_not_found"
    shop.post("reservations", reservation_of(mia))
    assert (Hold.objects.count(), balance(mia)) == (2, (50, 200))


def test_closed_rows_are_deleted_later_and_change_no_balance(shop: Shop, mia: Member) -> None:
    path = f"reservations/{shop.post('reservations', reservation_of(mia))['reservation']}"
    shop.post("orders", order_of(mia))
    tomorrow = timezone.now() + timedelta(days=1)
    assert HouseProvider.forget_old(tomorrow) == 1  # the report; the reservation is open
    shop.post(f"{path}/release")
    assert HouseProvider.forget_old(tomorrow) == 1
    assert not Report.objects.exists()
    assert not Reservation.objects.exists()
    assert shop.post("orders", order_of(mia))["points"] == 80
    assert balance(mia) == (330, 0)
