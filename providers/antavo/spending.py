"""Spending: claims of rewards and offers, coupons, reserved points; given back, confirmed.

Antavo takes no key for claims and coupons: a spend is recognised by its difference from the state before it.
A claimed reward's coupon is redeemed immediately. Until then the customer could also use it in the web shop,
and would get two discounts for the points.
"""

from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from django.db.models import Q

from providers.antavo import coupons, reservations
from providers.antavo.client import SETTLED_AFTER, Client, of_member
from providers.antavo.fields import table, text
from providers.antavo.history import events_of
from providers.antavo.refusals import ALREADY_REVOKED, suppress_code
from providers.antavo.rewards import OFFER, POINTS_AS_MONEY
from providers.errors import ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.spending import Found, Made, SpendWay
from providers.journal.states import undo
from providers.outbound.parallel import together
from providers.sales import Order, Spend, SpendIntent, SpendKind


def way_of(client: Client, intent: SpendIntent) -> "AntavoWay":
    """Return how this spend is made."""
    if intent.kind is SpendKind.VOUCHER:
        return CouponUse(client)
    if intent.kind is SpendKind.POINTS and intent.item_id == POINTS_AS_MONEY:
        return Reservation(client)
    return OfferClaim(client) if intent.item_id.startswith(OFFER) else Claim(client)


class AntavoWay(SpendWay):
    """The common part of all ways. `name` is stored in `Spend.memo`, for release and confirmation."""

    name: ClassVar[str]
    settled_after: timedelta = SETTLED_AFTER

    def __init__(self, client: Client) -> None:
        self.client, self.journal = client, client.journal

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        return {"detail": {"way": self.name, "item": intent.item_id}}

    @abstractmethod
    def traces(self, intent: SpendIntent) -> dict[str, Made]:
        """Return the results of spends of the same thing at Antavo, by their identity."""

    def before(self, write: Write, intent: SpendIntent) -> list[str]:
        return list(self.traces(intent))

    def look(self, write: Write, intent: SpendIntent) -> Found:
        seen = write.shown_before or []
        return Found(made=tuple(made for trace, made in self.traces(intent).items() if trace not in seen))


class Reservation(AntavoWay):
    """Points as money: reserved under our key, which is enough to find them."""

    name = "reserve"

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        return {**super().plan(intent), "waits_for_order": True}

    def before(self, write: Write, intent: SpendIntent) -> list[str]:
        return []

    def send(self, write: Write, intent: SpendIntent) -> Made:
        reservations.reserve(self.client, intent.member_ref, intent.key, intent.points)
        return Made(ref=intent.key)

    def traces(self, intent: SpendIntent) -> dict[str, Made]:
        if not reservations.is_reserved(self.client, intent.member_ref, intent.key):
            return {}
        return {intent.key: Made(ref=intent.key)}

    def describe(self, write: Write) -> Spend:
        return replace(super().describe(write), is_held=True)


class CouponUse(AntavoWay):
    """A coupon that the member has."""

    name = "coupon"

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        ref, code = intent.member_ref, intent.item_id
        exclusive_key = f"coupon {ref} {code}"  # a pool may give everybody the same code
        is_claimed = Q(detail__coupon=code) & ~Q(item_kind=SpendKind.VOUCHER.value)
        spends = self.journal.writes(WriteKind.SPEND, member_ref=ref, state__in=OPEN)
        if spends.filter(is_claimed | Q(exclusive_key=exclusive_key)).exists():
            raise Rejected(RejectReason.ALREADY_USED, "a spend of ours has this coupon")
        # What Antavo shows before is read at the same time; the row that has it is committed before the use.
        _usable, before = together(
            lambda: coupons.check_usable(self.client, ref, code, intent.cart),
            lambda: list(self.traces(intent)),
        )
        plan, discount = {**super().plan(intent), "shown_before": before}, intent.discount
        amount = discount.amount and coupons.gift_amount(discount.raw, discount.amount.amount, intent.cart)
        if amount:  # a gift card may have an amount left for other carts
            return {**plan, "detail": {**plan["detail"], "amount": amount}}
        return {**plan, "exclusive_key": exclusive_key}

    def send(self, write: Write, intent: SpendIntent) -> Made:
        amount = write.detail.get("amount", "")
        coupons.redeem(self.client, intent.member_ref, intent.item_id, intent.key, amount)
        return self._made(intent)

    def traces(self, intent: SpendIntent) -> dict[str, Made]:
        names = self.client.names
        return {
            event.event_id: self._made(intent)
            for event in events_of(self.client, intent.member_ref, "coupon_redeem")
            if event.properties.get(names["event_code"]) == intent.item_id
            and event.properties.get(names["event_transaction"], intent.key) == intent.key
        }

    def is_of_another(self, write: Write, ref: str) -> bool:
        return False  # a coupon that was given back can be used again

    def _made(self, intent: SpendIntent) -> Made:
        return Made(ref=intent.item_id, detail={"coupon": intent.item_id})


class Claim(AntavoWay):
    """A reward. Its coupon, if it makes one, is redeemed at once."""

    name = "claim"

    def send(self, write: Write, intent: SpendIntent) -> Made:
        form = {"points": str(intent.points)} if intent.kind is SpendKind.POINTS else None
        path = of_member(intent.member_ref, "activities", "rewards", intent.item_id, "claim")
        answer = table(self.client.post(path, "claim_reward", form))
        if not text(answer.get("id")):
            raise UnexpectedAnswer("claim_reward: no event id")
        return self.made(intent, text(answer["id"]), text(table(answer.get("coupon")).get("code")))

    def traces(self, intent: SpendIntent) -> dict[str, Made]:
        names = self.client.names
        return {
            event.event_id: self.made(intent, event.event_id, event.properties.get(names["event_coupon"], ""))
            for event in events_of(self.client, intent.member_ref, "reward")
            if event.properties.get(names["event_reward"]) == intent.item_id
        }

    def made(self, intent: SpendIntent, ref: str, coupon: str) -> Made:
        """Return the claim, and the coupon that it made ("" for none). A pool may give the same code
        for each claim, so the code keeps no other claim off."""
        return Made(ref=ref, detail={"coupon": coupon} if coupon else {})

    def finish(self, write: Write) -> None:
        """Redeem the coupon. On any error the points are spent and the spend is valid: `confirm` tries
        again."""
        if coupon := write.detail.get("coupon"):
            with suppress(ProviderError):
                coupons.redeem(self.client, write.member_ref, coupon, write.key)


class OfferClaim(Claim):
    """An offer for the cart: its claim makes a coupon and costs no points."""

    name = "offer"

    def send(self, write: Write, intent: SpendIntent) -> Made:
        offer = intent.item_id.removeprefix(OFFER)
        path = of_member(intent.member_ref, "activities", "offers", offer, "claim")
        answer = table(self.client.post(path, "claim_offer"))
        # The schema wraps the coupon, the example does not; {} means that the cart or customer did not fit.
        code = text(table(answer.get("coupon") or answer).get("code"))
        if not code:
            raise Rejected(RejectReason.NOT_ALLOWED, "the offer does not apply")
        return self.made(intent, code, code)

    def traces(self, intent: SpendIntent) -> dict[str, Made]:
        """Which event an offer's claim leaves is not documented; the coupon it makes can be seen."""
        codes = [text(row.get("code")) for row in coupons.list_coupons(self.client, intent.member_ref)]
        return {code: self.made(intent, code, code) for code in codes}


def release(client: Client, spend: Spend) -> None:
    """Give back the points or coupon of the spend. A repetition changes nothing."""
    row = client.journal.row_of(spend)
    if row.state != WriteState.DONE:
        return
    way, coupon = spend.memo.get("way", ""), spend.memo.get("coupon", "")
    if way == Reservation.name:
        reservations.give_back(client, row)
    elif coupon:
        coupons.give_back(client, row, coupon, spend.memo.get("amount", ""))
    if way == Claim.name:
        # An offer cannot be revoked: its coupon stays with the customer, unused.
        with suppress_code(ALREADY_REVOKED):
            client.post(
                of_member(spend.member_ref, "activities", "rewards", spend.memo["item"], "revoke"),
                "revoke_claim",
                {"event": spend.provider_ref},
            )
    undo(row)


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """The order is final: redeem the claim's coupon if it is not redeemed yet, record the reservation."""
    if spend.memo.get("way") == Reservation.name:
        reservations.confirm(client, spend, order)
    elif spend.kind is not SpendKind.VOUCHER and (coupon := spend.memo.get("coupon")):
        coupons.ensure_redeemed(client, spend.member_ref, coupon, spend.key)
