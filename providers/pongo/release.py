"""Ends the wait of a reward in a cart: the customer keeps it, or an order uses it.

An order names the kind of a reward and not the single reward, so Pongo may use another one than our spend
took. Our spend then gets the used one. The other cart, or the customer, gets the remaining one.
"""

from providers.errors import Rejected, RejectReason, Unavailable, Unsupported
from providers.journal.booking import swap
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import advance, end_wait
from providers.pongo.client import data_of, refusal
from providers.pongo.spending import Shop
from providers.sales import Spend, SpendKind


def release(shop: Shop, spend: Spend) -> None:
    """Make an owned reward usable again. A repetition is success. A bought reward stays bought (Unsupported),
    a used one stays used (Rejected)."""
    if spend.kind is not SpendKind.VOUCHER:
        raise Unsupported("a bought reward cannot be given back: the customer keeps it")
    row = shop.journal.get(WriteKind.SPEND, spend.key)
    if row is not None:
        unlock(shop, row)


def keep_with_customer(shop: Shop, spend: Spend) -> bool:
    """Leave a bought reward with the customer, who can use it; False when an order has used it."""
    row = shop.journal.get(WriteKind.SPEND, spend.key)
    if row is None or is_used(row):
        return False
    unlock(shop, row)
    return row.state == WriteState.UNDONE


def is_used(row: Write) -> bool:
    """Return whether an order has used the reward of this spend."""
    return row.state == WriteState.DONE and not row.waits_for_order


def unlock(shop: Shop, row: Write) -> None:
    """Take the won reward of `row` out of its cart: the customer still owns it and can use it later."""
    if is_used(row):
        raise Rejected(RejectReason.ALREADY_USED, "an order has used it")
    if row.state in (WriteState.UNDONE, WriteState.VOID):
        return
    if row.state != WriteState.DONE:
        raise Unavailable("its outcome is not known yet")
    _unlock(shop, row.member_ref, row.vendor_ref)
    advance(row, WriteState.DONE, WriteState.UNDONE, waits_for_order=False)


def use(shop: Shop, row: Write) -> None:
    """Tell Pongo that the won reward was used, where no order can name it. A repetition is success."""
    body = {
        "customer": row.member_ref,
        "store_slug": row.store,
        "hash": row.vendor_ref,
        "is_used": True,
        "pin": None,
    }
    path = shop.client.path("use", reward=row.detail["reward"])
    answer = shop.client.write("PATCH", path, operation="use_reward", body=body)
    try:
        data_of(answer, RejectReason.REWARD_NOT_FOUND)
    except Rejected as error:
        if error.reason is not RejectReason.ALREADY_USED:
            raise
    end_wait(row)


def follow(shop: Shop, row: Write) -> None:
    """Assign the won reward that Pongo used to `row`, which an order has used. Raises ProviderError; may be
    repeated."""
    same = [won for won in shop.won(row.member_ref) if won.reward_id == row.detail["reward"]]
    ours = next((won for won in same if won.hash == row.vendor_ref), None)
    if ours is None or ours.is_used:
        return
    if not swap(row, [won.hash for won in same if won.is_used]):
        _unlock(shop, row.member_ref, ours.hash)


def _unlock(shop: Shop, ref: str, won: str) -> None:
    """Remove our lock; a missing lock, or a missing call, is success."""
    answer = shop.client.write(
        "DELETE",
        shop.client.path("lock", customer=ref),
        operation="unlock_reward",
        body={"hash": won, "pin": None},
    )
    if answer.status not in (200, 204, 404, 405, 409, 422):
        raise refusal(answer, RejectReason.REWARD_NOT_FOUND)
