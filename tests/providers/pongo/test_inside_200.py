"""An error that Pongo sends with status 200 is an error in every read."""

from typing import Any

import pytest

from providers.pongo.provider import PongoProvider
from tests.providers.inside_200 import assert_an_error_is_one
from tests.providers.pongo.conftest import MIA
from tests.providers.pongo.intents import a_cart

BODIES: list[Any] = [
    {"message": "Server Error"},
    {"message": "Server Error", "errors": {"customer": ["is busy"]}, "data": []},
    {"error": "Server Error", "data": None},
    {"data": None},
]


@pytest.mark.parametrize("body", BODIES)
def test_an_error_inside_200_is_an_error(provider: PongoProvider, body: Any) -> None:
    assert_an_error_is_one(provider, MIA, a_cart(), body, without=("get_history",))
