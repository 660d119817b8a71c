"""The example vendor in the whole product: a tap, its code, the order that carries it, and a return."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from loyaltyview.events import earning
from loyaltyview.newstore.coupons import CouponRequest, MintedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions import saga
from loyaltyview.redemptions.commands import Actor, RedeemRequest
from loyaltyview.redemptions.models import State
from providers import registry
from providers.sales import SpendKind
from providers.types import Cart, Discount, DiscountKind, Money
from tests.events import deliveries
from tests.events.conftest import Deliver, Work, deliver, work  # noqa: F401 - fixtures
from tests.providers.stampcard.conftest import MIA, SECRET
from tests.providers.stampcard.server import Stampcard


@pytest.fixture
def program(program: Program, address: str, monkeypatch: pytest.MonkeyPatch) -> Program:
    """The program, with Stampcard registered as a vendor's line in the registry does it."""
    path = "tests.providers.stampcard.provider.StampcardProvider"
    monkeypatch.setitem(registry.PROVIDERS, "stampcard", path)
    program.provider_kind = "stampcard"
    program.provider_settings = {"base_url": address, "api_key": SECRET, "calls_per_minute": 6000}
    program.save()
    return program


def test_a_tap_an_order_and_a_return_move_the_stamps(
    program: Program,
    vendor: Stampcard,
    deliver: Deliver,  # noqa: F811
    work: Work,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def mint(_program: Program, _request: CouponRequest) -> MintedCode:
        return MintedCode(code=deliveries.CODE, expires_at=timezone.now() + timedelta(minutes=15))

    monkeypatch.setattr(saga, "mint_code", mint)
    monkeypatch.setattr(earning, "read_loyalty_id", lambda _program, _key: "")
    usd = Money(amount=Decimal("100.00"), currency="USD")
    tap = RedeemRequest(
        program=program,
        launch_id="launch-1",
        key="k-1",
        cart=Cart(cart_id="cart-1", total=usd),
        member_ref=MIA,
        kind=SpendKind.REWARD,
        item_id="coffee",
        title="Free coffee",
        points=100,
        discount=Discount(kind=DiscountKind.FIXED, amount=Money(amount=Decimal("5.00"), currency="USD")),
        saving=Money(amount=Decimal("5.00"), currency="USD"),
        actor=Actor(name="a-17", store_id="US_BOSTON_01", device_id="ipad-1"),
        is_final=False,
    )
    row = saga.redeem(tap)
    assert (row.state, row.code) == (State.REVEALED, deliveries.CODE)
    assert stamps(vendor) == 720

    assert deliver("order.opened", deliveries.order()) == 200
    assert deliver("order.completed", deliveries.completed()) == 200
    assert work()
    row.refresh_from_db()
    assert row.state == State.SETTLED
    assert stamps(vendor) == 720 + 90

    assert deliver("return.processed", deliveries.returned(45.0)) == 200
    assert work()
    assert stamps(vendor) == 720 + 45


def stamps(vendor: Stampcard) -> int:
    count: int = vendor.customers[MIA]["stamps"]
    return count
