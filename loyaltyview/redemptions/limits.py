"""How often something may be redeemed: by one associate in an hour, by one member in a day, and one reward in
one cart.

What may share a cart beside that is in `stacking`.

The first two guard against abuse and are off by default. They are counted without a lock, after the row is
written: two tills at the same moment may both be refused where one would have been within the limit. The
third protects points, so a constraint holds it (`Redemption.cart_slot`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from loyaltyview.redemptions.models import HOLDING, IN_CART, Redemption, State
from loyaltyview.redemptions.offers import CartReason, Offer, OfferState
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.work import clock
from providers.types import LockReason

# Gaps that the customer could close. That opens nothing while the cart has the reward already.
CLOSABLE = frozenset(
    {LockReason.POINTS, CartReason.MINIMUM, CartReason.PRODUCT_MISSING, CartReason.CART_EMPTY}
)


def limit_reached(row: Redemption) -> Refusal | None:
    """Return why `row`, already committed, is above a limit; None when it is not. Refused and released
    redemptions do not count."""
    program, now = row.program, clock.now()
    if not program.associate_hour_limit and not program.member_day_limit:
        return None
    counted = Redemption.objects.filter(program=program).exclude(
        state__in=[State.REFUSED.value, State.RELEASED.value]
    )
    if program.associate_hour_limit and row.associate_id:
        since = now - timedelta(hours=1)
        of_associate = counted.filter(associate_id=row.associate_id, requested_at__gt=since)
        if of_associate.count() > program.associate_hour_limit:
            return Refusal.ASSOCIATE_LIMIT
    if program.member_day_limit:
        since = now - timedelta(days=1)
        of_member = counted.filter(member_ref=row.member_ref, requested_at__gt=since)
        if of_member.count() > program.member_day_limit:
            return Refusal.MEMBER_LIMIT
    return None


def lock_repeated(offers: Iterable[Offer], rows: Iterable[Redemption], limit: int) -> list[Offer]:
    """Return `offers`, locked where `rows` (the member's redemptions in this cart) have as many codes of them
    as `limit` allows. A code that has expired counts: it can be renewed without new points."""
    in_cart = Counter((row.kind, row.item_id) for row in rows if row.state in IN_CART)
    return [
        _in_cart(offer)
        if _is_open(offer) and 0 < limit <= in_cart[offer.kind.value, offer.item_id]
        else offer
        for offer in offers
    ]


def _is_open(offer: Offer) -> bool:
    return offer.state is not OfferState.LOCKED or offer.reason in CLOSABLE


def _in_cart(offer: Offer) -> Offer:
    return replace(
        offer, state=OfferState.LOCKED, reason=CartReason.IN_CART.value,
        is_capped=False, points_gap=0, money_gap=None, gap_share=0,
    )  # fmt: skip


def free_slot(offer: Offer, rows: Iterable[Redemption], limit: int) -> int | None:
    """Return the first slot of `offer` that is free in the cart of `rows`, None when all are taken.

    A redemption that is still open does not count: it may be refused. When it is not, the database refuses
    the second one with its slot.
    """
    same = [
        row.cart_slot
        for row in rows
        if (row.kind, row.item_id) == (offer.kind, offer.item_id) and row.state in HOLDING
    ]
    if len(same) >= limit:  # rows older than the column have no slot
        return None
    return next(slot for slot in range(1, limit + 1) if slot not in same)
