"""Deliveries: proven by a secret header, told apart by type, subject and time."""

import json

import pytest

from loyaltyview.sandbox.vendors import VendorSetup
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookRequest
from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.raw import RawVendor
from tests.providers.whitelabel.build import SECRET
from tests.providers.whitelabel.conftest import Build

HEADERS = {"x-loyaltyview-token": SECRET}


def delivery(kind: str, at: str = "2025-06-02T10:31:00.000Z") -> bytes:
    body = {"type": kind, "reportedAt": at, "subject": "auth0|mia", "payload": {}}
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("PROFILE_UPDATED", "member_changed"),
        ("BURNED_VOUCHER", "member_changed"),
        ("TRANSACTION", "transaction"),
    ],
)
def test_a_delivery_says_what_changed(provider: WhiteLabelProvider, kind: str, name: str) -> None:
    (event,) = provider.parse_webhook(WebhookRequest(headers=HEADERS, body=delivery(kind)))
    assert (event.name, event.member_ref) == (name, "auth0|mia")


def test_the_same_delivery_has_the_same_id(provider: WhiteLabelProvider) -> None:
    ids = [
        provider.parse_webhook(WebhookRequest(headers=HEADERS, body=body))[0].event_id
        for body in (delivery("A"), delivery("A"), delivery("B"), delivery("A", "2025-06-02T10:31:00.001Z"))
    ]
    assert len(set(ids)) == 3
    assert ids[0] == ids[1]


@pytest.mark.parametrize("headers", [{}, {"x-loyaltyview-token": ""}, {"x-loyaltyview-token": "wröng"}])
def test_a_delivery_without_the_secret_is_refused(
    provider: WhiteLabelProvider, headers: dict[str, str]
) -> None:
    with pytest.raises(AuthFailed):
        provider.parse_webhook(WebhookRequest(headers=headers, body=delivery("A")))


def test_without_a_token_of_our_own_everything_is_refused(build: Build) -> None:
    provider = build(webhook_token="")
    for headers in ({}, {"x-loyaltyview-token": ""}):
        with pytest.raises(AuthFailed):
            provider.parse_webhook(WebhookRequest(headers=headers, body=delivery("A")))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type": 5}', b"\xff"])
def test_what_is_no_event_is_unexpected(provider: WhiteLabelProvider, body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        provider.parse_webhook(WebhookRequest(headers=HEADERS, body=body))


def test_the_sandbox_delivers_what_happens_with_the_secret(provider: WhiteLabelProvider) -> None:
    def answer(connection, _over):  # type: ignore[no-untyped-def]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    receiver = RawVendor(answer)
    try:
        tenant = WhiteLabel(VendorSetup(secret=SECRET, webhook_url=f"{receiver.url}/hook/"))
        mia = tenant.state.by_email("mia@example.test")
        tenant.state.emit("PROFILE_UPDATED", mia, {})
        tenant.webhooks.drain()
    finally:
        receiver.close()
    assert f"x-loyaltyview-token: {SECRET}".encode() in receiver.requests[0].lower()
    (event,) = provider.parse_webhook(
        WebhookRequest(headers=HEADERS, body=json.dumps(tenant.webhooks.sent[0]).encode())
    )
    assert (event.name, event.member_ref) == ("member_changed", "auth0|mia")
