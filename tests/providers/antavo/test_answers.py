"""The meaning of answers: refusals by number in every envelope, blocks, silence, and invalid answers."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.antavo.provider import AntavoProvider
from providers.antavo.refusals import Refused, value_of
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
    Unsupported,
)
from providers.outbound.deadline import deadline
from providers.outbound.exchange import Answer
from tests.providers.antavo.build import intent, order
from tests.providers.antavo.conftest import MIA, Connect, Served, build

ERROR = {"type": "BadRequestException", "code": 120241, "message": "Not enough points"}


def answer(body: Any, status: int = 400) -> Answer:
    return Answer(status=status, headers={"Content-Type": "text/javascript"}, body=json.dumps(body).encode())


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    "body",
    [
        {"error": ERROR},
        ERROR,
        {"code": 120241, "error": "Not enough points", "type": None},
        {"status": "error", "error": ERROR},
        {"status": "error", "error": "invalid_request", "details": ERROR},
        {"error": {"message": "Not enough points", "code": 120241, "resendable": False}},
        {"error": {**ERROR, "code": "120241"}},
    ],
)
def test_a_refusal_is_read_in_every_envelope_and_inside_200(body: Any, status: int) -> None:
    with pytest.raises(Refused) as caught:
        value_of(answer(body, status))
    assert (caught.value.code, caught.value.reason) == (120241, RejectReason.INSUFFICIENT_POINTS)


@pytest.mark.parametrize(
    "body",
    [
        {"code": "VC-7QK2", "status": "claimed", "type": "amount"},
        {"error": [], "success": {}},
        {"error": None},
        [],
        {"error": {"type": "InterruptException", "code": 127201, "message": "stopped"}},
    ],
)
def test_a_value_that_looks_like_a_refusal_is_a_value(body: Any) -> None:
    assert value_of(answer(body, 200)) == body


def test_the_workspaces_own_sentences_are_shown_and_antavos_are_not() -> None:
    for code, is_shown in ((120211, True), (120212, True), (120213, True), (999999, True), (120241, False)):
        with pytest.raises(Refused) as caught:
            value_of(answer({"error": {"code": code, "message": "Words"}}))
        assert bool(caught.value.text) is is_shown


@pytest.mark.parametrize("envelope", ["wrapped", "unwrapped", "versioned"])
@pytest.mark.parametrize("with_200", [True, False])
def test_a_claim_is_refused_in_any_envelope(
    provider: AntavoProvider, vendor: Served, envelope: str, with_200: bool
) -> None:
    vendor.envelope, vendor.refuses_with_200 = envelope, with_200
    with pytest.raises(Rejected) as caught:
        provider.spend(intent("twenty-five-off", 1000))
    assert caught.value.reason is RejectReason.INSUFFICIENT_POINTS


def down(vendor: Served) -> None:
    vendor.faults.is_down = True


def throttled(vendor: Served) -> None:
    vendor.faults.is_throttled = True


def blocked(vendor: Served) -> None:
    vendor.faults.is_throttled = vendor.is_blocked = True


def silent(vendor: Served) -> None:
    vendor.faults.withholds_answers = True


@pytest.mark.parametrize(
    ("fault", "of_read", "of_write"),
    [
        (down, Unavailable, OutcomeUnknown),
        (throttled, RateLimited, RateLimited),
        (blocked, RateLimited, RateLimited),
        (silent, Unavailable, OutcomeUnknown),
    ],
)
def test_each_fault_has_its_error(
    provider: AntavoProvider,
    vendor: Served,
    fault: Callable[[Served], None],
    of_read: type[ProviderError],
    of_write: type[ProviderError],
) -> None:
    fault(vendor)
    with deadline(0.5 if fault is silent else 10), pytest.raises(of_read):
        provider.get_member(MIA)
    with pytest.raises(of_write):
        provider.record_order(order())


def test_a_wrong_secret_needs_an_administrator(connect: Connect) -> None:
    with pytest.raises(AuthFailed):
        connect(api_secret="another").get_member(MIA)


def test_a_blocked_network_is_reported() -> None:
    provider = build("http://127.0.0.1:1")
    with responses.RequestsMock() as mock:
        forbidden = {"error": {"type": "ForbiddenException", "code": 0, "message": "IP"}}
        mock.get("http://127.0.0.1:1/customers/acme000101", json=forbidden, status=403)
        with pytest.raises(AuthFailed):
            provider.get_member(MIA)


def test_a_refused_connection_is_unavailable_for_writes_too(db: None) -> None:
    with pytest.raises(Unavailable):
        build("http://127.0.0.1:1").record_order(order())


@pytest.mark.parametrize(
    ("body", "status"), [("<html>", 200), ("<html>", 404), ("{}", 404), ("[1]", 200), ('"x"', 200)]
)
def test_an_answer_that_is_not_antavos_is_unexpected(body: str, status: int) -> None:
    provider = build("http://127.0.0.1:1")
    with responses.RequestsMock() as mock:
        mock.get("http://127.0.0.1:1/customers/acme000101", body=body, status=status)
        with pytest.raises(UnexpectedAnswer):
            provider.get_member(MIA)


def test_stores_cannot_be_listed(provider: AntavoProvider) -> None:
    with pytest.raises(Unsupported):
        provider.list_stores()


def test_no_refusal_carries_personal_data(provider: AntavoProvider) -> None:
    with pytest.raises(Rejected) as caught:
        provider.get_member("mia@example.test")
    assert "mia" not in caught.value.detail
