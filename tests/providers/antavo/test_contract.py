"""Antavo's adapter keeps the provider contract, over HTTP against the sandbox's Antavo."""

import json

import jwt
import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from providers.types import MemberProfile, WebhookRequest
from tests.providers.antavo.conftest import MIA, SECRET, Connect, Served
from tests.providers.contract_setup import Deliver
from tests.providers.lost_answers import LostAnswersContract


class TestAntavo(LostAnswersContract):
    gives_parts = False

    @pytest.fixture
    def provider(self, connect: Connect) -> LoyaltyProvider:
        return connect(webhook_auth="jwt", webhook_key=SECRET)

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
    def costly_reward_id(self) -> str:
        return "twenty-five-off"

    @pytest.fixture
    def voucher_id(self, vendor: Served) -> str:
        return vendor.give(MIA, "MIA-BIRTHDAY").code

    @pytest.fixture
    def deliver(self) -> Deliver:
        def signed(secret: str = SECRET) -> WebhookRequest:
            token = jwt.encode({"exp": 2**33}, secret, algorithm="HS256")
            body = json.dumps({"eventName": "voucher_claimed", "consentGuid": MIA}).encode()
            return WebhookRequest(headers={"authorization": f"Bearer {token}"}, body=body)

        return signed

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
        return connect(accepts_checkouts=True, webhook_auth="jwt", webhook_key=SECRET)


class TestAntavoThatDecidesLater(TestAntavo):
    """The same where another system accepts checkouts later."""

    transcribed = ("points", "-")

    @pytest.fixture
    def provider(self, vendor: Served, connect: Connect) -> LoyaltyProvider:
        vendor.workspace.accept_mode = "manual"
        return connect(webhook_auth="jwt", webhook_key=SECRET)
