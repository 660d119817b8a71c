"""Tests of the adapters. The shared ones show what they compared, as if they stood in a test file."""

import pytest

pytest.register_assert_rewrite(
    "tests.providers.contract",
    "tests.providers.contract_setup",
    "tests.providers.lost_answers",
    "tests.providers.transcripts",
    "tests.providers.wrong_answers",
)
