"""Yotpo cancels a held reward, and its callback reaches everybody whom it concerns."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from loyaltyview.events.models import Alarm, AlarmKind, Event, EventState
from loyaltyview.events.processing import run_one
from loyaltyview.newstore.models import UsedCode
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, State
from loyaltyview.redemptions.serialization import cart_to_json, discount_to_json, intent_of
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.yotpo.provider import YotpoProvider
from tests.providers.yotpo.build import CART, FIVE_OFF, MIA, make_intent, points_of

HOOK = "/events/acme/provider/hook-secret/"


@pytest.fixture
def held(program: Program, provider: YotpoProvider, mia: str) -> Redemption:
    """Mia's reward in a cart of Boston, held at Yotpo."""
    program.provider_kind, program.provider_settings = "yotpo", dict(provider.config.settings)
    program.provider_webhook_secret, program.newstore_disable_codes = "hook-secret", True
    program.save()
    now = timezone.now()
    row = Redemption.objects.create(
        program=program, state=State.UNCERTAIN, key="k-1", fingerprint="f", launch_id="launch-1",
        cart=cart_to_json(CART), cart_id=CART.cart_id,
        member_ref=mia, kind="reward", item_id=FIVE_OFF, title="$5 off", points=100, currency="USD",
        discount=discount_to_json(make_intent(mia).discount), code="NSCODE1",
        code_expires_at=now + timedelta(minutes=15), store_id="US_BOSTON_01", requested_at=now,
    )  # fmt: skip
    IssuedCode.objects.create(program=program, redemption=row, code=row.code, issued_at=now)
    spend = provider.spend(intent_of(row))
    row.state, row.provider_ref, row.is_held = State.REVEALED, spend.provider_ref, spend.is_held
    row.save()
    return row


def test_the_callback_gives_back_raises_an_alarm_and_switches_the_code_off(
    client: Client, provider: YotpoProvider, yotpo: Yotpo, mia: str, held: Redemption
) -> None:
    assert points_of(provider, mia) == (720, 100)
    yotpo.redeem_in_the_web_shop(MIA)
    sent = yotpo.webhooks.sent[-1]
    for _ in range(2):  # Yotpo may deliver it again
        answer = client.post(HOOK, sent.body, content_type="application/json", headers=sent.headers)
        assert answer.status_code < 300
    while run_one():
        pass

    held.refresh_from_db()
    assert [event.state for event in Event.objects.all()] == [EventState.DONE]
    assert held.state == State.RELEASED
    assert points_of(provider, mia) == (820, 0)
    alarm = Alarm.objects.get(kind=AlarmKind.CANCELLED)
    assert alarm.detail == (
        "$5 off: cancelled by the program; its code is switched off at NewStore. Have it removed from the "
        "cart in US_BOSTON_01."
    )
    assert [each.code for each in UsedCode.objects.all()] == ["NSCODE1"]
