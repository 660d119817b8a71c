"""The house program keeps the provider contract, with the sample program that a newcomer sees."""

from pathlib import Path

import pytest

from providers.base import LoyaltyProvider, ProviderConfig
from providers.house.provider import HouseProvider
from providers.house.sample_file import load_sample
from providers.types import MemberProfile
from tests.providers.transcripts import TranscriptContract

SAMPLE = Path(__file__).resolve().parents[2] / "samples" / "house.toml"


class TestHouse(TranscriptContract):
    calls_a_vendor = False

    @pytest.fixture
    def provider(self, db: None) -> LoyaltyProvider:
        load_sample(SAMPLE.read_text(encoding="utf-8") + BIRTHDAY_OF_MIA, SAMPLE.parent)
        return HouseProvider(ProviderConfig(program="acme", currency="USD", country="US"))

    @pytest.fixture
    def member_ref(self) -> str:
        return "ACME-000101"

    @pytest.fixture
    def reward_id(self) -> str:
        return "five-off"

    @pytest.fixture
    def costly_reward_id(self) -> str:
        return "twenty-five-off"

    @pytest.fixture
    def voucher_id(self) -> str:
        return "mia-birthday"

    @pytest.fixture
    def stranger(self) -> MemberProfile:
        return MemberProfile(email="noor@example.test", phone="+16175550104", first_name="Noor")


# The sample gives its voucher to Ana; the contract's member, Mia, needs one too. It continues a list that
# the file ends with, so it opens a member of its own.
BIRTHDAY_OF_MIA = """
[[members]]
id = "ACME-000101"
[[members.vouchers]]
id = "mia-birthday"
title = "$10 birthday voucher"
kind = "fixed"
amount = 10
"""
