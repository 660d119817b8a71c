"""What administrators find in the journal."""

import pytest
from django.test import Client
from django.utils import timezone

from providers.journal.models import Write, WriteState


@pytest.fixture
def write(db: None) -> Write:
    return Write.objects.create(
        vendor="antavo",
        program="acme",
        kind="spend",
        key="0f3a-1",
        state=WriteState.DONE,
        member_ref="mia",
        points=200,
        order_id="ORDER-7",
        vendor_ref="65f0c1",
        sent_at=timezone.now(),
        detail={"way": "claim", "coupon": "VC-54811F07"},
    )


@pytest.mark.parametrize("text", ["0f3a-1", "ORDER-7", "65f0c1", "VC-54811F07", "vc-54811f07"])
def test_a_write_is_found_by_its_order_its_key_and_the_vendors_coupon_code(
    admin_client: Client, write: Write, text: str
) -> None:
    page = admin_client.get("/admin/journal/write/", {"q": text}).content.decode()
    assert f"/admin/journal/write/{write.pk}/change/" in page


def test_a_write_is_not_found_by_something_else(admin_client: Client, write: Write) -> None:
    page = admin_client.get("/admin/journal/write/", {"q": "VC-0000"}).content.decode()
    assert f"/admin/journal/write/{write.pk}/change/" not in page


def test_a_write_that_waits_shows_its_last_error_and_cannot_be_changed(
    admin_client: Client, write: Write
) -> None:
    write.last_error = "code 160212"
    write.save()
    page = admin_client.get(f"/admin/journal/write/{write.pk}/change/").content.decode()
    assert "code 160212" in page
    assert 'name="_save"' not in page
    assert admin_client.get("/admin/journal/write/add/").status_code == 403
    assert admin_client.post(f"/admin/journal/write/{write.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_page_of_a_write_shows_the_vendors_coupon_code(admin_client: Client, write: Write) -> None:
    page = admin_client.get(f"/admin/journal/write/{write.pk}/change/").content.decode()
    assert "VC-54811F07" in page
