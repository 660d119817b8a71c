"""Administrators can look at what we keep for Antavo, and change nothing of it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from providers.antavo.models import QueuedCheckout


@pytest.fixture
def admin(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.mark.parametrize("name", ["spendrecord", "refundrecord", "queuedcheckout"])
def test_each_list_is_shown_and_nothing_can_be_added(admin: Client, name: str) -> None:
    assert admin.get(f"/admin/antavo/{name}/").status_code == 200
    assert admin.get(f"/admin/antavo/{name}/add/").status_code == 403


def test_a_waiting_checkout_shows_its_last_error(admin: Client) -> None:
    row = QueuedCheckout.objects.create(
        program="acme", transaction_id="order-1", member_ref="acme000101", data={}, last_error="code 160212"
    )
    page = admin.get(f"/admin/antavo/queuedcheckout/{row.pk}/change/").content.decode()
    assert "code 160212" in page
    assert 'name="_save"' not in page
