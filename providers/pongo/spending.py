"""Spending: buying a reward, or taking one that the customer owns, into a cart; and what becomes of it.

Pongo has no key of ours in its calls and no "unbuy". So each spend is a row first: what the customer owned
before tells afterwards whether we bought, and a constraint keeps two spends from taking the same won reward.
No time of Pongo's is compared with ours.
A lock at Pongo keeps other devices (kiosks) off it; where that call is absent we go on without.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import clock
from providers.answers import text_of
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.outbound import sharing
from providers.pongo.catalogue import KnownSkus, Won, catalogue, price_of, won_of, won_rewards
from providers.pongo.client import Client, data_of, refusal
from providers.pongo.customers import get, unmapped_store
from providers.pongo.models import HOLDING, Spending, SpendingState
from providers.pongo.savings import saving_minor
from providers.types import Finding, Spend, SpendFinding, SpendIntent, SpendKind

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What every step needs: the calls, the SKUs that are ours, the currency, and after how many seconds a
    purchase that left no trace did not happen."""

    client: Client
    known: KnownSkus
    currency: str
    settle_s: int

    def won(self, ref: str) -> tuple[Won, ...]:
        return won_rewards(self.client, ref, self.known, self.currency)


def spend(shop: Shop, intent: SpendIntent) -> Spend:
    """Buy the reward, or take the owned one. See `LoyaltyProvider.spend`."""
    if intent.kind is SpendKind.POINTS:
        raise Unsupported("points as money")
    if not intent.cart.store:
        raise Rejected(RejectReason.NOT_ALLOWED, "store not mapped", text=unmapped_store())
    row = _begin(shop, intent)
    try:
        won = _buy(shop, row, intent) if intent.kind is SpendKind.REWARD else _take_owned(shop, row, intent)
    except (Rejected, Unavailable, AuthFailed):
        # Nothing happened, and with this key nothing will.
        _turn(row, [SpendingState.STARTED], SpendingState.VOID)
        raise
    if intent.kind is SpendKind.REWARD:
        _lock_if_possible(shop, row.member_ref, won.hash)
    _keep(row, won)
    return describe(row)


def find(shop: Shop, intent: SpendIntent) -> SpendFinding:
    """Answer what became of a spend. "Did not" closes its key: a call still on its way will be refused."""
    row = _row_or_tombstone(shop, intent)
    if row.state == SpendingState.STARTED:
        if row.kind == SpendKind.REWARD.value and row.hashes_before is None:
            _close_before_buying(row)
        else:
            _look(shop, row)
    if row.state in HOLDING:
        return SpendFinding(finding=Finding.HAPPENED, spend=describe(row))
    if row.state == SpendingState.STARTED:
        return SpendFinding(finding=Finding.CANNOT_TELL)
    return SpendFinding(finding=Finding.DID_NOT)


def release(shop: Shop, spend: Spend) -> None:
    """Put an owned reward back among what the customer can use. Done before is success. What was bought
    stays bought (Unsupported), what an order used stays used (Rejected)."""
    if spend.kind is not SpendKind.VOUCHER:
        raise Unsupported("a bought reward cannot be given back: the customer keeps it")
    row = Spending.objects.filter(program=shop.client.program, key=spend.key).first()
    if row is not None:
        leave_with_customer(shop, row)


def keep_with_customer(shop: Shop, spend: Spend) -> bool:
    """Leave a bought reward among what the customer can use; False when an order has used it."""
    row = Spending.objects.filter(program=shop.client.program, key=spend.key).first()
    if row is None or row.state == SpendingState.USED:
        return False
    leave_with_customer(shop, row)
    return row.state == SpendingState.RELEASED


def leave_with_customer(shop: Shop, row: Spending) -> None:
    """Unlock the won reward of `row`: the customer owns it still and can use it another time."""
    if row.state == SpendingState.USED:
        raise Rejected(RejectReason.ALREADY_USED, "an order has used it")
    if row.state in (SpendingState.RELEASED, SpendingState.VOID):
        return
    if row.hash:
        unlock(shop, row)
    _turn(
        row,
        [SpendingState.STARTED, SpendingState.TAKEN, SpendingState.CONFIRMED],
        SpendingState.RELEASED,
    )


def use(shop: Shop, row: Spending) -> None:
    """Tell Pongo that the won reward was used, where no order can say so. Used before is success."""
    body = {
        "customer": row.member_ref,
        "store_slug": row.store_slug,
        "hash": row.hash,
        "is_used": True,
        "pin": None,
    }
    path = shop.client.path("use", reward=row.reward_id)
    answer = shop.client.write("PATCH", path, operation="use_reward", body=body)
    try:
        data_of(answer, RejectReason.REWARD_NOT_FOUND)
    except Rejected as error:
        if error.reason is not RejectReason.ALREADY_USED:
            raise
    mark_used(row)


def mark_used(row: Spending) -> None:
    """The won reward is used up at Pongo."""
    _turn(row, [SpendingState.TAKEN, SpendingState.CONFIRMED], SpendingState.USED)


def mark_confirmed(row: Spending, order_id: str) -> bool:
    """Tie a taken reward to its order; True when it is tied to one afterwards."""
    _turn(row, [SpendingState.TAKEN], SpendingState.CONFIRMED, order_id=order_id)
    return row.state in (SpendingState.CONFIRMED, SpendingState.USED)


def unlock(shop: Shop, row: Spending) -> None:
    """Take our lock off; one that is not there, or whose call is absent, is as good."""
    answer = shop.client.write(
        "DELETE",
        shop.client.path("lock", customer=row.member_ref),
        operation="unlock_reward",
        body={"hash": row.hash, "pin": None},
    )
    if answer.status not in (200, 204, 404, 405, 409, 422):
        raise refusal(answer, RejectReason.REWARD_NOT_FOUND)


def describe(row: Spending) -> Spend:
    """Return a standing spend in the words of the interface."""
    return Spend(
        key=row.key,
        member_ref=row.member_ref,
        kind=SpendKind(row.kind),
        provider_ref=row.hash,
        points=row.points,
        memo={"reward": row.reward_id, "coupon_code": row.coupon_code},
    )


def _begin(shop: Shop, intent: SpendIntent) -> Spending:
    is_bought = intent.kind is SpendKind.REWARD
    try:
        with transaction.atomic():
            return Spending.objects.create(
                program=shop.client.program,
                key=intent.key,
                state=SpendingState.STARTED,
                member_ref=intent.member_ref,
                kind=intent.kind.value,
                item_id=intent.item_id,
                reward_id=intent.item_id if is_bought else "",
                hash="" if is_bought else intent.item_id,
                points=intent.points,
                saving_minor=saving_minor(intent),
                skus=list(intent.discount.skus),
                store_slug=intent.cart.store,
            )
    except IntegrityError as error:
        known = Spending.objects.filter(program=shop.client.program, key=intent.key).first()
        if known is None:
            raise Rejected(RejectReason.ALREADY_USED, "in another cart") from error
        if known.state in (SpendingState.STARTED, *HOLDING):
            raise OutcomeUnknown("this spend was made, or is under way") from error
        raise Rejected(RejectReason.NOT_ALLOWED, f"the key is {known.state}") from error


def _buy(shop: Shop, row: Spending, intent: SpendIntent) -> Won:
    """Buy one, and return which one it is."""
    client = shop.client
    # As the page has just read them. What a kiosk sold since is at worst taken for ours: paid and used once.
    with sharing.sharing(client.program, intent.member_ref, max_age_s=sharing.TAP_S):
        before = sorted(won.hash for won in shop.won(intent.member_ref))
        offers = catalogue(client, intent.member_ref, intent.cart.store, cache_s=0)
    offer = next((item for item in offers if text_of(item, "id") == intent.item_id), None)
    if offer is None:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    if price_of(client, offer) != intent.points:
        raise Rejected(RejectReason.PRICE_CHANGED)
    if not _turn(
        row, [SpendingState.STARTED], SpendingState.STARTED, hashes_before=before, sent_at=clock.now()
    ):
        raise Rejected(RejectReason.NOT_ALLOWED, "closed meanwhile: somebody asked what became of it")
    body: dict[str, Any] = {
        client.names["buy.customer"]: intent.member_ref,
        client.names["buy.store"]: intent.cart.store,
        client.names["buy.is_used"]: False,
    }
    path = client.path("buy", reward=intent.item_id)
    answer = client.write("POST", path, operation="buy_reward", body=body)
    try:
        data = data_of(answer, RejectReason.REWARD_NOT_FOUND)
    except Rejected as error:
        raise _why_not_bought(shop, intent, error) from error
    if told := _told(shop, row, data):
        return told
    try:
        fresh = _newly_won(shop, row)
    except ProviderError as error:
        raise OutcomeUnknown("bought, and the list cannot be read") from error
    if not fresh:
        raise OutcomeUnknown("bought, and not in the list yet")
    return fresh[0]


def _told(shop: Shop, row: Spending, data: Any) -> Won | None:
    """Return the reward that the answer names as bought, None where it does not fit: that is assumed."""
    if not isinstance(data, dict) or not text_of(data, "hash"):
        return None
    with suppress(UnexpectedAnswer):
        won = won_of(shop.client, data, shop.known, shop.currency)
        if won.reward_id == row.reward_id and won.is_usable() and won.hash not in (row.hashes_before or []):
            return won
    return None


def _why_not_bought(shop: Shop, intent: SpendIntent, error: Rejected) -> Rejected:
    """The words of a refusal are assumed; the balance is not."""
    if error.reason not in (RejectReason.INVALID_INPUT, RejectReason.INSUFFICIENT_POINTS):
        return error
    with suppress(ProviderError):
        gap = intent.points - get(shop.client, intent.member_ref).balance.spendable
        if gap > 0:
            return Rejected(RejectReason.INSUFFICIENT_POINTS, error.detail, points_gap=gap)
    return error


def _take_owned(shop: Shop, row: Spending, intent: SpendIntent) -> Won:
    won = next((won for won in shop.won(intent.member_ref) if won.hash == intent.item_id), None)
    if won is None:
        raise Rejected(RejectReason.REWARD_NOT_FOUND)
    if won.is_used or won.is_locked:
        raise Rejected(RejectReason.ALREADY_USED)
    if not won.is_usable():
        raise Rejected(RejectReason.EXPIRED)
    if intent.points:
        raise Rejected(RejectReason.PRICE_CHANGED)
    _lock(shop, row.member_ref, won.hash)
    return won


def _lock(shop: Shop, ref: str, reward_hash: str) -> None:
    path = shop.client.path("lock", customer=ref)
    body = {"hash": reward_hash, "pin": None}
    answer = shop.client.write("POST", path, operation="lock_reward", body=body)
    if answer.status not in (200, 201, 204, 404, 405):  # 404, 405: no such call here
        raise refusal(answer, RejectReason.REWARD_NOT_FOUND)


def _lock_if_possible(shop: Shop, ref: str, reward_hash: str) -> None:
    try:
        _lock(shop, ref, reward_hash)
    except ProviderError as error:
        # It is bought and ours by our own row; only a kiosk could still take it.
        log.warning("reward_not_locked", program=shop.client.program, error=type(error).__name__)


def _look(shop: Shop, row: Spending) -> None:
    """Find out about a spend whose answer is lost, from what the customer owns now."""
    if row.kind == SpendKind.VOUCHER.value:
        # Only the lock can have been lost, and the row itself keeps our other tills off.
        won = next((won for won in shop.won(row.member_ref) if won.hash == row.hash), None)
        if won and not won.is_used:
            _keep(row, won)
        else:
            _turn(row, [SpendingState.STARTED], SpendingState.VOID)
        return
    # Judged before the list is read: what is bought in between shows in it. Our call ends after 10 s, Pongo's
    # own time-out is taken to be shorter than `settle_s`: what is not in the list then was never bought.
    # Should it be bought later all the same, the customer owns it and can use it.
    is_settled = clock.now() > (row.sent_at or row.started_at) + timedelta(seconds=shop.settle_s)
    fresh = _newly_won(shop, row)
    if fresh and len(fresh) <= 1 + _others(row).filter(state=SpendingState.STARTED, hash="").count():
        _lock_if_possible(shop, row.member_ref, fresh[0].hash)
        _keep(row, fresh[0])
    elif not fresh and is_settled:
        _turn(row, [SpendingState.STARTED], SpendingState.VOID)
    # More than our tills asked for: the customer bought the same elsewhere, and a person compares.


def _others(row: Spending) -> QuerySet[Spending]:
    """Return the customer's other spends that have a reward, or may get one."""
    return Spending.objects.filter(
        program=row.program, member_ref=row.member_ref, state__in=[SpendingState.STARTED, *HOLDING]
    ).exclude(pk=row.pk)


def _newly_won(shop: Shop, row: Spending) -> list[Won]:
    """Return the rewards that the customer owns since `row` was sent and that no other spend has taken; first
    the one that is most likely its own."""
    before = set(row.hashes_before or [])
    others = _others(row)
    taken = {other.hash for other in others}
    fresh = [
        won
        for won in shop.won(row.member_ref)
        if won.reward_id == row.reward_id
        and not won.is_used
        and won.hash not in before
        and won.hash not in taken
    ]
    # Of several the one that was there already when later purchases, whose answers are lost too, began.
    later = [set(other.hashes_before or []) for other in others if other.state == SpendingState.STARTED]
    fresh.sort(key=lambda won: (-sum(won.hash in hashes for hashes in later), won.hash))
    return fresh


def _keep(row: Spending, won: Won) -> None:
    """Write down that `won` is in the cart; raise OutcomeUnknown when another spend was quicker."""
    try:
        with transaction.atomic():
            _turn(
                row,
                [SpendingState.STARTED],
                SpendingState.TAKEN,
                hash=won.hash,
                reward_id=won.reward_id,
                coupon_code=won.coupon_code,
            )
    except IntegrityError as error:
        raise OutcomeUnknown("another spend has taken this very reward") from error
    if row.state not in HOLDING:
        raise UnexpectedAnswer(f"the spend is {row.state}")


def _row_or_tombstone(shop: Shop, intent: SpendIntent) -> Spending:
    row, _created = Spending.objects.get_or_create(
        program=shop.client.program,
        key=intent.key,
        defaults={
            "state": SpendingState.VOID,
            "member_ref": intent.member_ref,
            "kind": intent.kind.value,
            "item_id": intent.item_id,
            "points": intent.points,
        },
    )
    return row


def _close_before_buying(row: Spending) -> None:
    """Void a purchase that was not sent. Sending begins by writing `hashes_before` while STARTED, so of the
    two exactly one comes first."""
    Spending.objects.filter(pk=row.pk, state=SpendingState.STARTED, hashes_before__isnull=True).update(
        state=SpendingState.VOID, changed_at=timezone.now()
    )
    row.refresh_from_db()


def _turn(row: Spending, before: list[SpendingState], after: SpendingState, **fields: Any) -> bool:
    """Move the row on if it still is in one of `before`; returns whether this call did it."""
    turned = Spending.objects.filter(pk=row.pk, state__in=before).update(
        state=after, changed_at=timezone.now(), **fields
    )
    row.refresh_from_db()
    return turned == 1
