"""Faults that authors of adapters make, each planted into the example vendor.

`caught_by` names the shared test that must fail, with pytest's arguments for it, and a part of its message.
`test_faults.py` proves it of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from providers.base import Capability
from providers.errors import OutcomeUnknown, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.models import WriteKind
from providers.movements import NEWEST, History
from providers.outbound.exchange import Call, segment
from providers.sales import Finding, Order, PointsChange, Return, Spend, SpendFinding, SpendIntent
from providers.types import (
    Cart,
    Discount,
    DiscountKind,
    Member,
    MemberQuery,
    Money,
    QueryKind,
    Reward,
    WebhookEvent,
    WebhookRequest,
)
from tests.providers.stampcard import members, orders, spending
from tests.providers.stampcard.provider import StampcardProvider

MONEY_OFF = DiscountKind.FIXED


@dataclass(frozen=True, slots=True)
class Fault:
    adapter: type[StampcardProvider]
    caught_by: str
    says: str
    given: Mapping[str, Any] = field(default_factory=dict)


class WrongPoints(StampcardProvider):
    """Reports that a spend took no points."""

    def spend(self, intent: SpendIntent) -> Spend:
        return replace(super().spend(intent), points=0)


class SpendsByRead(StampcardProvider):
    """Redeems by the call that is repeated when no answer comes."""

    def spend(self, intent: SpendIntent) -> Spend:
        body = {"reward": intent.item_id, "stamps": intent.points, "reference": intent.key}
        path = f"/customers/{segment(intent.member_ref)}/redemptions"
        try:
            answer = self.client.session.read(Call("POST", path, operation="redeem", json=body))
        except ProviderError as error:
            raise OutcomeUnknown("redeem") from error
        return Spend(
            key=intent.key,
            member_ref=intent.member_ref,
            kind=intent.kind,
            provider_ref=answer.json()["id"],
            points=intent.points,
        )

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        return _found(self, intent)


class RepeatsAfterTimeout(SpendsByRead):
    """Redeems once more, under the same key, when the answer is lost."""

    def spend(self, intent: SpendIntent) -> Spend:
        path = f"/customers/{segment(intent.member_ref)}/redemptions"
        body = {"reward": intent.item_id, "stamps": intent.points, "reference": intent.key}
        call = Call("POST", path, operation="redeem", json=body)
        try:
            self.client.session.write(call)
        except OutcomeUnknown:
            self.client.session.write(call)
        return Spend(
            key=intent.key, member_ref=intent.member_ref, kind=intent.kind, provider_ref="?", points=0
        )


class NoLock(StampcardProvider):
    """Offers a reward that the member cannot pay."""

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        return tuple(replace(reward, lock=None) for reward in super().list_rewards(ref, cart))


class CancelsHalf(StampcardProvider):
    """Cancels an order as if it were a return of a part of it."""

    def cancel_order(self, order: Order) -> PointsChange:
        half = Return(
            return_id=f"cancel-{order.order_id}",
            order_id=order.order_id,
            member_ref=order.member_ref,
            returned_at=order.placed_at,
            net=replace(order.earn_base, amount=order.earn_base.amount / 2),
            order_earn_base=order.earn_base,
        )
        return self.record_return(half)


class TakesNearMatches(StampcardProvider):
    """Assumes that the vendor's matches are exact."""

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        name = {QueryKind.EMAIL: "email", QueryKind.CODE: "card"}.get(query.kind)
        if not name or not query.value:
            return ()
        rows = self.client.get("/customers", operation="find_members", params={name: query.value})
        return tuple(members.get(self.client, row["id"]) for row in rows)


class ComparesAsTyped(StampcardProvider):
    """Takes the associate's spelling for the vendor's."""

    def find_members(self, query: MemberQuery) -> tuple[Member, ...]:
        return tuple(
            each for each in super().find_members(query) if query.value in (each.member_id, each.email)
        )


class HardCodedCurrency(StampcardProvider):
    """Calls each amount dollars."""

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        off = Discount(kind=MONEY_OFF, amount=Money(amount=Decimal(5), currency="USD"))
        return tuple(replace(reward, discount=off) for reward in super().list_rewards(ref, cart))


class TooManyDecimals(StampcardProvider):
    """Shares an amount out and does not round."""

    def list_rewards(self, ref: str, cart: Cart) -> tuple[Reward, ...]:
        off = Discount(kind=MONEY_OFF, amount=Money(amount=Decimal(5) / 3, currency=self.config.currency))
        return tuple(replace(reward, discount=off) for reward in super().list_rewards(ref, cart))


class DeclaresTooMuch(StampcardProvider):
    """Declares a preview that it does not make."""

    capabilities = StampcardProvider.capabilities | {Capability.EARN_PREVIEW}


class DeclaresTooLittle(StampcardProvider):
    """Has a history that no page ever asks for."""

    capabilities = StampcardProvider.capabilities - {Capability.HISTORY}


class FindsWhatIsNotDeclared(StampcardProvider):
    """Finds members by card without declaring it."""

    capabilities = StampcardProvider.capabilities - {Capability.CODE_LOOKUP}


class Believes404(StampcardProvider):
    """Reads a 404 as: it did not happen."""

    def find_spend(self, intent: SpendIntent) -> SpendFinding:
        try:
            return super().find_spend(intent)
        except UnexpectedAnswer:
            return SpendFinding(finding=Finding.DID_NOT)


class ReleasesTwice(StampcardProvider):
    """Gives the stamps back on each call."""

    def release(self, spend: Spend) -> None:
        purchase = f"gift-{spend.key}-{self.client.journal.writes().count()}"
        row, _is_new = self.client.journal.open(WriteKind.SALE, purchase, member_ref=spend.member_ref)
        amount = {"cents": spend.points * 100, "currency": self.config.currency}
        body = {"id": purchase, "customer": spend.member_ref, "amount": amount}
        orders._report(self.client, row, "/purchases", body)


class FailsOnRepetition(StampcardProvider):
    """Takes "already cancelled" for an error."""

    def release(self, spend: Spend) -> None:
        if self.client.journal.row_of(spend).state == "undone":
            raise Rejected(RejectReason.ALREADY_USED)
        spending.release(self.client, spend)


class TakesAnyAnswerForDone(StampcardProvider):
    """Looks at the status of a release only."""

    def release(self, spend: Spend) -> None:
        path = f"/redemptions/{segment(spend.provider_ref)}"
        answer = self.client.session.write(Call("DELETE", path, operation="cancel_redemption"))
        if answer.status != 200:
            raise UnexpectedAnswer(f"cancel_redemption: {answer.status}")


class ShowsAnother(StampcardProvider):
    """Shows the returned record without a check."""

    def get_member(self, ref: str) -> Member:
        row = self.client.get(f"/customers/{segment(ref)}", operation="get_member")
        return members._member(row)


class LocalTime(StampcardProvider):
    """Drops the offset of the vendor's times."""

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        found = super().get_history(ref, until, limit)
        lines = tuple(replace(line, at=line.at.replace(tzinfo=None)) for line in found.movements)
        return replace(found, movements=lines)


class OldestFirst(StampcardProvider):
    """Leaves the history in the vendor's order."""

    def get_history(self, ref: str, until: datetime | None = None, limit: int = NEWEST) -> History:
        found = super().get_history(ref, until, limit)
        return replace(found, movements=found.movements[::-1])


class TellsSecrets(StampcardProvider):
    """Puts the vendor's answer into the error."""

    def get_member(self, ref: str) -> Member:
        answer = self.client.session.read(Call("GET", f"/customers/{segment(ref)}", operation="get_member"))
        if answer.status != 200:
            raise UnexpectedAnswer(f"get_member: {answer.body.decode()}")
        return super().get_member(ref)


class BelievesEveryDelivery(StampcardProvider):
    """Compares no signature."""

    def parse_webhook(self, request: WebhookRequest) -> tuple[WebhookEvent, ...]:
        return (WebhookEvent(event_id="e-1", name="stamps.changed"),)


def _found(provider: StampcardProvider, intent: SpendIntent) -> SpendFinding:
    """Return the first redemption with the key of `intent`."""
    path = f"/customers/{segment(intent.member_ref)}/redemptions"
    rows = provider.client.get(path, operation="list_redemptions")
    refs = [row["id"] for row in rows if row["reference"] == intent.key]
    if not refs:
        return SpendFinding(finding=Finding.CANNOT_TELL)
    spend = Spend(
        key=intent.key,
        member_ref=intent.member_ref,
        kind=intent.kind,
        provider_ref=refs[0],
        points=intent.points,
    )
    return SpendFinding(finding=Finding.HAPPENED, spend=spend)


LOST = "test_a_spend_whose_answer_was_lost_is_found_with_any_clock_of_the_vendor"
DECLARED = "test_capabilities_and_methods_agree"
AMOUNTS = "test_amounts_are_in_the_programs_currency_and_no_finer_than_it"
RELEASED = "test_released_points_are_spendable_again_once"
HISTORY = "test_history_is_newest_first_and_in_words"

FAULTS = (
    # Eight faults that the first author of a sixth vendor planted.
    Fault(WrongPoints, "test_a_spend_takes_its_points_from_what_is_spendable", "0 == 100"),
    Fault(SpendsByRead, LOST, "520 == ", {"ahead_s": -0.5}),
    Fault(NoLock, "test_an_unaffordable_reward_is_locked_with_the_exact_gap", "cannot pay has no lock"),
    Fault(CancelsHalf, "test_a_cancelled_order_has_earned_nothing", "a cancelled order left points"),
    Fault(
        TakesNearMatches,
        "test_a_near_match_of_the_vendor_finds_no_member",
        "a near match was taken for the member",
        {"capability": Capability.EMAIL_LOOKUP},
    ),
    Fault(
        ComparesAsTyped,
        "test_a_number_typed_by_hand_finds_its_member",
        "is not found",
    ),
    Fault(
        HardCodedCurrency,
        "test_a_program_of_another_currency_offers_no_amount_in_ours",
        "an amount in another currency than the program's",
        {"currency": "EUR"},
    ),
    Fault(DeclaresTooMuch, DECLARED, "preview_earn and", {"capability": Capability.EARN_PREVIEW}),
    Fault(DeclaresTooLittle, DECLARED, "get_history and", {"capability": Capability.HISTORY}),
    Fault(
        FindsWhatIsNotDeclared,
        "test_undeclared_look_ups_make_no_call",
        "found",
        {"capability": Capability.CODE_LOOKUP},
    ),
    Fault(
        Believes404,
        "test_a_gateways_answer_does_not_say_that_a_spend_did_not_happen",
        "no answer was read as: it did not happen",
        {"status": 404, "body": "{}"},
    ),
    # Other faults that cost points or show private data.
    Fault(RepeatsAfterTimeout, LOST, "620 == ", {"ahead_s": -0.5}),
    Fault(ReleasesTwice, RELEASED, "1020 == 820"),
    Fault(FailsOnRepetition, RELEASED, "ALREADY_USED"),
    Fault(
        TakesAnyAnswerForDone,
        "test_a_gateways_answer_is_no_release",
        "the points were not given back",
        {"status": 200, "body": '{"error": "internal"}'},
    ),
    Fault(TooManyDecimals, AMOUNTS, "an amount finer than its currency"),
    Fault(ShowsAnother, "test_another_members_record_is_never_shown", "another member's record was shown"),
    Fault(LocalTime, HISTORY, "is not aware UTC"),
    Fault(OldestFirst, HISTORY, "does not begin with the newest line"),
    Fault(
        TellsSecrets,
        "test_an_error_repeats_no_secret_and_no_personal_data",
        "get_member repeats a secret or a person",
        {"status": 400},
    ),
    Fault(BelievesEveryDelivery, "test_a_delivery_with_a_wrong_signature_is_refused", "DID NOT RAISE"),
)
