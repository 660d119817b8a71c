"""Webhooks: read by the program's own field names, verified as its trusted site is set up."""

import base64
import json
from typing import Any

import jwt
import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.antavo.webhooks import Webhooks
from providers.antavo.provider import AntavoProvider
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookEvent, WebhookRequest
from tests.providers.antavo.conftest import SECRET, build

# The one body that Antavo publishes, at developers.antavo.com/docs/in-store-retail-integration.
CLAIMED = {
    "consentGuid": "acme000101",
    "voucherCode": "VC-7QK2",
    "voucherStatus": "claimed",
    "value": "10",
    "eventName": "voucher_claimed",
}


def parse(provider: AntavoProvider, body: Any, authorization: str = "") -> tuple[WebhookEvent, ...]:
    headers = {"authorization": authorization} if authorization else {}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return provider.parse_webhook(WebhookRequest(headers=headers, body=raw))


def test_the_published_body_is_read_without_any_setting() -> None:
    (event,) = parse(build("http://127.0.0.1:1"), CLAIMED)
    assert (event.name, event.member_ref, event.provider_ref) == (
        "voucher_claimed",
        "acme000101",
        "VC-7QK2",
    )


def test_the_same_body_again_is_the_same_event_and_another_status_is_not() -> None:
    provider = build("http://127.0.0.1:1")
    first, again = parse(provider, CLAIMED), parse(provider, CLAIMED)
    other = parse(provider, CLAIMED | {"voucherStatus": "invalid"})
    assert first == again
    assert first[0].event_id != other[0].event_id


def test_a_programs_own_body_is_read_by_its_names() -> None:
    provider = build(
        "http://127.0.0.1:1",
        webhook_fields={"event": "kind", "id": "meta.id", "member": "customer._id", "ref": "claim"},
        webhook_events={"claim_revoked": "spend_cancelled"},
    )
    body = {"kind": "claim_revoked", "meta": {"id": 7}, "customer": {"_id": "c-1"}, "claim": "65f0"}
    assert parse(provider, body) == (
        WebhookEvent(event_id="7", name="spend_cancelled", member_ref="c-1", provider_ref="65f0"),
    )


@pytest.mark.parametrize("body", [b"no", b"\xff", b"5", {}, {"eventName": ""}, [1]])
def test_a_body_without_its_event_is_unexpected(body: Any) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse(build("http://127.0.0.1:1"), body)


def test_a_token_must_be_signed_with_our_key_and_not_expired() -> None:
    provider = build("http://127.0.0.1:1", webhook_auth="jwt", webhook_key=SECRET)
    good = jwt.encode({"exp": 2**33}, SECRET, algorithm="HS256")
    assert parse(provider, CLAIMED, f"Bearer {good}")
    forged = jwt.encode({"exp": 2**33}, "x" * 40, algorithm="HS256")
    expired = jwt.encode({"exp": 1}, SECRET, algorithm="HS256")
    unsigned = jwt.encode({"exp": 2**33}, "", algorithm="none")
    for token in (forged, expired, unsigned, "", "x"):
        with pytest.raises(AuthFailed):
            parse(provider, CLAIMED, f"Bearer {token}")
    with pytest.raises(AuthFailed):
        parse(provider, CLAIMED)


def test_user_and_password_must_be_those_of_the_trusted_site() -> None:
    provider = build("http://127.0.0.1:1", webhook_auth="basic", webhook_key="antavo:pässword")
    good = base64.b64encode("antavo:pässword".encode()).decode()
    assert parse(provider, CLAIMED, f"Basic {good}")
    for header in ("", f"Bearer {good}", "Basic eDp5"):
        with pytest.raises(AuthFailed):
            parse(provider, CLAIMED, header)


def test_the_sandbox_delivers_again_until_it_is_taken() -> None:
    statuses, seen = [500, 500, 200], []

    @Request.application
    def receiver(request: Request) -> Response:
        seen.append((request.headers["Authorization"], request.get_json()))
        return Response("", statuses[len(seen) - 1])

    server = make_server("127.0.0.1", 0, receiver, threaded=True)
    pauses: list[float] = []
    webhooks = Webhooks(f"http://127.0.0.1:{server.server_port}/", SECRET, pauses.append)
    webhooks.tell(CLAIMED)
    for _ in statuses:
        server.handle_request()
    webhooks.wait()
    server.server_close()
    assert (webhooks.sent, pauses) == (statuses, [10, 10])
    provider = build("http://127.0.0.1:1", webhook_auth="jwt", webhook_key=SECRET)
    assert parse(provider, seen[0][1], seen[0][0])
