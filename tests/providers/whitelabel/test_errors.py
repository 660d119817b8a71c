"""Every way in which the vendor can fail is one of our errors, and the token is asked for once."""

from collections.abc import Callable

import pytest
from django.core.cache import cache

from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    RejectReason,
    Unavailable,
    UnexpectedAnswer,
)
from providers.sales import Finding
from providers.whitelabel.client import Client, GatewayRefused
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.raw import RawVendor
from tests.providers.whitelabel.build import order, points_intent
from tests.providers.whitelabel.conftest import Build, LoseAnswers


def test_one_token_serves_every_call_and_lies_encrypted_in_the_cache(
    provider: WhiteLabelProvider, build: Build, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    build().list_rewards(mia, points_intent(mia, 1).cart)
    assert vendor.tokens_given == 1
    kept = cache.get(Client(provider.config).token.key)
    assert isinstance(kept, str)
    assert next(iter(vendor.tokens)) not in kept


def test_a_token_that_ran_out_is_renewed_once_even_for_a_write(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    vendor.tokens.clear()
    assert provider.record_order(order(mia)).points == 80
    assert vendor.tokens_given == 2
    assert len(vendor.state.events_of("TRANSACTION")) == 1


def test_other_credentials_do_not_use_the_old_token(
    provider: WhiteLabelProvider, build: Build, mia: str
) -> None:
    provider.get_member(mia)
    with pytest.raises(AuthFailed):
        build(client_id="somebody-else").get_member(mia)


def test_a_wrong_key_is_the_gateways_refusal_and_not_a_matter_of_the_token(build: Build, mia: str) -> None:
    with pytest.raises(GatewayRefused) as caught:
        build(api_key="wrong").get_member(mia)
    assert "API key" in caught.value.detail
    assert isinstance(caught.value, AuthFailed)


def test_a_token_without_the_right_is_told_apart(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    vendor.lacks_scope = True
    with pytest.raises(AuthFailed) as caught:
        provider.get_member(mia)
    assert not isinstance(caught.value, GatewayRefused)


@pytest.mark.parametrize(("switch", "expected"), [("is_throttled", RateLimited), ("is_down", Unavailable)])
def test_a_silent_vendor_is_unavailable(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str, switch: str, expected: type[ProviderError]
) -> None:
    provider.get_member(mia)
    setattr(vendor.faults, switch, True)
    with pytest.raises(expected):
        provider.get_member(mia)


def test_a_write_that_the_vendor_throttles_has_not_happened(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    vendor.faults.is_throttled = vendor.faults.writes_only = True
    with pytest.raises(RateLimited):
        provider.spend(points_intent(mia, 100))
    vendor.faults.is_throttled = False
    assert provider.find_spend(points_intent(mia, 100)).finding is Finding.DID_NOT
    provider.spend(points_intent(mia, 100, key="key-2"))
    assert vendor.state.points[mia] == 720


def test_the_limit_of_the_key_is_kept_by_the_gateway(
    provider: WhiteLabelProvider, vendor: WhiteLabel, mia: str
) -> None:
    provider.get_member(mia)
    vendor.exhaust()
    with pytest.raises(RateLimited):
        provider.get_member(mia)


def test_a_lost_answer_of_a_write_is_unknown(
    provider: WhiteLabelProvider, mia: str, lose_answers: LoseAnswers
) -> None:
    with lose_answers(), pytest.raises(OutcomeUnknown):
        provider.spend(points_intent(mia, 100))


def test_an_answer_outside_the_envelope_is_unexpected(build: Build, mia: str) -> None:
    def answer(connection, _over):  # type: ignore[no-untyped-def]
        body = b'{"access_token": "t", "expires_in": 3600, "status": "partial"}'
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + body)

    raw = RawVendor(answer)
    try:
        with pytest.raises(UnexpectedAnswer):
            build(base_url=raw.url, auth_url=raw.url).get_member(mia)
    finally:
        raw.close()


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda p: p.get_member("00000000-0000-4000-8000-000000000000"), RejectReason.MEMBER_NOT_FOUND),
        (lambda p: p.list_vouchers("00000000-0000-4000-8000-000000000000"), RejectReason.MEMBER_NOT_FOUND),
    ],
)
def test_who_is_gone_is_rejected(
    provider: WhiteLabelProvider, call: Callable[[WhiteLabelProvider], object], reason: RejectReason
) -> None:
    with pytest.raises(Rejected) as caught:
        call(provider)
    assert caught.value.reason is reason


def test_the_check_needs_an_administrators_token(provider: WhiteLabelProvider) -> None:
    result = provider.check()
    assert result.account == "127.0.0.1 (3 tiers)"
