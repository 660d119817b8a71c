"""Spending: buying a reward, or taking an owned one, into a cart; and finding the outcome.

Pongo has no key of ours in its calls and no "unbuy". The rewards owned before show afterwards whether we
bought one, and no two of our spends have the same won reward (`exclusive_key` is its hash). A lock at Pongo
keeps other devices (kiosks) off it; where that call does not exist, we continue without it.
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from providers.answers import text_of
from providers.currencies import hundredths
from providers.errors import (
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    UnexpectedAnswer,
    Unsupported,
)
from providers.journal.history import LONGEST_TITLE, TITLE
from providers.journal.models import OPEN, Write, WriteKind, WriteState
from providers.journal.spending import Found, Made, SpendWay
from providers.journal.states import Journal
from providers.outbound import sharing
from providers.pongo.client import Client, data_of, refusal
from providers.pongo.members import get, unmapped_store
from providers.pongo.rewards import KnownSkus, Won, offered, price_of, won_of, won_rewards
from providers.sales import OWN_CODE, Spend, SpendIntent, SpendKind
from providers.types import DiscountKind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The context of every step: the calls, our SKUs, the currency, and after how many seconds a purchase
    without a trace did not happen."""

    client: Client
    known: KnownSkus
    currency: str
    settle_s: int

    @property
    def journal(self) -> Journal:
        return Journal(vendor="pongo", program=self.client.program)

    @property
    def settled_after(self) -> timedelta:
        return timedelta(seconds=self.settle_s)

    def won(self, ref: str) -> tuple[Won, ...]:
        return won_rewards(self.client, ref, self.known, self.currency)


def way_of(shop: Shop, kind: SpendKind) -> "CartWay":
    """Return how a spend of this kind is made; raise Unsupported for points as money."""
    if kind is SpendKind.POINTS:
        raise Unsupported("points as money")
    return Purchase(shop) if kind is SpendKind.REWARD else OwnedReward(shop)


class CartWay(SpendWay):
    """The common part of buying a reward and taking an owned one: a won reward waits in a cart."""

    holds_points = False  # a bought reward is paid

    def __init__(self, shop: Shop) -> None:
        self.shop, self.journal, self.settled_after = shop, shop.journal, shop.settled_after

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        if not intent.cart.store:
            raise Rejected(RejectReason.NOT_ALLOWED, "store not mapped", text=unmapped_store())
        return {
            "waits_for_order": True,
            "detail": {
                "reward": intent.item_id if intent.kind is SpendKind.REWARD else "",
                "coupon_code": "",
                "saving_cents": saving_cents(intent),
                "skus": list(intent.discount.skus),
            },
        }

    def describe(self, write: Write) -> Spend:
        spend = super().describe(write)
        if not (code := spend.memo.get("coupon_code")):
            return spend
        return replace(spend, memo={**spend.memo, OWN_CODE: code})

    def is_of_another(self, write: Write, ref: str) -> bool:
        """A reward that was left with the customer can be chosen again."""
        return self.journal.is_of_another(write, ref, states=OPEN)


class Purchase(CartWay):
    """A reward of the catalogue, bought for points."""

    def before(self, write: Write, intent: SpendIntent) -> list[str]:
        client = self.shop.client
        # As the page has just read them. At worst a reward that a kiosk sold since then counts as ours: it is
        # paid and used once.
        with sharing.sharing(client.program, intent.member_ref, max_age_s=sharing.TAP_S):
            before = sorted(won.hash for won in self.shop.won(intent.member_ref))
            offers = offered(client, intent.member_ref, intent.cart.store)
        offer = next((item for item in offers if text_of(item, "id") == intent.item_id), None)
        if offer is None:
            raise Rejected(RejectReason.REWARD_NOT_FOUND)
        if price_of(client, offer) != intent.points:
            raise Rejected(RejectReason.PRICE_CHANGED)
        return before

    @sensitive_variables()  # the call with the PIN goes through many functions
    def send(self, write: Write, intent: SpendIntent) -> Made:
        client = self.shop.client
        body: dict[str, Any] = {
            client.names["buy.customer"]: intent.member_ref,
            client.names["buy.store"]: intent.cart.store,
            client.names["buy.is_used"]: False,
        }
        if intent.pin:
            body[client.names["buy.pin"]] = intent.pin
        path = client.path("buy", reward=intent.item_id)
        answer = client.write("POST", path, operation="buy_reward", body=body)
        try:
            data = data_of(answer, RejectReason.REWARD_NOT_FOUND)
        except Rejected as error:
            raise self._why_not_bought(intent, about_pin(error, intent)) from error
        if told := self._told(write, data):
            return made_of(told)
        try:
            fresh = self._newly_won(write)
        except ProviderError as error:
            raise OutcomeUnknown("bought, and the list cannot be read") from error
        if not fresh:
            raise OutcomeUnknown("bought, and not in the list yet")
        return made_of(fresh[0])

    def look(self, write: Write, intent: SpendIntent) -> Found:
        fresh = self._newly_won(write)
        # Each of our tills with a lost answer bought one. If there are more, the customer bought the same
        # reward elsewhere, and a person compares.
        if len(fresh) <= 1 + self._others(write).filter(state=WriteState.SENT).count():
            fresh = fresh[:1]
        return Found(made=tuple(made_of(won) for won in fresh))

    def finish(self, write: Write) -> None:
        try:
            lock(self.shop, write.member_ref, write.vendor_ref)
        except ProviderError as error:
            # It is bought, and our row keeps our other tills off; only a kiosk could still take it.
            log.warning("reward_not_locked", program=write.program, error=type(error).__name__)

    def _told(self, write: Write, data: Any) -> Won | None:
        """Return the reward that the answer names as bought, None where it does not fit: the field is
        assumed."""
        if not isinstance(data, dict) or not text_of(data, "hash"):
            return None
        with suppress(UnexpectedAnswer):
            won = won_of(self.shop.client, data, self.shop.known, self.shop.currency)
            if (
                won.reward_id == write.item_id
                and won.is_usable()
                and won.hash not in (write.shown_before or [])
            ):
                return won
        return None

    def _newly_won(self, write: Write) -> list[Won]:
        """Return the rewards that the customer owns since `write` was sent and that no other spend has taken;
        the likeliest one first."""
        others = list(self._others(write))
        taken = {other.vendor_ref for other in others} | set(write.shown_before or [])
        fresh = [
            won
            for won in self.shop.won(write.member_ref)
            if won.reward_id == write.item_id and not won.is_used and won.hash not in taken
        ]
        # Of several the one that was there already when later purchases, whose answers are lost too, began.
        later = [set(other.shown_before or []) for other in others if other.state == WriteState.SENT]
        fresh.sort(key=lambda won: (-sum(won.hash in hashes for hashes in later), won.hash))
        return fresh

    def _others(self, write: Write) -> "QuerySet[Write]":
        """Return the customer's other spends that have a reward, or may get one."""
        spends = self.journal.writes(WriteKind.SPEND, member_ref=write.member_ref, state__in=OPEN)
        return spends.exclude(pk=write.pk)

    def _why_not_bought(self, intent: SpendIntent, error: Rejected) -> Rejected:
        """The words of a refusal are assumed; the balance is not."""
        if error.reason not in (RejectReason.INVALID_INPUT, RejectReason.INSUFFICIENT_POINTS):
            return error
        with suppress(ProviderError):
            gap = intent.points - get(self.shop.client, intent.member_ref).balance.spendable
            if gap > 0:
                return Rejected(RejectReason.INSUFFICIENT_POINTS, error.detail, points_gap=gap)
        return error


class OwnedReward(CartWay):
    """A reward that the customer owns already: only its lock at Pongo is written."""

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        return {**super().plan(intent), "exclusive_key": intent.item_id}

    def before(self, write: Write, intent: SpendIntent) -> dict[str, Any]:
        won = self._owned(write)
        if won is None:
            raise Rejected(RejectReason.REWARD_NOT_FOUND)
        if won.is_used or won.is_locked:
            raise Rejected(RejectReason.ALREADY_USED)
        if not won.is_usable():
            raise Rejected(RejectReason.EXPIRED)
        if intent.points:
            raise Rejected(RejectReason.PRICE_CHANGED)
        return detail_of(won)

    def send(self, write: Write, intent: SpendIntent) -> Made:
        try:
            lock(self.shop, intent.member_ref, intent.item_id, intent.pin)
        except Rejected as error:
            raise about_pin(error, intent) from error
        return Made(ref=intent.item_id, detail=write.shown_before or {})

    def look(self, write: Write, intent: SpendIntent) -> Found:
        """Only the answer of the lock can be lost, and the row itself keeps our other tills off."""
        won = self._owned(write)
        if won is None or won.is_used:
            return Found(is_certain=True)
        return Found(made=(made_of(won),))

    def _owned(self, write: Write) -> Won | None:
        return next((won for won in self.shop.won(write.member_ref) if won.hash == write.item_id), None)


def made_of(won: Won) -> Made:
    """Return a won reward as the result of a spend."""
    return Made(ref=won.hash, exclusive_key=won.hash, detail=detail_of(won))


def detail_of(won: Won) -> dict[str, str]:
    """Return what the row of a spend keeps of its won reward."""
    return {"reward": won.reward_id, "coupon_code": won.coupon_code, TITLE: won.title[:LONGEST_TITLE]}


def was_bought(spend: Write) -> bool:
    """Return whether the spend paid points, which Pongo never gives back."""
    return spend.item_kind == SpendKind.REWARD


def about_pin(error: Rejected, intent: SpendIntent) -> Rejected:
    """Return the refusal of a spend: Pongo says the same of a missing PIN and of a wrong one. Nothing that
    may repeat the PIN is kept."""
    if not intent.pin:
        return error
    reason = RejectReason.PIN_WRONG if error.reason is RejectReason.PIN_NEEDED else error.reason
    detail = "" if intent.pin in error.detail else error.detail
    return Rejected(reason, detail, points_gap=error.points_gap)


@sensitive_variables()
def lock(shop: Shop, ref: str, won: str, pin: str = "") -> None:
    """Keep other devices off the won reward of that hash. Without such a call at Pongo, we continue."""
    path = shop.client.path("lock", customer=ref)
    body = {"hash": won, "pin": pin or None}
    answer = shop.client.write("POST", path, operation="lock_reward", body=body)
    if answer.status not in (200, 201, 204, 404, 405):  # 404, 405: no such call here
        raise refusal(answer, RejectReason.REWARD_NOT_FOUND)


def saving_cents(intent: SpendIntent) -> int:
    """Return in cents what the discount takes off this cart: the amount of its line in the order."""
    discount, total = intent.discount, intent.cart.total
    worth = discount.amount.amount if discount.amount else Decimal(0)
    if discount.kind is DiscountKind.PERCENT and discount.percent is not None:
        worth = total.amount * discount.percent / 100
    if discount.kind is DiscountKind.PRODUCT:
        prices = [item.price for item in intent.cart.items if item.product_id in discount.skus]
        worth = min(prices, default=Decimal(0))
    return hundredths(max(Decimal(0), min(worth, total.amount)), total.currency)
