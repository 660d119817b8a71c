"""Antavo's adapter keeps the provider contract, over HTTP against the sandbox's Antavo."""

import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from providers.types import MemberProfile
from tests.providers.antavo.conftest import MIA, Connect, Served
from tests.providers.lost_answers import LostAnswersContract


class TestAntavo(LostAnswersContract):
    gives_parts = False

    @pytest.fixture
    def provider(self, connect: Connect) -> LoyaltyProvider:
        return connect()

    @pytest.fixture
    def holds_rewards(self) -> bool:
        """Only points as money are reserved; a claim takes its points at once."""
        return False

    @pytest.fixture
    def member_ref(self) -> str:
        return MIA

    @pytest.fixture
    def reward_id(self) -> str:
        return "five-off"

    @pytest.fixture
    def dear_reward_id(self) -> str:
        return "twenty-five-off"

    @pytest.fixture
    def voucher_id(self, vendor: Served) -> str:
        return vendor.give(MIA, "MIA-BIRTHDAY").code

    @pytest.fixture
    def stranger(self) -> MemberProfile:
        return MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor")

    @pytest.fixture
    def server(self, vendor: Served) -> Vendor:
        return vendor


class TestAntavoThatAcceptsCheckouts(TestAntavo):
    """The same with the module Checkout accept: every checkout is pending until we accept it."""

    transcribed = ("points", "-")

    @pytest.fixture
    def provider(self, vendor: Served, connect: Connect) -> LoyaltyProvider:
        vendor.workspace.accept_mode = "manual"
        return connect(accepts_checkouts=True)


class TestAntavoThatDecidesLater(TestAntavo):
    """The same where somebody else accepts checkouts, later."""

    transcribed = ("points", "-")

    @pytest.fixture
    def provider(self, vendor: Served, connect: Connect) -> LoyaltyProvider:
        vendor.workspace.accept_mode = "manual"
        return connect()
