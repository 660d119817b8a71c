"""The adapter keeps the provider contract, with points held until the order and with points taken at once."""

import json

import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from loyaltyview.sandbox.vendors.yotpo.server import Yotpo
from providers.base import LoyaltyProvider
from providers.types import MemberProfile, WebhookRequest
from providers.yotpo.provider import YotpoProvider
from tests.providers.contract_setup import Deliver
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.yotpo.build import FIVE_OFF, TEN_OFF, TWENTY_FIVE_OFF
from tests.providers.yotpo.conftest import SECRET, Build


class YotpoContract(LostAnswersContract):
    transcribed = ("reward", "points", "-")
    closes = True

    @pytest.fixture
    def server(self, yotpo: Yotpo) -> Vendor:
        return yotpo

    @pytest.fixture
    def member_ref(self, mia: str) -> str:
        return mia

    @pytest.fixture
    def costly_reward_id(self) -> str:
        return TWENTY_FIVE_OFF

    @pytest.fixture
    def voucher_id(self) -> str:
        pytest.skip("Yotpo does not list unused codes")

    @pytest.fixture
    def deliver(self) -> Deliver:
        def signed(secret: str = SECRET) -> WebhookRequest:
            body = json.dumps({"secret": secret, "coupon_code": "LOY-1"}).encode()
            return WebhookRequest(headers={}, body=body)

        return signed

    @pytest.fixture
    def stranger(self) -> MemberProfile:
        return MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor")


class TestHolds(YotpoContract):
    """Generic rewards are held. An answer that is lost there is no spend: see test_lost_answers."""

    @pytest.fixture
    def provider(self, build: Build) -> LoyaltyProvider:
        return build()

    @pytest.fixture
    def reward_id(self) -> str:
        return FIVE_OFF

    @pytest.fixture
    def happens_only_with_its_answer(self) -> bool:
        return True


class TestAtOnce(YotpoContract):
    @pytest.fixture
    def provider(self, build: Build) -> YotpoProvider:
        return build(delays_deduction=False)

    @pytest.fixture
    def reward_id(self) -> str:
        return FIVE_OFF


class TestAtOnceForAnAmountOfOurs(TestAtOnce):
    """The same reward as Yotpo lists it without an amount: `reward_values` says it."""

    transcribed = ("reward",)

    @pytest.fixture
    def reward_id(self) -> str:
        return TEN_OFF
