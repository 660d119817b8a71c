"""The example vendor keeps the provider contract, over HTTP against its own sandbox."""

import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.stampcard.conftest import MIA, Build
from tests.providers.stampcard.server import Stampcard


class TestStampcard(LostAnswersContract):
    transcribed = ("reward", "-")
    gives_parts = False

    @pytest.fixture
    def provider(self, build: Build) -> LoyaltyProvider:
        return build()

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
    def dear_reward_id(self) -> str:
        return "breakfast"

    @pytest.fixture
    def voucher_id(self) -> str:
        pytest.skip("Stampcard has no vouchers")
