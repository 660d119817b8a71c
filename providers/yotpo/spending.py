"""Spending: one redemption at Yotpo for each key, and finding it again when its answer was lost.

Yotpo takes no idempotency key. What came of a redemption is read from the member's history, where its
`status` is its code. A code that is new since the row was sent, of our option and of no other spend is ours.
Sources: loyaltyapi.yotpo.com/reference/create-redemption, support.yotpo.com/docs/delayed-point-deduction.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from providers.answers import text_of
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.journal.history import LONGEST_TITLE, TITLE
from providers.journal.models import Write
from providers.journal.spending import Found, Made, SpendWay
from providers.outbound import sharing
from providers.outbound.exchange import Answer
from providers.sales import Spend, SpendIntent, SpendKind
from providers.yotpo.client import Client, is_ok
from providers.yotpo.customers import fetch_by_ref, history_of
from providers.yotpo.holds import hold_columns, holds_of, is_held
from providers.yotpo.refs import identity_of
from providers.yotpo.rewards import Option, option_of

# No write is under way any more after this long: our call ends after 10 s, the server's after a minute at
# most, and the history is up to date. What is not in it then never happened.
SETTLED_AFTER = timedelta(minutes=3)
SEEN_S = 10.0  # how old the history may be that is kept as what was there before


class Redemption(SpendWay):
    """A redemption that takes its points at once, or is held: then they go with an order."""

    settled_after = SETTLED_AFTER

    def __init__(self, client: Client) -> None:
        self.client, self.journal = client, client.journal

    def plan(self, intent: SpendIntent) -> dict[str, Any]:
        if intent.kind is SpendKind.VOUCHER:
            raise Rejected(RejectReason.NOT_ALLOWED, "Yotpo lists no unused codes")
        option = option_of(self.client, intent.item_id)
        detail = {
            "option_id": intent.item_id,
            "is_custom": option.is_custom,
            TITLE: option.name[:LONGEST_TITLE],
        }
        if not self._can_hold(option, intent.member_ref):
            return {"detail": detail}
        # Nothing is read before: a hold whose code nobody got spends nothing.
        return {"detail": detail, "shown_before": {}, **hold_columns(intent.member_ref)}

    def before(self, write: Write, intent: SpendIntent) -> list[str]:
        """Return the codes in the history, as the page has read it some seconds ago."""
        with sharing.sharing(self.client.program, write.member_ref, max_age_s=SEEN_S):
            record = fetch_by_ref(self.client, write.member_ref, with_history=True)
        return sorted({item.code for item in history_of(record) if item.code})

    def send(self, write: Write, intent: SpendIntent) -> Made:
        body: dict[str, Any] = {
            "redemption_option_id": int(intent.item_id) if intent.item_id.isdecimal() else intent.item_id,
            **identity_of(self.client.program, intent.member_ref),
            "currency": self.client.currency,
        }
        if intent.kind is SpendKind.POINTS:
            body["points_to_redeem"] = intent.points
        if write.waits_for_order:
            body[self.client.settings.names["delay_field"]] = True
        answer = self.client.post("/redemptions", operation="spend", body=body)
        return self._made(answer, is_delayed=write.waits_for_order)

    def look(self, write: Write, intent: SpendIntent) -> Found:
        if write.waits_for_order:
            # Points go with an order that carries the code. Nobody knows the code, so nobody can send it,
            # however late the redemption arrives.
            return Found(is_certain=True)
        record = fetch_by_ref(self.client, write.member_ref, with_history=True)
        known = write.shown_before or []
        codes = dict.fromkeys(
            item.code
            for item in history_of(record)
            if item.code and item.points == -(write.points or 0) and item.code not in known
        )
        made = tuple(
            Made(ref=code, detail={"redemption_id": self._id_in(data)})
            for code in codes
            if not self.is_of_another(write, code)
            and self._is_of_option(write, data := code_data(self.client, code))
        )
        # False: of a spend from before an upgrade it is not known what was there before.
        return Found(made=made, is_complete=write.shown_before is not False or not made)

    def describe(self, write: Write) -> Spend:
        """The cancel-coupon callback knows nothing but the code, so the code is the redemption's name."""
        return replace(super().describe(write), is_held=is_held(write))

    def _can_hold(self, option: Option, member_ref: str) -> bool:
        """Return whether the points can go with the order. While one redemption is held, the next takes its
        points at once."""
        if not (self.client.settings.delays_deduction and option.can_delay):
            return False
        return not holds_of(self.journal, member_ref)

    def _made(self, answer: Answer, *, is_delayed: bool) -> Made:
        """Return what was redeemed; raise Rejected where Yotpo refused, in whatever shape."""
        if not is_ok(answer):
            raise self.client.refusal(answer)
        data = answer.json()
        code = text_of(data, "reward_text", "code") if isinstance(data, dict) else ""
        if code and (is_delayed or data.get("approved") is not False):
            return Made(ref=code, detail={"redemption_id": text_of(data, "id")})
        if not code and isinstance(data, dict) and data and "id" not in data:
            raise self.client.refusal(answer)  # a refusal that came as 200
        raise UnexpectedAnswer("spend: neither a code nor a refusal")

    def _id_in(self, data: dict[str, Any]) -> str:
        return text_of(data, self.client.settings.names["redemption_id_key"])

    def _is_of_option(self, write: Write, data: dict[str, Any]) -> bool:
        """Two options may cost the same; where Yotpo says which one a code is of, it must be ours."""
        option_id = text_of(data, self.client.settings.names["option_id_key"])
        return not option_id or option_id == write.item_id


def code_data(client: Client, code: str) -> dict[str, Any]:
    """Return what Yotpo says about a code, {} when it does not know it (404, an empty list and null alike).
    Its own `id` is that of the code, not of the redemption.
    Source: loyaltyapi.yotpo.com/reference/get-redemption-code-data."""
    answer = client.get("/redemption_codes", operation="get_code", params={"code": code})
    if answer.status == 404:
        return {}
    if not is_ok(answer):
        raise client.refusal(answer, not_found=RejectReason.REWARD_NOT_FOUND)
    data = answer.json()
    if isinstance(data, list):
        data = data[0] if data else {}
    if data is not None and not isinstance(data, dict):
        raise UnexpectedAnswer("code: neither object nor list")
    return data or {}
