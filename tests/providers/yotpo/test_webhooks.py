"""Deliveries in our words, and the one that must never be believed from a stranger."""

import json
from typing import Any

import pytest

from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.types import WebhookEvent, WebhookName, WebhookRequest
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import ANA, TEN_OFF, make_intent, make_order, points_of, ref
from tests.providers.yotpo.conftest import SECRET, Build


def delivered(yotpo: Yotpo, number: int = -1) -> WebhookRequest:
    """Return what the sandbox sent, as our endpoint would hand it over."""
    sent = yotpo.webhooks.sent[number]
    return WebhookRequest(headers={k.lower(): v for k, v in sent.headers.items()}, body=sent.body)


def callback(headers: dict[str, str] | None = None, **fields: Any) -> WebhookRequest:
    return WebhookRequest(headers=headers or {}, body=json.dumps(fields).encode())


def test_a_hold_that_another_redemption_cancels_is_named_by_its_code(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia))
    yotpo.redemptions.cancel_pending("mia@example.test")

    (event,) = provider.parse_webhook(delivered(yotpo))

    assert (event.name, event.provider_ref) == (WebhookName.SPEND_CANCELLED, spend.provider_ref)
    provider.release(spend)
    assert points_of(provider, mia) == (820, 0)


def test_a_shopper_who_requests_points_back_gets_them_when_we_release(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    yotpo.redemptions.ask_for_cancellation(spend.provider_ref)

    (event,) = provider.parse_webhook(delivered(yotpo))

    assert (event.name, event.provider_ref) == (WebhookName.SPEND_CANCELLED, spend.provider_ref)
    assert event.member_ref == mia
    provider.release(spend)
    assert points_of(provider, mia) == (820, 0)


@pytest.mark.parametrize(
    "request_",
    [
        callback(secret=SECRET, coupon_code="LOY-1"),
        callback(shared_secret=SECRET, code="LOY-1"),
        callback({"x-api-secret": SECRET}, reward_text="LOY-1"),
        WebhookRequest(headers={}, body=f"api_secret={SECRET}&coupon_code=LOY-1".encode()),
    ],
)
def test_the_callback_is_understood_in_every_shape(build: Build, request_: WebhookRequest) -> None:
    (event,) = build().parse_webhook(request_)

    assert (event.name, event.provider_ref) == (WebhookName.SPEND_CANCELLED, "LOY-1")


def test_a_callback_may_cancel_several(provider: YotpoProvider) -> None:
    events = provider.parse_webhook(callback(secret=SECRET, coupon_code="LOY-1, LOY-2"))

    assert [event.provider_ref for event in events] == ["LOY-1", "LOY-2"]
    assert len({event.event_id for event in events}) == 2


@pytest.mark.parametrize(
    "request_",
    [
        callback(coupon_code="LOY-1"),
        callback(secret="guess", coupon_code="LOY-1"),
        callback({"x-api-secret": "guess\xe9"}, coupon_code="LOY-1"),
        callback(secret="", coupon_code="LOY-1"),
    ],
)
def test_a_callback_without_the_secret_is_refused(build: Build, request_: WebhookRequest) -> None:
    with pytest.raises(AuthFailed):
        build().parse_webhook(request_)


def test_without_a_secret_of_ours_no_callback_is_believed(build: Build) -> None:
    with pytest.raises(AuthFailed):
        build(callback_secret="").parse_webhook(callback(secret="", coupon_code="LOY-1"))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"text", b"[" * 100_000])
def test_a_body_that_cannot_be_read_is_named_so(build: Build, body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        build().parse_webhook(WebhookRequest(headers={}, body=body))


def test_a_callback_that_names_no_code_is_named_so(provider: YotpoProvider) -> None:
    with pytest.raises(UnexpectedAnswer):
        provider.parse_webhook(callback(secret=SECRET, id="17"))


def test_codes_that_run_low_are_told_with_their_number(
    provider: YotpoProvider, yotpo: Yotpo, mia: str
) -> None:
    option = yotpo.books.options[int(TEN_OFF)]
    del option.codes[9:]
    spend = provider.spend(make_intent(mia, TEN_OFF, 200))
    provider.release(spend)

    events = [
        provider.parse_webhook(delivered(yotpo, number))[0] for number in range(len(yotpo.webhooks.sent))
    ]

    assert [event.provider_ref for event in events if event.name == WebhookName.LOW_STOCK] == ["$10 off: 8"]


def test_points_that_were_earned_name_the_member(provider: YotpoProvider, yotpo: Yotpo) -> None:
    ana = ref(provider, ANA)
    provider.record_order(make_order(ana))

    (event,) = provider.parse_webhook(delivered(yotpo))
    again = provider.parse_webhook(delivered(yotpo))

    assert (event.name, event.member_ref) == (WebhookName.MEMBER_CHANGED, ana)
    assert event.event_id == yotpo.webhooks.sent[-1].headers["eventid"]
    assert again == (event,)


def test_other_topics_keep_their_name(provider: YotpoProvider) -> None:
    (event,) = provider.parse_webhook(callback(topic="swell/referral/share"))

    assert event == WebhookEvent(event_id=event.event_id, name="swell/referral/share")
