"""The example vendor keeps the provider contract, over HTTP against its own sandbox."""

import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from providers.types import WebhookRequest
from tests.providers.contract_setup import ContractFixtures, Deliver
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.stampcard.conftest import MIA, SECRET, Build
from tests.providers.stampcard.provider import StampcardProvider
from tests.providers.stampcard.server import Stampcard


class StampcardFixtures(ContractFixtures):
    @pytest.fixture
    def adapter(self) -> type[StampcardProvider]:
        return StampcardProvider

    @pytest.fixture
    def provider(self, build: Build, adapter: type[StampcardProvider]) -> LoyaltyProvider:
        return build(adapter)

    @pytest.fixture
    def server(self, vendor: Stampcard) -> Vendor:
        return vendor

    @pytest.fixture
    def member_ref(self) -> str:
        return MIA

    @pytest.fixture
    def reward_id(self) -> str:
        return "coffee"

    @pytest.fixture
    def costly_reward_id(self) -> str:
        return "breakfast"

    @pytest.fixture
    def deliver(self, vendor: Stampcard) -> Deliver:
        def signed(secret: str = SECRET) -> WebhookRequest:
            headers, body = vendor.delivery(secret, {"id": "e-1", "type": "stamps.changed", "customer": MIA})
            return WebhookRequest(headers=headers, body=body)

        return signed

    @pytest.fixture
    def voucher_id(self) -> str:
        pytest.skip("Stampcard has no vouchers")


class TestStampcard(StampcardFixtures, LostAnswersContract):
    transcribed = ("reward", "-")
    gives_parts = False
