"""The adapter keeps the provider contract against the sandbox's server, over real HTTP."""

import json

import pytest

from loyaltyview.sandbox.answers import Json
from loyaltyview.sandbox.vendors.base import Vendor
from loyaltyview.sandbox.vendors.whitelabel.server import WhiteLabel
from providers.base import LoyaltyProvider
from providers.types import MemberProfile, WebhookRequest
from tests.providers.contract_setup import Deliver
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.whitelabel.build import FIVE_OFF, SECRET, TWENTY_FIVE_OFF
from tests.providers.whitelabel.conftest import Build


class TestWhiteLabel(LostAnswersContract):
    @pytest.fixture
    def provider(self, build: Build) -> LoyaltyProvider:
        return build()

    @pytest.fixture
    def member_ref(self, mia: str) -> str:
        return mia

    @pytest.fixture
    def reward_id(self) -> str:
        return FIVE_OFF

    @pytest.fixture
    def costly_reward_id(self) -> str:
        return TWENTY_FIVE_OFF

    @pytest.fixture
    def voucher_id(self, whole_voucher: Json) -> str:
        return str(whole_voucher["id"])

    @pytest.fixture
    def deliver(self) -> Deliver:
        def signed(secret: str = SECRET) -> WebhookRequest:
            body = {"type": "PROFILE_UPDATED", "reportedAt": "2025-06-02T10:31:00Z", "subject": "auth0|mia"}
            return WebhookRequest(headers={"x-loyaltyview-token": secret}, body=json.dumps(body).encode())

        return signed

    @pytest.fixture
    def stranger(self) -> MemberProfile:
        return MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor")

    @pytest.fixture
    def server(self, vendor: WhiteLabel) -> Vendor:
        return vendor


class TestReturnsAsEvents(TestWhiteLabel):
    """The same with a tenant that has an event type for returns, wants all sales, and has offers for all."""

    transcribed = ("points", "-")

    @pytest.fixture
    def provider(self, build: Build, vendor: WhiteLabel) -> LoyaltyProvider:
        vendor.events.add_return_type()
        return build(return_type="TRANSACTION_RETURNED", report_all_sales=True, offers="as_admin")
