"""An error that Yotpo sends with status 200 is an error in every read."""

from typing import Any

import pytest

from providers.yotpo.provider import YotpoProvider
from tests.providers.inside_200 import assert_an_error_is_one
from tests.providers.yotpo.build import CART

BODIES: list[Any] = [
    {"error": "Something went wrong"},
    {"errors": {"base": ["is busy"]}},
    {"error_message": "Internal error"},
    {"message": "Try again later"},
    {},
]


@pytest.mark.parametrize("body", BODIES)
def test_an_error_inside_200_is_an_error(provider: YotpoProvider, mia: str, body: Any) -> None:
    assert_an_error_is_one(provider, mia, CART, body, without=("list_vouchers", "find_voucher"))
