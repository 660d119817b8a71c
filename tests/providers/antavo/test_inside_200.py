"""An error that Antavo sends with status 200 is an error in every read."""

from typing import Any

import pytest

from providers.antavo.provider import AntavoProvider
from tests.providers.antavo.build import cart
from tests.providers.antavo.conftest import MIA
from tests.providers.inside_200 import assert_an_error_is_one

BODIES: list[Any] = [
    {"error": {"message": "Internal error", "code": 0}},
    {"error": "Internal error"},
    {"status": "error", "message": "Internal error"},
    {"success": False},
    {"maintenance": True},
]


@pytest.mark.parametrize("body", BODIES)
def test_an_error_inside_200_is_an_error(provider: AntavoProvider, body: Any) -> None:
    assert_an_error_is_one(provider, MIA, cart("80.00", "TOTE-01"), body)
