"""How often one reward may be applied in one cart (`Program.codes_per_reward`, 0: no limit)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from loyaltyview.redemptions.models import HOLDING, IN_CART, Redemption
from loyaltyview.redemptions.offers import CartReason, Offer, OfferState
from providers.types import LockReason

# What the customer could bring, which opens nothing while the cart has the reward already.
MENDABLE = frozenset(
    {LockReason.POINTS, CartReason.MINIMUM, CartReason.PRODUCT_MISSING, CartReason.CART_EMPTY}
)


def lock_repeated(offers: Iterable[Offer], rows: Iterable[Redemption], limit: int) -> list[Offer]:
    """Return `offers`; those of which `rows`, the member's redemptions in this cart, have as many codes as
    `limit` allows are locked. A code that has expired counts: it can be renewed without new points."""
    in_cart = Counter((row.kind, row.item_id) for row in rows if row.state in IN_CART)
    return [
        _in_cart(offer)
        if _is_open(offer) and 0 < limit <= in_cart[offer.kind.value, offer.item_id]
        else offer
        for offer in offers
    ]


def _is_open(offer: Offer) -> bool:
    return offer.state is not OfferState.LOCKED or offer.reason in MENDABLE


def _in_cart(offer: Offer) -> Offer:
    return replace(
        offer, state=OfferState.LOCKED, reason=CartReason.IN_CART.value,
        is_capped=False, points_gap=0, money_gap=None, gap_share=0,
    )  # fmt: skip


def free_slot(offer: Offer, rows: Iterable[Redemption], limit: int) -> int | None:
    """Return the first slot of `offer` that is free in the cart of `rows`, None when all are taken.

    A redemption that is still open counts for nothing here: it may be refused. When it is not, the database
    refuses the second one with its slot.
    """
    same = [
        row.cart_slot
        for row in rows
        if (row.kind, row.item_id) == (offer.kind, offer.item_id) and row.state in HOLDING
    ]
    if len(same) >= limit:  # those from before there were slots have none
        return None
    return next(slot for slot in range(1, limit + 1) if slot not in same)
