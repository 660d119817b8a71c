"""The database takes no writes (full disk, read-only): pages are shown, and taps say why they fail."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption

from .conftest import launch_params
from .fakes import Vendor
from .test_redeem import form

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def read_only() -> Iterator[None]:
    switch = "PRAGMA query_only = {}" if connection.vendor == "sqlite" else (
        "SET default_transaction_read_only = {}"
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(switch.format("on"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(switch.format("off"))


def test_the_member_page_of_an_opened_launch_shows_what_the_program_says(
    client: Client, page: str, vendor: Vendor
) -> None:
    with read_only():
        response = client.get(page)

    assert response.status_code == 200
    assert 'data-page="member"' in response.content.decode()
    assert ">820" in response.content.decode()


def test_a_tap_spends_nothing_and_says_why(client: Client, shown: str, vendor: Vendor) -> None:
    with read_only():
        response = client.post(shown + "redeem/", form())

    assert response.status_code == 503
    assert 'data-error="DATABASE_UNAVAILABLE"' in response.content.decode()
    assert vendor.members["L-00042"].balance.spendable == 820
    assert not Redemption.objects.exists()


def test_a_launch_that_cannot_be_stored_says_why_too(client: Client, program: Program) -> None:
    with read_only():
        response = client.get("/launch/acme/", launch_params(program))

    assert response.status_code == 503
    assert 'data-error="DATABASE_UNAVAILABLE"' in response.content.decode()
