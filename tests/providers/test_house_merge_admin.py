"""An administrator merges two cards: preview, reason, confirmation, record."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from providers.house.models import Member, Merge
from providers.house.provider import HouseProvider
from tests.providers.house import REF, build_member


@pytest.fixture
def old(house: HouseProvider, member: Member) -> Member:
    return build_member("ACME-000777", points=300)


def client_with(*permissions: str) -> Client:
    clerk = User.objects.create_user("bo", password="x", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(clerk)
    return client


def page_of(survivor: Member, other: Member) -> str:
    return reverse("admin:house_member_merge", args=[survivor.pk, other.pk])


def test_two_cards_are_selected_previewed_and_merged(member: Member, old: Member) -> None:
    client = client_with("view_member", "change_member", "merge_members", "view_merge")
    action = {"action": "merge_two", "_selected_action": [member.pk, old.pk]}
    response = client.post(reverse("admin:house_member_changelist"), action)
    assert response.headers["Location"] == page_of(member, old)
    html = client.get(page_of(member, old)).content.decode()
    assert "A merge cannot be undone." in html
    assert "a cart with it offers to enrol the customer again" in html
    assert "<strong><bdi>550</bdi></strong>" in html
    response = client.post(page_of(member, old), {"reason": "Enrolled twice", "is_sure": "on"}, follow=True)
    assert "ACME-000777 is merged into ACME-000001." in response.content.decode()
    row = Merge.objects.get()
    assert (row.actor, row.reason, row.survivor.member_id) == ("bo", "Enrolled twice", REF)
    assert "Enrolled twice" in client.get(reverse("admin:house_merge_changelist")).content.decode()
    change = reverse("admin:house_member_change", args=[old.pk])
    assert client.get(change).status_code == 200
    assert client.post(change, {}).status_code == 403


@pytest.mark.parametrize("fields", [{"is_sure": "on"}, {"reason": "Enrolled twice"}, {}])
def test_without_a_reason_and_a_confirmation_nothing_is_merged(
    member: Member, old: Member, fields: dict[str, str]
) -> None:
    response = client_with("merge_members").post(page_of(member, old), fields)
    assert "errorlist" in response.content.decode()
    assert not Merge.objects.exists()


def test_a_merge_has_a_permission_of_its_own(member: Member, old: Member) -> None:
    client = client_with("view_member", "change_member")
    assert client.get(page_of(member, old)).status_code == 403
    assert "merge_two" not in client.get(reverse("admin:house_member_changelist")).content.decode()


def test_one_card_or_three_are_no_merge(member: Member, old: Member) -> None:
    client = client_with("view_member", "change_member", "merge_members")
    for selected in ([member.pk], [member.pk, old.pk, build_member("ACME-3").pk]):
        action = {"action": "merge_two", "_selected_action": selected}
        response = client.post(reverse("admin:house_member_changelist"), action, follow=True)
        assert "Select two cards" in response.content.decode()
