"""The fixtures of a vendor's contract tests: a provider, a member, rewards, a cart, orders.

A vendor's test class overrides the fixtures of the first part; those of the second follow from them.
"""

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, get_type_hints

import pytest
from django.db import transaction

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import Capability, LoyaltyProvider
from providers.journal import retention
from providers.sales import Order, Return, Spend, SpendIntent, SpendKind
from providers.types import Cart, CartItem, Member, MemberProfile, Money, Reward, Voucher, WebhookRequest

MakeOrder = Callable[..., Order]
Deliver = Callable[..., WebhookRequest]


class ContractFixtures:
    # --- Fixtures to override ---------------------------------------------------------------------

    @pytest.fixture
    def provider(self) -> LoyaltyProvider:
        """The adapter, ready to call."""
        raise NotImplementedError

    @pytest.fixture
    def member_ref(self) -> str:
        """A member who has points, and an e-mail, a phone and a code where these can be looked up."""
        raise NotImplementedError

    @pytest.fixture
    def reward_id(self) -> str:
        """A reward that this member can afford."""
        raise NotImplementedError

    @pytest.fixture
    def costly_reward_id(self) -> str:
        """A reward that only misses points."""
        raise NotImplementedError

    @pytest.fixture
    def voucher_id(self) -> str:
        """A voucher of this member; skip where the vendor has none."""
        raise NotImplementedError

    @pytest.fixture
    def stranger(self, provider: LoyaltyProvider) -> MemberProfile:
        """A person who can enrol and has not."""
        need(provider, Capability.ENROL)
        raise NotImplementedError

    @pytest.fixture
    def deliver(self, provider: LoyaltyProvider) -> Deliver:
        """A function that returns a delivery about this member, signed with the secret that it is given, and
        with the program's own without one."""
        need(provider, Capability.WEBHOOKS)
        raise NotImplementedError

    @pytest.fixture
    def code(self, member: Member) -> str:
        """The code on the member's card or pass."""
        return member.member_id

    @pytest.fixture
    def holds_rewards(self, provider: LoyaltyProvider) -> bool:
        """Whether a reward's points are held; False where only points as money are held."""
        return Capability.HOLD in provider.capabilities

    @pytest.fixture
    def server(self) -> Vendor | None:
        """The sandbox's server that the adapter calls; None where the adapter calls none."""
        return None

    @pytest.fixture
    def happens_only_with_its_answer(self) -> bool:
        """Whether a spend whose answer is lost has no effect, because only we could use its result."""
        return False

    # --- Fixtures that follow from these ----------------------------------------------------------

    @pytest.fixture
    def cart(self, provider: LoyaltyProvider) -> Cart:
        item = CartItem(item_id="item-1", product_id="SHIRT-01", price=Decimal("80.00"))
        total = Money(amount=Decimal("80.00"), currency=provider.config.currency)
        return Cart(cart_id="cart-1", total=total, items=(item,), store="boston-1")

    @pytest.fixture
    def member(self, provider: LoyaltyProvider, member_ref: str) -> Member:
        return provider.get_member(member_ref)

    @pytest.fixture
    def rewards(self, provider: LoyaltyProvider, member: Member, cart: Cart) -> dict[str, Reward]:
        return {reward.reward_id: reward for reward in provider.list_rewards(member.ref, cart)}

    @pytest.fixture
    def reward(self, rewards: dict[str, Reward], reward_id: str) -> Reward:
        return rewards[reward_id]

    @pytest.fixture
    def costly_reward(self, rewards: dict[str, Reward], costly_reward_id: str) -> Reward:
        return rewards[costly_reward_id]

    @pytest.fixture
    def voucher(self, provider: LoyaltyProvider, member: Member, voucher_id: str) -> Voucher:
        return next(v for v in provider.list_vouchers(member.ref) if v.voucher_id == voucher_id)

    @pytest.fixture
    def keys(self) -> Iterator[str]:
        return (f"7d1b5a3c9e4f4a6b8c2d1e0f9a8b7c6d-{number}" for number in itertools.count(1))

    @pytest.fixture
    def intent(self, member: Member, reward: Reward, cart: Cart, keys: Iterator[str]) -> SpendIntent:
        return make_intent(next(keys), member, cart, SpendKind.REWARD, reward)

    @pytest.fixture
    def voucher_intent(
        self, member: Member, voucher: Voucher, cart: Cart, keys: Iterator[str]
    ) -> SpendIntent:
        return make_intent(next(keys), member, cart, SpendKind.VOUCHER, voucher)

    @pytest.fixture
    def make_order(self, provider: LoyaltyProvider, member: Member) -> MakeOrder:
        def make(order_id: str = "order-1", base: str = "80.00", spends: tuple[Spend, ...] = ()) -> Order:
            return Order(
                order_id=order_id,
                external_id="100234",
                member_ref=member.ref,
                placed_at=datetime.now(UTC),
                earn_base=Money(amount=Decimal(base), currency=provider.config.currency),
                spends=spends,
                store="boston-1",
            )

        return make


def assert_types(value: Any) -> None:
    """Fail unless `value` and all in it have the types that `providers.types` promises."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        hints = get_type_hints(type(value))
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if hints[field.name] in (int, str, bool, Decimal):
                kind = str if isinstance(inner, StrEnum) else type(inner)
                assert kind is hints[field.name], f"{type(value).__name__}.{field.name}: {inner!r}"
            assert_types(inner)
    elif isinstance(value, tuple):
        for inner in value:
            assert_types(inner)
    elif isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0), f"{value!r} is not aware UTC"
    elif isinstance(value, Mapping):
        assert all(type(key) is str and type(inner) is str for key, inner in value.items())
    else:
        assert value is None or isinstance(value, str | int | Decimal | Enum), repr(value)


def need(provider: LoyaltyProvider, capability: Capability) -> None:
    """Skip the test where the vendor lacks `capability`."""
    if capability not in provider.capabilities:
        pytest.skip(f"{provider.kind} has no {capability}")


def make_intent(
    key: str, member: Member, cart: Cart, kind: SpendKind, item: Reward | Voucher, points: int | None = None
) -> SpendIntent:
    """Return the intent to spend `item` at its shown price."""
    price = item.points if isinstance(item, Reward) else 0
    return SpendIntent(
        key=key,
        member_ref=member.ref,
        kind=kind,
        item_id=item.reward_id if isinstance(item, Reward) else item.voucher_id,
        points=price if points is None else points,
        discount=item.discount,
        cart=cart,
        code="LOY-7Q2M",
        requested_at=datetime.now(UTC),
    )


def make_return(order: Order, return_id: str, net: str) -> Return:
    """Return goods of `order` worth `net` of its earn base."""
    return Return(
        return_id=return_id,
        order_id=order.order_id,
        member_ref=order.member_ref,
        returned_at=datetime.now(UTC),
        net=Money(amount=Decimal(net), currency=order.earn_base.currency),
        order_earn_base=order.earn_base,
    )


def any_spend(kind: SpendKind) -> Spend:
    return Spend(key="any", member_ref="any", kind=kind, provider_ref="any", points=1)


def forget_old(provider: LoyaltyProvider, before: datetime) -> int:
    """Delete old rows, as the worker does each day; return how many."""
    return provider.forget_old(before) + retention.forget_old(before)


def erase_member(provider: LoyaltyProvider, ref: str, pseudonym: str) -> int:
    """Erase a member, as an administrator does; return how many rows."""
    with transaction.atomic():
        count = provider.erase_member(ref, pseudonym)
        return count + retention.erase_member(provider.kind, provider.config.program, [ref], pseudonym)
