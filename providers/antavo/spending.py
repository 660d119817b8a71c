"""Spending: claims of rewards and offers, coupons, reserved points; found again, given back, confirmed.

A claimed reward's coupon is redeemed at once: as long as it is not, the customer could use it in the web
shop, too, for the points that the till's discount was made of.
"""

from contextlib import suppress
from dataclasses import dataclass

from providers import clock
from providers.antavo import coupons, records, reservations
from providers.antavo.answers import ALREADY_REVOKED, suppress_code
from providers.antavo.client import Client, of_member
from providers.antavo.fields import table, text
from providers.antavo.history import events_of
from providers.antavo.models import SpendState
from providers.antavo.offers import OFFER
from providers.antavo.records import CLAIM, COUPON, OFFER_CLAIM, RESERVE, way_of
from providers.errors import AuthFailed, ProviderError, Rejected, RejectReason, Unavailable, UnexpectedAnswer
from providers.types import Finding, Order, Spend, SpendFinding, SpendIntent, SpendKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a spend leaves at Antavo: told apart by `trace_id`."""

    trace_id: str
    provider_ref: str
    coupon: str = ""


def spend(client: Client, intent: SpendIntent) -> Spend:
    """Make the spend, once per key; the same key again returns what it made."""
    record = records.known(client.program, intent.key)
    if record and record.state == SpendState.DONE:
        return records.spend_of(record)
    way = way_of(intent.kind, intent.item_id)
    amount = ""
    if way == COUPON:
        if records.is_ours(client.program, intent.item_id):
            raise Rejected(RejectReason.ALREADY_USED, "a claim of ours uses this coupon")
        coupons.check_usable(client, intent.member_ref, intent.item_id, intent.cart)
        if intent.discount.amount:
            amount = coupons.gift_amount(intent.discount.raw, intent.discount.amount.amount, intent.cart)
    seen = [trace.trace_id for trace in _traces(client, intent, way)]
    record = records.begin(client.program, intent, seen, amount)
    try:
        provider_ref, coupon = _send(client, intent, way, amount)
    except (Rejected, AuthFailed, Unavailable):
        records.close(record)
        raise
    made = records.done(record, provider_ref, coupon)
    _redeem_claimed(client, made)
    return made


def find(client: Client, intent: SpendIntent) -> SpendFinding:
    """Say whether the spend happened, by what is at Antavo now and was not before it was sent."""
    record = records.find_or_close(client.program, intent)
    if record.state == SpendState.DONE:
        return SpendFinding(finding=Finding.HAPPENED, spend=records.spend_of(record))
    if record.state != SpendState.SENT or record.sent_at is None:
        return SpendFinding(finding=Finding.DID_NOT)
    way = way_of(intent.kind, intent.item_id)
    # Judged before the list is read: a claim that arrives in between shows in it. After SETTLED_AFTER nothing
    # can arrive any more, so what is not in the list then never happened.
    is_settled = clock.now() > record.sent_at + records.SETTLED_AFTER
    new = [trace for trace in _traces(client, intent, way) if trace.trace_id not in record.seen]
    new = [trace for trace in new if not records.is_of_another(record, trace.provider_ref)]
    if len(new) == 1 and (made := records.take(record, new[0].provider_ref, new[0].coupon)):
        _redeem_claimed(client, made)
        return SpendFinding(finding=Finding.HAPPENED, spend=made)
    # Several: somebody claimed the same elsewhere at the same moment, and a person has to look.
    if new or not is_settled:
        return SpendFinding(finding=Finding.CANNOT_TELL)
    records.close(record)
    return SpendFinding(finding=Finding.DID_NOT)


def release(client: Client, spend: Spend) -> None:
    """Give back whatever the spend took. What is given back already stays so."""
    way, coupon = spend.memo.get("way", ""), spend.memo.get("coupon", "")
    if way == RESERVE:
        reservations.give_back(client, spend)
    else:
        if coupon:
            coupons.give_back(
                client, spend.member_ref, coupon, spend.key, spend.memo.get("amount", "")
            )  # fmt: skip
        if way == CLAIM:
            # An offer cannot be revoked: its coupon stays with the customer, unused.
            with suppress_code(ALREADY_REVOKED):
                client.post(
                    of_member(spend.member_ref, "activities", "rewards", spend.memo["item"], "revoke"),
                    "revoke_claim",
                    {"event": spend.provider_ref},
                )
    records.note_released(client.program, spend.key)


def confirm(client: Client, spend: Spend, order: Order) -> None:
    """The order is real: redeem the claim's coupon if that is still to be done, note the reservation."""
    if spend.memo.get("way") == RESERVE:
        reservations.confirm(client, spend, order)
    elif spend.kind is not SpendKind.VOUCHER and (coupon := spend.memo.get("coupon")):
        coupons.ensure_redeemed(client, spend.member_ref, coupon, spend.key)


def _send(client: Client, intent: SpendIntent, way: str, amount: str) -> tuple[str, str]:
    """Make the write; returns Antavo's reference and the coupon that it made or used."""
    ref = intent.member_ref
    if way == RESERVE:
        reservations.reserve(client, ref, intent.key, intent.points)
        return intent.key, ""
    if way == COUPON:
        coupons.redeem(client, ref, intent.item_id, intent.key, amount)
        return intent.item_id, intent.item_id
    if way == OFFER_CLAIM:
        offer = intent.item_id.removeprefix(OFFER)
        answer = table(client.post(of_member(ref, "activities", "offers", offer, "claim"), "claim_offer"))
        # The schema wraps the coupon, the example does not; {} means that the cart or customer did not fit.
        code = text(table(answer.get("coupon") or answer).get("code"))
        if not code:
            raise Rejected(RejectReason.NOT_ALLOWED, "the offer does not apply")
        return code, code
    form = {"points": str(intent.points)} if intent.kind is SpendKind.POINTS else None
    path = of_member(ref, "activities", "rewards", intent.item_id, "claim")
    answer = table(client.post(path, "claim_reward", form))
    if not text(answer.get("id")):
        raise UnexpectedAnswer("claim_reward: no event id")
    return text(answer["id"]), text(table(answer.get("coupon")).get("code"))


def _traces(client: Client, intent: SpendIntent, way: str) -> list[Trace]:
    """Return what spends of the same thing have left at Antavo."""
    names, ref, item = client.names, intent.member_ref, intent.item_id
    if way == OFFER_CLAIM:
        # Which event an offer's claim leaves is not documented; the coupon it makes can be seen.
        codes = [text(row.get("code")) for row in coupons.list_coupons(client, ref)]
        return [Trace(trace_id=code, provider_ref=code, coupon=code) for code in codes]
    if way == RESERVE:
        if not reservations.is_reserved(client, ref, intent.key):
            return []
        return [Trace(trace_id=intent.key, provider_ref=intent.key)]
    if way == COUPON:
        return [
            Trace(trace_id=event.event_id, provider_ref=item, coupon=item)
            for event in events_of(client, ref, "coupon_redeem")
            if event.properties.get(names["event_code"]) == item
            and event.properties.get(names["event_transaction"], intent.key) == intent.key
        ]
    return [
        Trace(
            trace_id=event.event_id,
            provider_ref=event.event_id,
            coupon=event.properties.get(names["event_coupon"], ""),
        )
        for event in events_of(client, ref, "reward")
        if event.properties.get(names["event_reward"]) == item
    ]


def _redeem_claimed(client: Client, made: Spend) -> None:
    """Redeem the coupon of a claim. Whatever goes wrong, the points are spent and the spend stands:
    `confirm` tries again."""
    if made.kind is not SpendKind.VOUCHER and (coupon := made.memo.get("coupon")):
        with suppress(ProviderError):
            coupons.redeem(client, made.member_ref, coupon, made.key)
