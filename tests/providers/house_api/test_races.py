"""Till and web shop at once, with real threads. SQLite has one writer at a time and would prove nothing."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from providers.base import ProviderConfig
from providers.errors import Rejected
from providers.house.api import reservations
from providers.house.api.models import Reservation
from providers.house.models import Entry, Hold, Member
from providers.house.provider import HouseProvider
from tests.providers.house import build_intent, build_order
from tests.providers.house_api.conftest import Shop, order_of, reservation_of

AT_ONCE = 6
pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def till() -> HouseProvider:
    return HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))


def at_once(call: Callable[[int], object]) -> list[object]:
    barrier = Barrier(AT_ONCE)

    def run(number: int) -> object:
        try:
            barrier.wait(10)
            return call(number)
        except Rejected as error:
            return error.reason
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def test_till_and_web_shop_never_spend_the_same_points(shop: Shop, mia: Member, till: HouseProvider) -> None:
    def spend(number: int) -> str:
        if number % 2:
            return "till" if till.spend(build_intent(f"key-{number}")).is_held else ""
        answer = Shop(shop.key).post("reservations", reservation_of(mia, f"cart-{number}"))
        return str(answer.get("state", answer.get("code")))

    answers = Counter(map(str, at_once(spend)))
    assert answers["till"] + answers["reserved"] == 2
    assert answers["INSUFFICIENT_POINTS"] + answers["insufficient_points"] == AT_ONCE - 2
    mia.refresh_from_db()
    assert (mia.spendable, mia.reserved) == (50, 200)


def test_the_same_cart_sent_at_once_is_one_reservation(shop: Shop, mia: Member) -> None:
    answers = at_once(lambda _: Shop(shop.key).post("reservations", reservation_of(mia))["reservation"])
    assert len(set(answers)) == 1
    assert Hold.objects.count() == 1


def test_the_same_order_reported_at_once_earns_once(shop: Shop, mia: Member, till: HouseProvider) -> None:
    def report(number: int) -> object:
        if number == 0:
            return till.record_order(build_order("W-1")).points
        return Shop(shop.key).post("orders", order_of(mia))["points"]

    assert set(at_once(report)) == {80}
    assert Entry.objects.filter(kind="earn").count() == 1


def test_a_reservation_is_confirmed_or_expires_never_both(shop: Shop, mia: Member) -> None:
    name = shop.post("reservations", reservation_of(mia))["reservation"]
    later = timezone.now() + timedelta(hours=1)

    def confirm_or_expire(number: int) -> object:
        if number % 2:
            return reservations.expire_all("acme", later)
        return Shop(shop.key).post(f"reservations/{name}/confirm", {"order_id": "W-1"}).get("state")

    answers = at_once(confirm_or_expire)
    mia.refresh_from_db()
    is_confirmed = "confirmed" in answers
    assert (mia.spendable, mia.reserved) == ((150, 0) if is_confirmed else (250, 0))
    assert answers.count(1) == (0 if is_confirmed else 1)
    assert Reservation.objects.get().has_expired is not is_confirmed
