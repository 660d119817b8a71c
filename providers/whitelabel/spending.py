"""The dangerous write, in its three kinds: points as money, a reward for points, a voucher.

A row of the outbox stands before each. What the engine shows just before the write is committed to it
(`note_before`), so `finding` can tell what is new.
"""

from providers.errors import (
    OutcomeUnknown,
    ProviderError,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.outbound import sharing
from providers.types import Spend, SpendIntent, SpendKind
from providers.whitelabel import catalogue, members, settling, vouchers
from providers.whitelabel.engine import Engine, Json, Refused
from providers.whitelabel.models import Report, ReportKind, ReportState
from providers.whitelabel.outbox import claim, note_before, open_report, turn
from providers.whitelabel.refunds import refund_points

BURNED, OPEN = "yes", "no"
SEEN_S = 10.0  # how old the list of benefits may be that is kept as what was there before
# What `Report.shown_before` of a purchase holds: ids of owned benefits of that reward, and the balance.
BENEFITS, POINTS = "benefits", "points"


def spend(engine: Engine, intent: SpendIntent) -> Spend:
    """Carry out `intent` once. Raises Rejected (nothing taken), Unavailable (nothing reached the vendor),
    OutcomeUnknown or UnexpectedAnswer (it may have happened)."""
    row, _created = open_report(engine, ReportKind.SPEND, intent.key, intent.member_ref)
    if row.state == ReportState.VOID:
        raise Rejected(RejectReason.NOT_ALLOWED, "this spend was given up")
    if row.state != ReportState.NEW or not claim(row):
        raise OutcomeUnknown("this spend was sent before")
    ways = {
        SpendKind.POINTS: _spend_points,
        SpendKind.REWARD: _buy_reward,
        SpendKind.VOUCHER: _use_voucher,
    }
    try:
        done = ways[intent.kind](engine, intent, row)
    except (OutcomeUnknown, UnexpectedAnswer):
        raise
    except ProviderError:
        # Certainly nothing was taken; the key stays free for the same intent to be sent again.
        turn(row, [ReportState.SENDING], ReportState.NEW, shown_before=None)
        raise
    turn(row, [ReportState.SENDING], ReportState.DONE, vendor_ref=done.provider_ref, points=done.points)
    return done


def available_points(engine: Engine, ref: str, purse: Json | None = None) -> int:
    """Return what may be spent now: the wallet without what is on its way out of it. `purse` is the wallet
    where it was read already."""
    points = members.points_of(engine, purse or members.wallet(engine, ref))
    return points - settling.count_unsettled(engine, ref)


def points_spend(intent: SpendIntent, event_id: str) -> Spend:
    """Return the spend that an event made."""
    return Spend(
        key=intent.key,
        member_ref=intent.member_ref,
        kind=intent.kind,
        provider_ref=event_id,
        points=intent.points,
        memo={"store": intent.cart.store},
    )


def benefit_spend(intent: SpendIntent, benefit: Json) -> Spend:
    """Return the spend that a bought or used benefit made. `memo` says whether it is burned."""
    return Spend(
        key=intent.key,
        member_ref=intent.member_ref,
        kind=intent.kind,
        provider_ref=str(benefit.get("id")),
        points=intent.points,
        memo={
            "store": intent.cart.store,
            "burned": BURNED if benefit.get("burnedAt") else OPEN,
        },
    )


def _spend_points(engine: Engine, intent: SpendIntent, row: Report) -> Spend:
    """The engine takes whatever it is told, below zero too: the balance is looked at before and after."""
    _need_points(engine, intent)
    payload = engine.names.payload(
        {
            "points_points": intent.points,
            "points_cart": intent.cart.cart_id,
            "points_store": intent.cart.store,
            "points_request": intent.key,
        }
    )
    # The event carries our key: nothing else is needed to find it.
    note_before(row, {})
    try:
        event = settling.report(engine, engine.settings.spend_type, intent.member_ref, payload)
    except Refused as refused:
        raise Rejected(RejectReason.NOT_ALLOWED, str(refused), text=refused.message) from refused
    done = points_spend(intent, settling.event_id(event))
    if _is_below_zero(engine, event, intent.member_ref):
        _take_back(engine, done)
    return done


def _is_below_zero(engine: Engine, event: Json, ref: str) -> bool:
    """Return whether the reaction to `event` has left the member with less than nothing."""
    try:
        if settling.settled_points(engine, event) is not None:
            return members.points_of(engine, members.wallet(engine, ref)) < 0
    except ProviderError:
        # The points are taken, that is sure; only how the wallet stands could not be read.
        pass
    settling.mark_unsettled(engine, ref)
    return False


def _take_back(engine: Engine, done: Spend) -> None:
    """Somebody else spent the same points in the same moment: ours are given back."""
    try:
        refund_points(engine, done)
    except ProviderError as error:
        raise OutcomeUnknown("spent below zero, and not given back yet") from error
    raise Rejected(RejectReason.INSUFFICIENT_POINTS, "spent elsewhere in the same moment")


def _buy_reward(engine: Engine, intent: SpendIntent, row: Report) -> Spend:
    """Buy the reward, then burn what was bought: its worth goes into this cart and nowhere else."""
    reward = catalogue.get_reward(engine, intent.item_id)
    if reward.get("price") != intent.points:
        raise Rejected(RejectReason.PRICE_CHANGED)
    purse = members.wallet(engine, intent.member_ref)
    _need_points(engine, intent, purse)
    # The list as the page has just read it, the wallet as it is now: what is bought in between shows in it.
    with sharing.sharing(engine.config.program, intent.member_ref, max_age_s=SEEN_S):
        owned = owned_of_reward(engine, intent.member_ref, intent.item_id, purse)
    note_before(row, {BENEFITS: owned, POINTS: members.points_of(engine, purse)})
    body = {
        "rewardId": intent.item_id,
        "beneficiaryId": intent.member_ref,
        "comment": f"LoyaltyView {intent.key}",
    }
    try:
        benefit = engine.send("/commands/purchase_reward", body, operation="purchase_reward")
    except Refused as refused:
        raise _why_not_sold(engine, intent, refused) from refused
    if not isinstance(benefit, dict) or not isinstance(benefit.get("id"), str):
        raise UnexpectedAnswer("purchase_reward: no benefit")
    turn(row, [ReportState.SENDING], ReportState.SENDING, vendor_ref=benefit["id"])
    return benefit_spend(intent, burn_bought(engine, intent.member_ref, benefit, intent.cart.store))


def owned_of_reward(engine: Engine, ref: str, reward_id: str, purse: Json) -> list[str]:
    """Return the ids of what the member owns of this reward and has not used."""
    owned = catalogue.list_benefits(engine, ref, purse)
    return [str(each.get("id")) for each in owned if catalogue.reward_in(each).get("id") == reward_id]


def burn_bought(engine: Engine, ref: str, benefit: Json, store: str) -> Json:
    """Redeem and burn what was bought, and return it as it is now. The points are gone already, so trouble
    here is no refusal: `confirm` and `release` come back to it."""
    try:
        redeemed = vouchers.redeem(engine, ref, benefit)
        vouchers.burn(engine, ref, redeemed, store, None)
        return catalogue.get_benefit(engine, ref, str(benefit["id"]))
    except ProviderError:
        return benefit


def _use_voucher(engine: Engine, intent: SpendIntent, row: Report) -> Spend:
    benefit = catalogue.get_benefit(engine, intent.member_ref, intent.item_id)
    vouchers.check(engine, benefit)
    # It is whole now: whatever uses it up from here on is new.
    note_before(row, {})
    redeemed = vouchers.redeem(engine, intent.member_ref, benefit)
    vouchers.burn(engine, intent.member_ref, redeemed, intent.cart.store, intent.discount)
    return benefit_spend(intent, {**redeemed, "burnedAt": "now"})


def _need_points(engine: Engine, intent: SpendIntent, purse: Json | None = None) -> None:
    gap = intent.points - available_points(engine, intent.member_ref, purse)
    if intent.points < 0 or (intent.kind is SpendKind.POINTS and intent.points == 0):
        raise Rejected(RejectReason.INVALID_INPUT)
    if gap > 0:
        raise Rejected(RejectReason.INSUFFICIENT_POINTS, points_gap=gap)


def _why_not_sold(engine: Engine, intent: SpendIntent, refused: Refused) -> ProviderError:
    """Return why a purchase was refused: what the engine shows now counts, not its words."""
    try:
        _need_points(engine, intent)
        if catalogue.is_out_of_stock(catalogue.get_reward(engine, intent.item_id)):
            return Rejected(RejectReason.OUT_OF_STOCK, str(refused))
    except (Rejected, Unavailable) as error:
        return error
    return Rejected(RejectReason.NOT_ALLOWED, str(refused), text=refused.message)
