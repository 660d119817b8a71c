"""An error that White Label sends with status 200 is an error in every read."""

from typing import Any

import pytest

from providers.whitelabel.provider import WhiteLabelProvider
from tests.providers.inside_200 import assert_an_error_is_one
from tests.providers.whitelabel.build import CART

BODIES: list[Any] = [
    {"status": "error", "message": "Internal error"},
    {"message": "Internal error"},
    {"status": "success", "data": {"error": "Internal error"}},
    {"status": "success", "data": None},
]


@pytest.mark.parametrize("body", BODIES)
def test_an_error_inside_200_is_an_error(provider: WhiteLabelProvider, mia: str, body: Any) -> None:
    provider.get_member(mia)  # the token is there already
    # What a cart would earn is only a guess of the engine's: without an answer nothing is promised. The
    # history is read from our journal.
    assert_an_error_is_one(provider, mia, CART, body, without=("preview_earn", "get_history"))
