"""The contract of every adapter that calls a vendor for wrong answers, beside the `ProviderContract`.

A vendor answers with a near match or with another member's record, a gateway answers for the vendor, and an
error repeats what was sent. The answers are changed between the adapter and the sandbox's server, so the
vendors' servers need no code for it.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import Capability, LoyaltyProvider
from providers.errors import AuthFailed, OutcomeUnknown, ProviderError
from providers.outbound.exchange import Answer, Call
from providers.outbound.vendor_session import VendorSession
from providers.sales import Finding, SpendIntent
from providers.types import Balance, Cart, Member, MemberQuery, QueryKind
from tests.providers.contract import LOOKUPS
from tests.providers.contract_setup import Deliver, MakeOrder, assert_types, make_return, need
from tests.providers.inside_200 import reads_of
from tests.providers.transcripts import LONG_AFTER, TranscriptContract, losing

Read = Callable[..., Answer]
# What is no answer of the vendor's.
OF_A_GATEWAY = [
    (404, "<h1>Not Found</h1>"),
    (404, "{}"),
    (404, '{"error": "not_found"}'),
    (400, '{"message": "Bad Request"}'),
    (200, "<h1>Sign in</h1>"),
    (200, '{"error": "internal"}'),
    (200, "{}"),
    (200, "null"),
    (204, ""),
]
# Those that could pass for a write that is done.
TO_A_WRITE = [
    (404, "<h1>Not Found</h1>"),
    (404, "{}"),
    (200, "<h1>Sign in</h1>"),
    (200, '{"error": "internal"}'),
]


class WrongAnswersContract(TranscriptContract):
    @pytest.mark.parametrize("capability", LOOKUPS)
    def test_a_near_match_of_the_vendor_finds_no_member(
        self,
        provider: LoyaltyProvider,
        member: Member,
        code: str,
        capability: Capability,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The vendor answers a look-up of one character less as if it were the whole."""
        need(provider, capability)
        kind = LOOKUPS[capability]
        value = {QueryKind.EMAIL: member.email, QueryKind.PHONE: member.phone, QueryKind.CODE: code}[kind]
        for near in (value[:-1], f"{value}0"):
            with monkeypatch.context() as patch:
                patch.setattr(VendorSession, "read", _asking_for(value, instead_of=near))
                found = provider.find_members(MemberQuery(kind=kind, value=near))
            assert found == (), "a near match was taken for the member"

    def test_another_members_record_is_never_shown(
        self, provider: LoyaltyProvider, member: Member, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(VendorSession, "read", _answering_with(member.ref, "somebody-else"))
        with suppress(ProviderError):
            assert provider.get_member(member.ref).ref == member.ref, "another member's record was shown"

    def test_another_members_voucher_is_never_listed(
        self,
        provider: LoyaltyProvider,
        member: Member,
        voucher_id: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The vendor's answer names another owner of what it lists, where it names one at all."""
        bent: list[bytes] = []
        monkeypatch.setattr(VendorSession, "read", _answering_with(member.ref, "somebody-else", bent))
        with suppress(ProviderError):
            listed = {voucher.voucher_id for voucher in provider.list_vouchers(member.ref)}
            assert not bent or voucher_id not in listed, "another member's voucher was listed"

    @pytest.mark.parametrize(("status", "body"), OF_A_GATEWAY)
    def test_a_gateways_answer_does_not_say_that_a_spend_did_not_happen(
        self,
        provider: LoyaltyProvider,
        intent: SpendIntent,
        server: Vendor,
        happens_only_with_its_answer: bool,
        status: int,
        body: str,
    ) -> None:
        """The gateway no longer reaches the vendor; the points are already spent."""
        if happens_only_with_its_answer:
            pytest.skip("a lost answer is no spend here")
        with losing(server, withholds_answers=True), pytest.raises(OutcomeUnknown):
            provider.spend(intent)
        with _answering(server, lambda _request: Response(body, status)):
            for later in (datetime.now(UTC), datetime.now(UTC) + LONG_AFTER):
                with time_machine.travel(later), suppress(ProviderError):
                    finding = provider.find_spend(intent).finding
                    assert finding is not Finding.DID_NOT, "no answer was read as: it did not happen"
        assert provider.find_spend(intent).finding is Finding.HAPPENED

    @pytest.mark.parametrize(("status", "body"), TO_A_WRITE)
    def test_a_gateways_answer_is_no_release(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        status: int,
        body: str,
    ) -> None:
        need(provider, Capability.RELEASE_POINTS)
        spend = provider.spend(intent)
        _until_done(server, Response(body, status), lambda: provider.release(spend))
        assert provider.get_member(member.ref).balance == member.balance, "the points were not given back"

    @pytest.mark.parametrize(("status", "body"), TO_A_WRITE)
    def test_a_gateways_answer_neither_earns_nor_cancels(
        self,
        provider: LoyaltyProvider,
        member: Member,
        server: Vendor,
        make_order: MakeOrder,
        status: int,
        body: str,
    ) -> None:
        _until_done(server, Response(body, status), lambda: provider.record_order(make_order()))
        earned = total(provider.get_member(member.ref).balance) - total(member.balance)
        points = provider.record_order(make_order()).points
        assert earned == points if points is not None else earned >= 0, "the order earned nothing"
        _until_done(server, Response(body, status), lambda: provider.cancel_order(make_order()))
        left = total(provider.get_member(member.ref).balance)
        assert left == total(member.balance), "the points of the order were not taken back"

    @pytest.mark.parametrize(("status", "body"), TO_A_WRITE)
    def test_a_gateways_answer_is_no_return_and_gives_no_part_back(
        self,
        provider: LoyaltyProvider,
        member: Member,
        intent: SpendIntent,
        server: Vendor,
        make_order: MakeOrder,
        status: int,
        body: str,
    ) -> None:
        need(provider, Capability.PARTIAL_RETURN)
        answer, order = Response(body, status), make_order(base="100.00")
        provider.record_order(order)
        earned = total(provider.get_member(member.ref).balance)
        _until_done(server, answer, lambda: provider.record_return(make_return(order, "return-1", "50.00")))
        taken = earned - total(provider.get_member(member.ref).balance)
        assert abs(2 * taken - (earned - total(member.balance))) <= 2, "the return took nothing back"
        if Capability.PARTIAL_RELEASE in provider.capabilities:
            spend = provider.spend(intent)
            provider.confirm(spend, make_order("order-2", spends=(spend,)))
            before = provider.get_member(member.ref).balance.spendable
            _until_done(server, answer, lambda: provider.release_part(spend, 7, "return-2"))
            after = provider.get_member(member.ref).balance.spendable
            assert after == before + 7, "the part was not given back"

    @pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 500])
    def test_an_error_repeats_no_secret_and_no_personal_data(
        self,
        provider: LoyaltyProvider,
        member: Member,
        cart: Cart,
        intent: SpendIntent,
        server: Vendor,
        status: int,
    ) -> None:
        """The vendor's error repeats the whole request."""
        calls = reads_of(provider, member.ref, cart)
        calls["spend"] = lambda: provider.spend(intent)
        errors: dict[str, ProviderError] = {}
        with _answering(server, lambda request: _echo(request, status)):
            for name, call in calls.items():
                try:
                    call()
                except ProviderError as error:
                    errors[name] = error
        assert errors
        secrets = [
            provider.config.settings.get(each.name) for each in provider.setting_specs if each.is_secret
        ]
        private = [text for text in (*secrets, member.email, member.phone) if text]
        for name, raised in errors.items():
            told = f"{raised} {raised.detail} {raised.args}"
            assert not [text for text in private if text in told], f"{name} repeats a secret or a person"

    def test_a_delivery_is_believed_by_its_signature(
        self, provider: LoyaltyProvider, deliver: Deliver
    ) -> None:
        need(provider, Capability.WEBHOOKS)
        events = provider.parse_webhook(deliver())
        assert events
        assert_types(events)
        assert all(event.event_id and event.name for event in events)
        assert provider.parse_webhook(deliver()) == events, "the same delivery is the same event"

    def test_a_delivery_with_a_wrong_signature_is_refused(
        self, provider: LoyaltyProvider, deliver: Deliver
    ) -> None:
        need(provider, Capability.WEBHOOKS)
        forged = deliver("another-secret-that-is-long-enough-for-hs256")
        for request in (forged, replace(forged, headers={})):
            with pytest.raises(AuthFailed):
                provider.parse_webhook(request)


def _asking_for(exact: str, *, instead_of: str) -> Read:
    """Return a `VendorSession.read` that asks by `exact` wherever `instead_of` is a parameter."""
    read = VendorSession.read

    def asking(self: VendorSession, call: Call) -> Answer:
        asked = {
            name: _replaced(getattr(call, name), instead_of, exact) for name in ("params", "json", "form")
        }
        return read(self, replace(call, **asked))

    return asking


def _replaced(value: Any, old: str, new: str) -> Any:
    text = json.dumps(value)
    for sign in ("", "+"):  # some vendors take phones without the plus
        if (bare := old.removeprefix(sign)) in text:
            return json.loads(text.replace(bare, new.removeprefix(sign)))
    return value


def _answering_with(old: str, new: str, bent: list[bytes] | None = None) -> Read:
    """Return a `VendorSession.read` whose answers have `new` for `old`; what was bent goes into `bent`."""
    read = VendorSession.read

    def answering(self: VendorSession, call: Call) -> Answer:
        answer = read(self, call)
        if bent is not None and old.encode() in answer.body:
            bent.append(answer.body)
        return replace(answer, body=answer.body.replace(old.encode(), new.encode()))

    return answering


def _until_done(server: Vendor, answer: Response, write: Callable[[], object]) -> None:
    """Make a write while a gateway gives this answer, and again long after unless it passed for done."""
    try:
        with _answering(server, lambda _request: answer):
            write()
    except ProviderError:
        with time_machine.travel(datetime.now(UTC) + LONG_AFTER):
            write()


def total(balance: Balance) -> int:
    return balance.spendable + balance.pending


@contextmanager
def _answering(server: Vendor, respond: Callable[[Request], Response]) -> Iterator[None]:
    """Let something before the vendor answer everything."""
    own = server.respond
    server.respond = respond  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        server.respond = own  # type: ignore[method-assign]


def _echo(request: Request, status: int) -> Response:
    sent = f"{request.url} {dict(request.headers)} {request.get_data(as_text=True)}"
    body = {"error": sent, "message": sent, "code": sent, "status": "error", "errors": [sent]}
    return Response(json.dumps(body), status, content_type="application/json")
