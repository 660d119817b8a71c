"""The sample account: the sandbox's customers as members, and the rewards of the house's sample that Yotpo
can offer."""

from datetime import UTC, datetime
from decimal import Decimal

from loyaltyview.sandbox.vendors.yotpo.state import Books, Customer, HistoryItem, Option, Tier

TIERS = (("Bronze", 0, "1"), ("Silver", 500, "1.25"), ("Gold", 2000, "1.5"))
CUSTOM = 90211


def sample_books() -> Books:
    """Return new data. The shop knows Ana without an id; only Mia has a card."""
    joined = datetime(2025, 5, 1, tzinfo=UTC)
    options = (
        Option(id=90210, name="$5 off", amount=100, discount_type="generic_fixed_amount",
               discount_amount_cents=500),
        Option(id=90217, name="Free shipping", amount=150, discount_type="shipping",
               description="For your next order in the web shop."),
        Option(id=CUSTOM, name="$10 off", amount=200, discount_type="custom", discount_amount_cents=0,
               description="From a cart of $50.", codes=[f"TEN-{number:04}" for number in range(1, 41)]),
        Option(id=90212, name="Free canvas tote", amount=300, discount_type="product", variant_id="41512",
               description="Natural cotton, made to carry shoes home."),
        Option(id=90213, name="15% off", amount=400, discount_type="percentage", discount_percentage=15),
        Option(id=90214, name="$25 off", amount=1000, discount_type="generic_fixed_amount",
               discount_amount_cents=2500),
        Option(id=90216, name="Gold: $40 off", amount=1200, discount_type="generic_fixed_amount",
               discount_amount_cents=4000, description="Our thanks to Gold members.", tier="Gold"),
        Option(id=90215, name="Points for dollars", amount=0, discount_type="generic_variable",
               discount_rate_cents=5, description="20 points are $1."),
        Option(id=90218, name="Online: 5% off", amount=50, discount_type="percentage", discount_percentage=5,
               is_offline=False),
    )  # fmt: skip
    customers = (
        Customer(email="mia@example.test", first_name="Mia", last_name="Stone", phone_number="+16175550100",
                 third_party_id="SHOP-4411", pos_account_id="ACME-000101", points_balance=820,
                 points_earned=820, expires_on="2027-03-31"),
        Customer(email="leo@example.test", first_name="Leo", last_name="Park", phone_number="+16175550101",
                 points_balance=60, points_earned=60),
        Customer(email="ana@example.test", first_name="Ana", last_name="Ruiz", points_balance=3150,
                 points_earned=3150),
    )  # fmt: skip
    for customer in customers:
        customer.opted_in_at = joined
        customer.history = [HistoryItem(at=joined, action="Imported points", points=customer.points_balance)]
    return Books(
        customers=list(customers),
        options={option.id: option for option in options},
        tiers=[
            Tier(id=31 + number, name=name, points=points, multiplier=Decimal(multiplier))
            for number, (name, points, multiplier) in enumerate(TIERS)
        ],
    )
