"""Which of several won rewards of one kind an order used.

An order names what a reward is one of, not the very one, so Pongo may use another than our spend took. Our
spend then holds the one that was used. The other cart, or the customer, gets the one that is left.
"""

from django.db import transaction

from providers.pongo.catalogue import Won
from providers.pongo.models import HOLDING, Spending, SpendingState
from providers.pongo.spending import Shop, unlock

WAITING = (SpendingState.TAKEN, SpendingState.CONFIRMED)


def follow(shop: Shop, row: Spending) -> None:
    """Let `row`, which an order has used, hold the won reward that Pongo used. Raises ProviderError; may be
    repeated."""
    won = {each.hash: each for each in shop.won(row.member_ref) if each.reward_id == row.reward_id}
    ours = won.get(row.hash)
    if ours is None or ours.is_used:
        return
    left = row.hash
    if not _swap(row, [each for each in won.values() if each.is_used]):
        unlock(shop, Spending(program=row.program, member_ref=row.member_ref, hash=left))


def _swap(row: Spending, used: list[Won]) -> bool:
    """Give `row` one of `used` that no order of ours accounts for. True when another cart had that one: then
    that cart has the one of `row`, with its lock."""
    with transaction.atomic(using=row._state.db):
        same = Spending.objects.select_for_update().filter(program=row.program, state__in=HOLDING)
        holders = {each.hash: each for each in same.filter(hash__in=[won.hash for won in used])}
        waiting = [each for each in holders.values() if each.state in WAITING]
        free = [won.hash for won in used if won.hash not in holders]
        if not waiting and not free:
            return False
        left, taken = row.hash, waiting[0].hash if waiting else free[-1]
        # One after the other: no two spends hold the same reward at any moment.
        for pk, value in ((row.pk, ""), *((each.pk, left) for each in waiting[:1]), (row.pk, taken)):
            Spending.objects.filter(pk=pk).update(hash=value)
        row.hash = taken
        return bool(waiting)
