"""The sample merchant: Acme's stores, rewards and customers. All of it is invented."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    public_id: str
    slug: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reward:
    """`value` is in cents or percent; `external_id` lists SKUs, also those of other partners. `only_store` is
    a slug, `only_tag` a tag of the customers it is for."""

    reward_id: str
    name: str
    type: str
    points: int
    description: str = ""
    value: int | None = None
    external_id: str | None = None
    min_order_amount: int | None = None
    only_store: str = ""
    only_tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A sample customer; `owned` are ids of the rewards that the customer has won."""

    customer_id: str
    first_name: str
    last_name: str
    phone: str
    email: str | None
    points: int
    sms: bool | None = None
    mail: bool | None = None
    tags: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    pin: str | None = None


MERCHANT = {"id": "mer_0acme00001", "name": "Acme Clothing"}

STORES = (
    Store(public_id="sto_0b05700001", slug="boston-1", name="Acme Boston"),
    Store(public_id="sto_0ca3b00001", slug="cambridge-1", name="Acme Cambridge"),
)

REWARDS = (
    Reward(reward_id="rew_0000000501", name="$5 off", type="voucher_amount", points=100, value=500),
    Reward(
        reward_id="rew_0000001001",
        name="$10 off",
        type="voucher_amount",
        points=200,
        description="From a cart of $50.",
        value=1000,
        min_order_amount=5000,
    ),
    Reward(
        reward_id="rew_0000070701",
        name="Free canvas tote",
        type="free_product",
        points=300,
        description="Natural cotton, made to carry shoes home.",
        external_id="OTHERPOS-77, TOTE-01",
    ),
    Reward(
        reward_id="rew_0000070702",
        name="Free shirt or socks",
        type="free_product",
        points=250,
        description="The customer chooses one of the cart.",
        external_id="SHIRT-01, SOCKS-01, OTHERPOS-78",
    ),
    Reward(reward_id="rew_0000001501", name="15% off", type="voucher_percentage", points=400, value=15),
    Reward(reward_id="rew_0000002501", name="$25 off", type="voucher_amount", points=1000, value=2500),
    Reward(reward_id="rew_0000c0ffee", name="Coffee in our bar", type="experience", points=50),
    Reward(
        reward_id="rew_0000ca3b01",
        name="Cambridge only: $20 off",
        type="voucher_amount",
        points=100,
        value=2000,
        only_store="cambridge-1",
    ),
    Reward(
        reward_id="rew_00005747d1",
        name="Students: 20% off",
        type="voucher_percentage",
        points=100,
        value=20,
        only_tag="student",
    ),
)

PEOPLE = (
    Person(
        customer_id="cust_00000000a1",
        first_name="Mia",
        last_name="Stone",
        phone="16175550100",
        email="mia@example.test",
        points=820,
        mail=True,
    ),
    Person(
        customer_id="cust_00000000b2",
        first_name="Leo",
        last_name="Park",
        phone="16175550101",
        email="leo@example.test",
        points=60,
    ),
    Person(
        customer_id="cust_00000000c3",
        first_name="Ana",
        last_name="Ruiz",
        phone="16175550102",
        email="ana@example.test",
        points=3150,
        sms=False,
        mail=True,
        owned=("rew_0000001001",),
    ),
    Person(
        customer_id="cust_00000000d4",
        first_name="Kim",
        last_name="Moreau",
        phone="16175550108",
        email="kim@example.test",
        points=900,
        pin="4711",
    ),
)
