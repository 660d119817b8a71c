"""The sample members, rewards and offers; they match the house program's sample."""

from dataclasses import replace
from decimal import Decimal

from loyaltyview.sandbox.vendors.antavo.state import Coupon, Customer, Reward, Workspace

CUSTOMERS = (
    ("acme000101", "ACME-000101", "Mia", "Stone", "mia@example.test", "+16175550100", 820),
    ("acme000102", "ACME-000102", "Leo", "Park", "leo@example.test", "+16175550101", 60),
    ("acme000103", "ACME-000103", "Ana", "Ruiz", "ana@example.test", "", 3150),
)

REWARDS = (
    Reward(reward_id="five-off", title="$5 off", points=100, coupon_type="amount", value=Decimal(5)),
    Reward(
        reward_id="free-shipping",
        title="Free shipping",
        points=150,
        coupon_type="free_shipping",
        description="For your next order in the web shop.",
    ),
    Reward(
        reward_id="ten-off",
        title="$10 off",
        points=200,
        coupon_type="amount",
        value=Decimal(10),
        minimum=Decimal(50),
        description="From a cart of $50.",
    ),
    Reward(reward_id="canvas-tote", title="Free canvas tote", points=300, type="physical", skus="TOTE-01"),
    Reward(
        reward_id="fifteen-percent", title="15% off", points=400, coupon_type="percentage", value=Decimal(15)
    ),
    Reward(
        reward_id="twenty-five-off", title="$25 off", points=1000, coupon_type="amount", value=Decimal(25)
    ),
    Reward(
        reward_id="gold-forty-off",
        title="Gold: $40 off",
        points=1200,
        coupon_type="amount",
        value=Decimal(40),
        segment="Gold",
        description="Our thanks to Gold members.",
    ),
)


def fill(workspace: Workspace) -> None:
    """Put the sample into an empty workspace."""
    workspace.tiers = [
        (0, "Bronze", Decimal(1)),
        (500, "Silver", Decimal("1.25")),
        (2000, "Gold", Decimal("1.5")),
    ]
    for customer_id, card, first, last, email, phone, points in CUSTOMERS:
        profile = {"first_name": first, "last_name": last, "email": email, "mobile_phone": phone}
        customer = Customer(customer_id=customer_id, profile=profile, cards=[card], score=points)
        customer.note("point_add", points)
        workspace.customers[customer_id] = customer
    workspace.rewards = {reward.reward_id: replace(reward) for reward in REWARDS}
    workspace.coupons["ANA-BIRTHDAY"] = Coupon(
        code="ANA-BIRTHDAY",
        customer="acme000103",
        type="amount",
        value=Decimal(10),
        name="$10 birthday voucher",
    )
    workspace.offers["socks-season"] = {
        "id": "socks-season",
        "name": "Sock season",
        "type": "item",
        "weight": 1,
        "min_total": 40,
        "max_total": None,
        "required_match": "any",
        "required_items": [],
        "eligible_match": "any",
        "eligible_items": [{"type": "product", "id": "SOCKS-01", "name": "Ribbed socks"}],
        "discount": {"type": "percent_discount", "value": 20, "target": "item"},
        "is_exclusive": False,
        "card_title": "20% off ribbed socks",
        "card_description": "From a cart of $40.",
    }
