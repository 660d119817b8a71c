"""A small house program for the tests of its own rules."""

import pytest

from providers.house.models import Member
from providers.house.provider import HouseProvider
from tests.providers.house import build_house, build_member


@pytest.fixture
def house(db: None) -> HouseProvider:
    return build_house()


@pytest.fixture
def member(house: HouseProvider) -> Member:
    """Mia with 250 points to spend, Bronze."""
    return build_member(points=250)
