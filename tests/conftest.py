"""Shared fixtures: the program and its store."""

import pytest

from loyaltyview.programs.models import Program, Store


@pytest.fixture
def program(db: None) -> Program:
    """The Acme Club with the house program, store US_BOSTON_01."""
    program = Program.objects.create(
        slug="acme",
        name="Acme Club",
        currency="USD",
        country="US",
        newstore_tenant="acme-staging",
        newstore_api_url="http://127.0.0.1:1",
        newstore_identity_url="http://127.0.0.1:1/auth/realms/acme-staging",
        newstore_client_id="loyaltyview",
        newstore_client_secret="s3cret",
        newstore_event_key="event-key",
        provider_kind="house",
    )
    Store.objects.create(program=program, store_id="US_BOSTON_01", name="Boston", provider_store="boston-1")
    return program
