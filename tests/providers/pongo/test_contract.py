"""Pongo's adapter keeps the provider contract, over HTTP against the sandbox's Pongo."""

import hashlib
import hmac
import json
import time

import pytest

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from providers.pongo.provider import PongoProvider
from providers.types import MemberProfile, WebhookRequest
from tests.providers.contract_setup import Deliver
from tests.providers.lost_answers import LostAnswersContract
from tests.providers.pongo.conftest import (
    FIVE_OFF,
    MIA,
    TEN_OFF,
    TWENTY_FIVE_OFF,
    WEBHOOK_SECRET,
    Connect,
    Served,
)


class TestPongo(LostAnswersContract):
    transcribed = ("reward", "voucher", "-")
    gives_parts = False
    keeps = True

    @pytest.fixture
    def provider(self, connect: Connect) -> LoyaltyProvider:
        return connect(enrol_store="boston-1", signing_secret=WEBHOOK_SECRET)

    @pytest.fixture
    def member_ref(self) -> str:
        return MIA

    @pytest.fixture
    def reward_id(self) -> str:
        return FIVE_OFF

    @pytest.fixture
    def costly_reward_id(self) -> str:
        return TWENTY_FIVE_OFF

    @pytest.fixture
    def voucher_id(self, provider: PongoProvider, vendor: Served) -> str:
        book = vendor.book
        return book.give(book.customers[MIA], book.rewards[TEN_OFF]).hash

    @pytest.fixture
    def deliver(self) -> Deliver:
        at = int(time.time())

        def signed(secret: str = WEBHOOK_SECRET) -> WebhookRequest:
            body = json.dumps({"event": "customer.updated", "data": {"id": MIA}}).encode()
            signature = hmac.new(secret.encode(), body + str(at).encode(), hashlib.sha256).hexdigest()
            return WebhookRequest(headers={"pongo-signature": f"t={at},v1={signature}"}, body=body)

        return signed

    @pytest.fixture
    def stranger(self) -> MemberProfile:
        return MemberProfile(email="noor@example.test", phone="+16175550103", first_name="Noor")

    @pytest.fixture
    def server(self, vendor: Served) -> Vendor:
        return vendor
