"""What a member may use in one cart: how many codes, and which kinds of spends go together.

A program's rule (`codes_per_reward`, `codes_per_cart`, `kinds_together`). The page locks what does not fit, a
tap is judged again, and once more when its row is stored: a member has one open spend at a time, so of two
tills the second one finds the row of the first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from loyaltyview.programs.models import Program
from loyaltyview.programs.rules import KINDS_TOGETHER, pair_of
from loyaltyview.redemptions.limits import CLOSABLE, lock_repeated
from loyaltyview.redemptions.models import HOLDING, IN_CART, Redemption, State
from loyaltyview.redemptions.offers import CartReason, Offer, OfferState
from loyaltyview.redemptions.refusals import Refusal
from providers.sales import SpendKind


@dataclass(frozen=True, slots=True, kw_only=True)
class StackingRule:
    """`codes_per_reward` and `codes_per_cart`: 0 is no limit. `kinds_together` has the pairs of kinds that
    may share a cart, such as "reward+voucher"; two of one kind are two different rewards or vouchers."""

    codes_per_reward: int = 0
    codes_per_cart: int = 0
    kinds_together: frozenset[str] = frozenset(KINDS_TOGETHER)

    @classmethod
    def of(cls, program: Program) -> "StackingRule":
        return cls(
            codes_per_reward=program.codes_per_reward,
            codes_per_cart=program.codes_per_cart,
            kinds_together=frozenset(program.kinds_together),
        )

    @property
    def is_open(self) -> bool:
        """Whether any two spends may share a cart."""
        return not self.codes_per_cart and self.kinds_together >= frozenset(KINDS_TOGETHER)

    def allows(self, one: str, other: str) -> bool:
        """Return whether two different spends of these kinds may share a cart."""
        pair = pair_of(one, other)
        return pair in self.kinds_together or pair not in KINDS_TOGETHER

    def obstacle(self, kind: str, item_id: str, rows: Iterable[Redemption]) -> tuple[CartReason | None, str]:
        """Return why the cart of `rows`, all of which count, does not take this as well, and the title of
        what it cannot share the cart with; None where it does."""
        rows = list(rows)
        if 0 < self.codes_per_cart <= len(rows):
            return CartReason.CODES_PER_CART, ""
        for row in rows:
            if (row.kind, row.item_id) != (kind, item_id) and not self.allows(kind, row.kind):
                return CartReason.NOT_TOGETHER, row.title
        return None, ""


def lock_stacked(offers: Iterable[Offer], rows: Iterable[Redemption], rule: StackingRule) -> list[Offer]:
    """Return `offers`, locked where `rule` does not let them share the cart with `rows`, the member's
    redemptions in it. A code that has expired counts: it can be renewed without new points."""
    rows = [row for row in rows if row.state in IN_CART]
    offers = lock_repeated(offers, rows, rule.codes_per_reward)
    return offers if rule.is_open or not rows else [_locked(offer, rows, rule) for offer in offers]


def _locked(offer: Offer, rows: list[Redemption], rule: StackingRule) -> Offer:
    if offer.state is OfferState.LOCKED and offer.reason not in CLOSABLE:
        return offer
    reason, title = rule.obstacle(offer.kind, offer.item_id, rows)
    if reason is None:
        return offer
    return replace(
        offer, state=OfferState.LOCKED, reason=reason.value, not_with=title,
        is_capped=False, points_gap=0, money_gap=None, gap_share=0,
    )  # fmt: skip


def lock_at_tap(offer: Offer, rows: Iterable[Redemption], rule: StackingRule) -> Offer:
    """As `lock_stacked`, for what is tapped: a redemption that is still open does not count, since it may be
    refused, and the database refuses a second one meanwhile. How often a reward may be applied is held by its
    slot (`limits.free_slot`)."""
    rows = [row for row in rows if row.state in HOLDING]
    return offer if rule.is_open or not rows else _locked(offer, rows, rule)


def refused_beside_others(row: Redemption) -> Refusal | None:
    """Return why `row`, already committed, may not share its cart with what another till has applied since it
    was judged; None where it may."""
    rule = StackingRule.of(row.program)
    if rule.is_open:
        return None
    others = Redemption.objects.filter(
        program=row.program,
        cart_id=row.cart_id,
        member_ref=row.member_ref,
        state__in=[State(state).value for state in HOLDING],
    )
    reason, _title = rule.obstacle(SpendKind(row.kind), row.item_id, others.exclude(pk=row.pk))
    return Refusal[reason.value] if reason else None
