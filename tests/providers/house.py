"""Builders for the tests of the house program's rules."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from providers.base import ProviderConfig
from providers.house.codes import store_batches
from providers.house.ledger import adjust
from providers.house.models import Campaign, CodeBatch, EarnRule, Member, Reward, Tier
from providers.house.provider import HouseProvider
from providers.sales import Order, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, Discount, DiscountKind, Money

REF = "ACME-000001"


def build_house() -> HouseProvider:
    """The program acme: tiers Bronze 0 and Silver 500 (x1.5), one point a dollar, "$5 off" for 100."""
    Tier.objects.create(program="acme", name="Bronze", threshold=0)
    Tier.objects.create(program="acme", name="Silver", threshold=500, multiplier=Decimal("1.5"))
    EarnRule.objects.create(program="acme", points_per_unit=1)
    Reward.objects.create(
        program="acme", reward_id="five-off", title="$5 off", cost=100, kind="fixed", amount=Decimal(5)
    )
    return HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))


def build_member(ref: str = REF, points: int = 0, tier_points: int = 0) -> Member:
    member = Member.objects.create(program="acme", member_id=ref, email=f"{ref.lower()}@example.test")
    if points:
        reference = f"opening:{ref}"
        adjust("acme", ref, points, reference=reference, note="Opening balance", tier_points=tier_points)
        member.refresh_from_db()
    return member


def build_campaign(*codes: str, **fields: Any) -> Campaign:
    values = {"program": "acme", "campaign_id": "summer", "title": "$10 off", "kind": "fixed", "amount": 10}
    campaign = Campaign.objects.create(**(values | fields))
    if codes:
        build_batch(campaign, *codes)
    return campaign


def build_batch(campaign: Campaign, *codes: str) -> CodeBatch:
    batch = CodeBatch.objects.create(campaign=campaign, wanted=len(codes), imported="\n".join(codes))
    store_batches("acme", 60)
    return batch


def use_code(house: HouseProvider, key: str, code: str, ref: str = REF) -> Spend:
    voucher = house.find_voucher(ref, code)
    intent = build_intent(key, points=0, item_id=voucher.voucher_id, kind=SpendKind.VOUCHER, ref=ref)
    return house.spend(intent)


def build_intent(
    key: str = "key-1",
    *,
    points: int = 100,
    item_id: str = "five-off",
    kind: SpendKind = SpendKind.REWARD,
    ref: str = REF,
) -> SpendIntent:
    return SpendIntent(
        key=key,
        member_ref=ref,
        kind=kind,
        item_id=item_id,
        points=points,
        discount=Discount(kind=DiscountKind.FIXED, amount=usd("5.00")),
        cart=Cart(cart_id="cart-1", total=usd("80.00")),
        code="LOY-7Q2M",
        requested_at=datetime.now(UTC),
    )


def build_order(order_id: str = "order-1", base: str = "80.00", ref: str = REF) -> Order:
    return Order(
        order_id=order_id,
        external_id="100234",
        member_ref=ref,
        placed_at=datetime.now(UTC),
        earn_base=usd(base),
    )


def build_return(net: str, return_id: str = "return-1", order_id: str = "order-1") -> Return:
    return Return(
        return_id=return_id,
        order_id=order_id,
        member_ref=REF,
        returned_at=datetime.now(UTC),
        net=usd(net),
        order_earn_base=usd("80.00"),
    )


def usd(amount: str) -> Money:
    return Money(amount=Decimal(amount), currency="USD")
