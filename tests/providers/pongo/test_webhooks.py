"""Deliveries: signed over body then timestamp, fresh, and about customers only."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from providers.errors import AuthFailed, UnexpectedAnswer
from providers.pongo import webhooks
from providers.pongo.models import Account, Subscription
from providers.pongo.provider import PongoProvider
from providers.types import WebhookEvent, WebhookRequest
from tests.providers.pongo.conftest import MIA, WEBHOOK_SECRET, Connect, Served

AT = datetime.fromtimestamp(1_750_000_000, UTC)
BODY = b'{"event":"customer.created","data":{"id":"cust_9f8e7d6c5b"}}'
# The vector of docs/contracts/pongo.md 6: secret "whsec_demo".
HEADER = "t=1750000000,v1=4a54b3d56db53df231243dbe1cf1bd0d65d5c18b284e6c801c123b34fdab2018"


def delivery(body: bytes = BODY, header: str = HEADER) -> WebhookRequest:
    return WebhookRequest(headers={"pongo-signature": header}, body=body)


def signed(body: bytes, secret: str = "whsec_demo", at: int = 1_750_000_000) -> WebhookRequest:
    signature = hmac.new(secret.encode(), body + str(at).encode(), hashlib.sha256).hexdigest()
    return delivery(body, f"t={at},v1={signature}")


@pytest.fixture
def listener(connect: Connect) -> PongoProvider:
    return connect(signing_secret="whsec_demo")


@time_machine.travel(AT, tick=False)
def test_the_contracts_vector_is_accepted(listener: PongoProvider) -> None:
    assert listener.parse_webhook(delivery()) == (
        WebhookEvent(
            event_id="customer.created:cust_9f8e7d6c5b:1750000000",
            name="member_changed",
            member_ref="cust_9f8e7d6c5b",
        ),
    )


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize(
    "request_",
    [
        delivery(BODY + b" "),
        delivery(header=HEADER.replace("1750000000", "1750000001")),
        delivery(header="v1=4a54"),
        delivery(header=""),
        signed(BODY, "another secret"),
    ],
)
def test_a_wrong_signature_is_refused(listener: PongoProvider, request_: WebhookRequest) -> None:
    with pytest.raises(AuthFailed):
        listener.parse_webhook(request_)


@pytest.mark.parametrize(("seconds", "is_fresh"), [(-301, False), (-299, True), (299, True), (301, False)])
def test_a_delivery_is_good_for_five_minutes(listener: PongoProvider, seconds: int, is_fresh: bool) -> None:
    with time_machine.travel(AT + timedelta(seconds=seconds), tick=False):
        if is_fresh:
            assert listener.parse_webhook(delivery())
        else:
            with pytest.raises(AuthFailed):
                listener.parse_webhook(delivery())


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"event":"customer.created"}', b"\xff"])
def test_a_signed_body_without_content_is_unexpected(listener: PongoProvider, body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        listener.parse_webhook(signed(body))


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize(
    "shape",
    [
        {"type": "customer.updated", "customer": {"id": MIA}},
        {"event": "customer.updated", "id": MIA},
    ],
)
def test_other_shapes_of_the_same_are_read(listener: PongoProvider, shape: dict[str, object]) -> None:
    (event,) = listener.parse_webhook(signed(json.dumps(shape).encode()))

    assert (event.name, event.member_ref) == ("member_changed", MIA)


@time_machine.travel(AT, tick=False)
def test_an_event_that_we_do_not_know_keeps_its_name(listener: PongoProvider) -> None:
    (event,) = listener.parse_webhook(signed(b'{"event":"order.created","data":{"id":"ord_1"}}'))

    assert (event.name, event.member_ref) == ("order.created", "")


# --- Subscribing ------------------------------------------------------------------------------------


class Caught:
    """What the sandbox's Pongo posted, instead of posting it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.requests: list[WebhookRequest] = []
        monkeypatch.setattr("loyaltyview.sandbox.vendors.pongo.webhooks.requests.post", self._post)

    def _post(self, _url: str, *, data: bytes, headers: dict[str, str], **_options: object) -> object:
        lower = {name.lower(): value for name, value in headers.items()}
        self.requests.append(WebhookRequest(headers=lower, body=data))
        return type("Answer", (), {"status_code": 200})()


def test_deliveries_of_a_subscription_are_read(
    provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught = Caught(monkeypatch)
    secret = webhooks.signing_secret(WEBHOOK_SECRET)
    webhooks.subscribe(provider.client, "https://loyalty.test/events/acme/provider/s/", secret)

    vendor.webhooks.tell("customer.updated", vendor.book.customers[MIA])
    vendor.webhooks.wait()

    (event,) = provider.parse_webhook(caught.requests[0])
    assert event.member_ref == MIA
    assert WEBHOOK_SECRET not in str(vendor.bodies("POST", "/v1/webhooks"))


def test_a_secret_that_pongo_chose_itself_is_kept_sealed(
    connect: Connect, provider: PongoProvider, vendor: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught = Caught(monkeypatch)
    vendor.webhooks.chooses_secret = True
    monkeypatch.setattr("loyaltyview.sandbox.vendors.pongo.webhooks.secrets.token_hex", lambda _n: "chosen")
    webhooks.subscribe(provider.client, "https://loyalty.test/hook/", "ours")

    vendor.webhooks.tell("customer.updated", vendor.book.customers[MIA])
    vendor.webhooks.wait()

    assert "chosen" not in Account.objects.get().sealed_signing_secret
    assert connect().parse_webhook(caught.requests[0])


def test_subscribing_twice_subscribes_once(provider: PongoProvider, vendor: Served) -> None:
    for _ in range(2):
        webhooks.subscribe(provider.client, "https://loyalty.test/hook/", "secret")

    assert vendor.count("POST", "/v1/webhooks") == len(webhooks.EVENTS)
    assert Subscription.objects.count() == len(webhooks.EVENTS)


def test_unsubscribing_ends_existing_subscriptions(provider: PongoProvider, vendor: Served) -> None:
    webhooks.subscribe(provider.client, "https://loyalty.test/hook/", "secret")
    vendor.webhooks.subscriptions.popitem()  # somebody ended one in Pongo's back office

    webhooks.unsubscribe(provider.client)

    assert vendor.webhooks.subscriptions == {}
    assert not Subscription.objects.exists()
