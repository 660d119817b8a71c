"""Adapters for `slow_vendor.py`: the tests' example vendor, with one call for the rewards."""

from dataclasses import replace

from providers.answers import needed_text, objects_in, whole
from providers.base import LoyaltyProvider
from providers.currencies import from_hundredths
from providers.outbound.exchange import segment
from providers.sales import Spend, SpendIntent
from providers.types import Cart, Discount, DiscountKind, Reward
from tests.providers.stampcard.client import stamps
from tests.providers.stampcard.provider import StampcardProvider


class JournalVendor(StampcardProvider):
    """As the vendors' packages do it: spends in the journal, calls in the account's budget."""

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return tuple(
            Reward(
                reward_id=needed_text(row, "id"),
                title=needed_text(row, "title"),
                points=stamps(row),
                discount=Discount(
                    kind=DiscountKind.FIXED,
                    amount=from_hundredths(whole(row["cents_off"]) or 0, self.client.currency),
                ),
            )
            for row in objects_in(self.client.get("/rewards", operation="list_rewards"), "rewards")
        )


class PlainVendor(JournalVendor):
    """The same calls without journal and budget: what a vendor over HTTP costs at least."""

    budget = LoyaltyProvider.budget

    def __init__(self, config: object) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        self.client.session = replace(self.client.session, budget=None)

    def spend(self, intent: SpendIntent) -> Spend:
        body = {"reward": intent.item_id, "stamps": intent.points, "reference": intent.key}
        path = f"/customers/{segment(intent.member_ref)}/redemptions"
        made = self.client.send("POST", path, body, operation="redeem")
        return Spend(
            key=intent.key,
            member_ref=intent.member_ref,
            kind=intent.kind,
            provider_ref=needed_text(made, "id"),
            points=intent.points,
        )
