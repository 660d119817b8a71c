"""Tests of the adapters. Failed assertions of the shared ones show the compared values, as in a test file."""

import pytest

pytest.register_assert_rewrite(
    "tests.providers.contract",
    "tests.providers.contract_setup",
    "tests.providers.history_contract",
    "tests.providers.lost_answers",
    "tests.providers.transcripts",
    "tests.providers.wrong_answers",
)
