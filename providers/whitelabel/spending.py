"""The dangerous write, in its ways: points as money, a reward for points, a voucher of the member. And an
always-on offer, which writes nothing to the engine.

An event that takes points carries our key. For a purchase, what the engine showed just before tells what is
new afterwards. A voucher was whole just before, so one that is used up afterwards was used by us. No time of
the engine is compared with ours. No two spends have the same benefit (`exclusive_key` is its id).
"""

from dataclasses import replace
from typing import Any, ClassVar

from providers.errors import (
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.journal.history import LONGEST_TITLE, TITLE
from providers.journal.models import Write, WriteKind
from providers.journal.spending import Found, Made, SpendWay
from providers.journal.states import note
from providers.outbound.parallel import together
from providers.sales import Spend, SpendIntent, SpendKind
from providers.whitelabel import events, members, offers, release, rewards, vouchers
from providers.whitelabel.client import VOUCHER, Client, Json, Refused, rejecting
from providers.whitelabel.venues import stores_by_venue
from providers.whitelabel.worth import is_same, read_discount

# What `Write.shown_before` of a purchase holds: ids of owned benefits of that reward, and the balance.
BENEFITS, POINTS = "benefits", "points"
REDEEMED = "redeemed"  # and of a voucher: whether the member had redeemed it in the app


def way_of(client: Client, kind: SpendKind) -> "EngineWay":
    """Return how a spend of this kind is made."""
    ways: dict[SpendKind, type[EngineWay]] = {
        SpendKind.POINTS: PointsAsMoney,
        SpendKind.REWARD: Purchase,
        SpendKind.VOUCHER: OwnVoucher,
        SpendKind.OFFER: AlwaysOn,
    }
    return ways[kind](client)


class EngineWay(SpendWay):
    """What the ways have in common."""

    kind: ClassVar[SpendKind]
    # What a spend's memo says besides, where its row does not.
    memo: ClassVar[dict[str, str]] = {}
    title = ""  # what is spent, where it was read

    def __init__(self, client: Client) -> None:
        self.client, self.journal, self.settled_after = client, client.journal, client.settled_after

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        return {"detail": {"store": intent.cart.store}}

    def describe(self, write: Write) -> Spend:
        """Rows of the vendor's former table do not say of which kind a spend is."""
        return Spend(
            key=write.key,
            member_ref=write.member_ref,
            kind=self.kind,
            provider_ref=write.vendor_ref,
            points=write.points or 0,
            memo={**self.memo, **write.detail},
        )

    def _made(self, intent: SpendIntent, ref: str, **detail: str) -> Made:
        """Return what a spend made, with what rows of the former table miss."""
        named = {TITLE: self.title[:LONGEST_TITLE]} if self.title else {}
        detail = {**self.memo, "store": intent.cart.store, **named, **detail}
        return Made(ref=ref, exclusive_key=ref, points=intent.points, detail=detail)


class PointsAsMoney(EngineWay):
    """An event of the tenant's own type. The engine takes whatever it is told, below zero too: the balance is
    looked at before and after."""

    kind = SpendKind.POINTS

    def before(self, write: Write, intent: SpendIntent) -> Json:
        _need_points(intent, members.available_points(self.client, intent.member_ref))
        return {}

    def send(self, write: Write, intent: SpendIntent) -> Made:
        client = self.client
        payload = client.names.payload(
            {
                "points_points": intent.points,
                "points_cart": intent.cart.cart_id,
                "points_store": intent.cart.store,
                "points_request": intent.key,
            }
        )
        with rejecting(RejectReason.NOT_ALLOWED):
            event = events.report(client, client.settings.spend_type, intent.member_ref, payload)
        if self._is_below_zero(event, intent.member_ref):
            self._take_back(write)
        return self._made(intent, events.event_id(event))

    def look(self, write: Write, intent: SpendIntent) -> Found:
        kind = self.client.settings.spend_type
        found = events.find_request(self.client, write, kind, "points_request", intent.key)
        if found.made and self.journal.get(WriteKind.RELEASE, write.key):
            # The balance went below zero, so the spend is given back before its code is shown: finish that.
            # How many points it took, a row of the former table does not say.
            release.give_back(self.client, replace(self.describe(write), points=intent.points))
            return Found(is_certain=True)
        made = tuple(self._made(intent, each.ref) for each in found.made)
        return Found(made=made, is_complete=found.is_complete)

    def _is_below_zero(self, event: Json, ref: str) -> bool:
        """Return whether the reaction to `event` has left the member with less than nothing."""
        try:
            if events.has_settled(self.client, event):
                return members.points_of(self.client, members.wallet(self.client, ref)) < 0
        except ProviderError:
            # The points are taken, that is sure; only how the wallet stands could not be read.
            pass
        events.mark_unsettled(self.client, ref)
        return False

    def _take_back(self, write: Write) -> None:
        """Somebody else spent the same points in the same moment: ours are given back."""
        try:
            release.give_back(self.client, self.describe(write))
        except ProviderError as error:
            raise OutcomeUnknown("spent below zero, and not given back yet") from error
        raise Rejected(RejectReason.INSUFFICIENT_POINTS, "spent elsewhere in the same moment")


class Purchase(EngineWay):
    """A reward for points. What was bought is burned at once: its worth goes into this cart only."""

    kind = SpendKind.REWARD
    memo: ClassVar[dict[str, str]] = {"burned": release.OPEN}

    def before(self, write: Write, intent: SpendIntent) -> Json:
        client, ref = self.client, intent.member_ref
        # The engine refuses a purchase beyond the wallet. Spends that the wallet lacks count, too.
        reward, purse, unsettled = together(
            lambda: rewards.get_reward(client, intent.item_id),
            lambda: members.wallet(client, ref),
            lambda: events.count_unsettled(client, ref),
        )
        self.title = str(reward.get("name") or "")
        if reward.get("type") != VOUCHER:  # a gift card: the page locks it
            raise Rejected(RejectReason.NOT_ALLOWED)
        # The list of rewards may be older than a tap.
        discount = read_discount(client, reward, stores_by_venue(client))
        if reward.get("price") != intent.points or not is_same(intent.discount, discount):
            raise Rejected(RejectReason.PRICE_CHANGED)
        points = members.points_of(client, purse)
        _need_points(intent, points - unsettled)
        return {BENEFITS: self._owned(intent, purse), POINTS: points}

    def send(self, write: Write, intent: SpendIntent) -> Made:
        body = {
            "rewardId": intent.item_id,
            "beneficiaryId": intent.member_ref,
            "comment": f"LoyaltyView {intent.key}",
        }
        try:
            benefit = self.client.send("/commands/purchase_reward", body, operation="purchase_reward")
        except Refused as refused:
            raise self._why_not_sold(intent, refused) from refused
        if not isinstance(benefit, dict) or not isinstance(benefit.get("id"), str):
            raise UnexpectedAnswer("purchase_reward: no benefit")
        note(write, vendor_ref=benefit["id"])  # it has happened, whatever comes
        # The points are gone, so trouble here is no refusal: `confirm` and `release` come back to it.
        burned = self._burn(intent, benefit)
        return self._made(intent, benefit["id"], burned=burned)

    def look(self, write: Write, intent: SpendIntent) -> Found:
        if ref := write.vendor_ref:
            return Found(made=(self._made(intent, ref),), is_complete=not self.is_of_another(write, ref))
        before = write.shown_before or {}
        purse = members.wallet(self.client, write.member_ref)
        owned = [each for each in self._owned(intent, purse) if each not in before.get(BENEFITS, [])]
        new = [each for each in owned if not self.is_of_another(write, each)]
        # None, and points are gone: perhaps ours was bought, and used up at once. A person compares.
        has_fewer = members.points_of(self.client, purse) < before.get(POINTS, 0)
        is_complete = BENEFITS in before if new else not has_fewer
        return Found(made=tuple(self._made(intent, each) for each in new), is_complete=is_complete)

    def _burn(self, intent: SpendIntent, benefit: Json) -> str:
        """Redeem and burn what was bought; return whether it is burned now, in the words of a memo."""
        ref, store = intent.member_ref, intent.cart.store
        try:
            vouchers.burn(self.client, ref, vouchers.redeem(self.client, ref, benefit), store, None)
        except ProviderError:
            return release.OPEN
        return release.BURNED

    def _owned(self, intent: SpendIntent, purse: Json) -> list[str]:
        """Return the ids of what the member owns of this reward and has not used: a wallet has them all."""
        owned = vouchers.in_wallet(self.client, intent.member_ref, purse)
        if owned is None:
            owned = vouchers.list_benefits(self.client, intent.member_ref)
        return [str(each.get("id")) for each in owned if vouchers.reward_in(each).get("id") == intent.item_id]

    def _why_not_sold(self, intent: SpendIntent, refused: Refused) -> ProviderError:
        """Return why a purchase was refused: what the engine shows now counts, not its words."""
        try:
            _need_points(intent, members.available_points(self.client, intent.member_ref))
            if rewards.is_out_of_stock(rewards.get_reward(self.client, intent.item_id)):
                return Rejected(RejectReason.OUT_OF_STOCK, str(refused))
        except (Rejected, Unavailable) as error:
            return error
        return refused.rejected(RejectReason.NOT_ALLOWED)


class OwnVoucher(EngineWay):
    """A voucher of the member's own: redeemed where it is whole, then burned."""

    kind = SpendKind.VOUCHER
    memo: ClassVar[dict[str, str]] = {"burned": release.BURNED}

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        return {**super().plan(intent), "exclusive_key": intent.item_id}

    def before(self, write: Write, intent: SpendIntent) -> Json:
        self.whole = self._benefit(intent)
        vouchers.check_unused(self.client, intent.member_ref, self.whole)
        self.title = str(vouchers.reward_in(self.whole).get("name") or "")
        return {REDEEMED: bool(self.whole.get("redeemedAt"))}

    def send(self, write: Write, intent: SpendIntent) -> Made:
        redeemed = vouchers.redeem(self.client, intent.member_ref, self.whole)
        vouchers.burn(self.client, intent.member_ref, redeemed, intent.cart.store, intent.discount)
        return self._made(intent, intent.item_id)

    def look(self, write: Write, intent: SpendIntent) -> Found:
        try:
            benefit = self._benefit(intent)
        except Rejected:
            return Found()
        self.title = str(vouchers.reward_in(benefit).get("name") or "")
        # A voucher without a code of its own is used by being redeemed for us; any other by being burned.
        is_shared = vouchers.is_counted_here(benefit)
        has_code = bool(self.client.names.text(benefit, "benefit_code"))
        was_redeemed = (write.shown_before or {}).get(REDEEMED, False)
        is_redeemed_for_us = bool(benefit.get("redeemedAt")) and not was_redeemed
        is_used = benefit.get("burnedAt") or (is_redeemed_for_us and (is_shared or not has_code))
        return Found(made=(self._made(intent, intent.item_id),) if is_used else ())

    def _benefit(self, intent: SpendIntent) -> Json:
        return vouchers.get_benefit(self.client, intent.member_ref, intent.item_id)


class AlwaysOn(EngineWay):
    """An always-on offer: the engine keeps nothing of its use, so our journal's row is all there is. The
    order that carries it names the offer."""

    kind = SpendKind.OFFER
    memo: ClassVar[dict[str, str]] = {release.OFFER: "yes"}

    def before(self, write: Write, intent: SpendIntent) -> Json:
        offer = offers.get_offer(self.client, intent.member_ref, intent.item_id)
        if not is_same(intent.discount, offer.discount):
            raise Rejected(RejectReason.PRICE_CHANGED)
        self.title = offer.title
        return {}

    def send(self, write: Write, intent: SpendIntent) -> Made:
        return replace(self._made(intent, intent.item_id), exclusive_key=None)

    def look(self, write: Write, intent: SpendIntent) -> Found:
        return Found(is_certain=True)  # nothing is sent, so nothing can have happened


def _need_points(intent: SpendIntent, available: int) -> None:
    gap = intent.points - available
    if intent.points < 0 or (intent.kind is SpendKind.POINTS and intent.points == 0):
        raise Rejected(RejectReason.INVALID_INPUT)
    if gap > 0:
        raise Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=gap)
