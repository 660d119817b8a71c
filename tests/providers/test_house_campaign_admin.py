"""Codes made, imported, given and exported by an administrator."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.urls import reverse

from providers.house.models import Campaign, CampaignCode, CodeBatch, MailOut, Member, Tier
from providers.house.provider import HouseProvider
from tests.providers.house import build_campaign


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


@pytest.fixture
def campaign(db: None) -> Campaign:
    return build_campaign("OLD-1")


def page(campaign: Campaign, name: str) -> str:
    return reverse(f"admin:house_campaign_{name}", args=[campaign.pk])


def csv(*lines: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("codes.csv", "\n".join(lines).encode())


def test_the_worker_makes_the_codes_that_the_form_asks_for(
    admin: Client, campaign: Campaign, house: HouseProvider
) -> None:
    assert "SUMMER-{code}" in admin.get(page(campaign, "make")).content.decode()
    response = admin.post(page(campaign, "make"), {"pattern": "SUMMER-{code}", "count": "3"})
    assert response.status_code == 302
    assert CodeBatch.objects.get(pattern="SUMMER-{code}").created_by == "ada"
    house.maintain()
    assert CampaignCode.objects.filter(code__startswith="SUMMER-").count() == 3


@pytest.mark.parametrize(
    "fields", [{"pattern": "SUMMER", "count": "3"}, {"pattern": "{code}", "count": "100001"}]
)
def test_a_batch_that_cannot_be_made_is_refused(
    admin: Client, campaign: Campaign, fields: dict[str, str]
) -> None:
    assert "errorlist" in admin.post(page(campaign, "make"), fields).content.decode()
    assert CodeBatch.objects.count() == 1


def test_a_file_with_a_refused_line_stores_nothing_and_lists_the_line(
    admin: Client, campaign: Campaign
) -> None:
    response = admin.post(page(campaign, "import"), {"file": csv("code", "NEW-1", "old 1x", "old1")})
    assert "2 lines are refused" in response.content.decode()
    assert "This code exists already." in response.content.decode()
    assert CodeBatch.objects.count() == 1


def test_a_good_file_is_first_checked_and_then_stored(
    admin: Client, campaign: Campaign, house: HouseProvider
) -> None:
    response = admin.post(page(campaign, "import"), {"file": csv("NEW-1", "NEW-2"), "is_dry_run": "on"})
    assert "Nothing was stored yet" in response.content.decode()
    assert CodeBatch.objects.count() == 1
    assert admin.post(page(campaign, "import"), {"file": csv("NEW-1", "NEW-2")}).status_code == 302
    house.maintain()
    assert set(CampaignCode.objects.values_list("code", flat=True)) == {"OLD-1", "NEW-1", "NEW-2"}


def test_codes_are_given_to_a_list_without_its_refused_lines(
    admin: Client, campaign: Campaign, house: HouseProvider, member: Member
) -> None:
    fields = {"to": "list", "file": csv(member.email, "nobody@example.test")}
    assert "One line is refused" in admin.post(page(campaign, "give"), fields).content.decode()
    fields = {"to": "list", "leaves_out": "on", "file": csv(member.email, "nobody@example.test")}
    assert admin.post(page(campaign, "give"), fields).status_code == 302
    house.maintain()
    assert CampaignCode.objects.get().member == member


def test_codes_are_given_to_a_tier(
    admin: Client, campaign: Campaign, house: HouseProvider, member: Member
) -> None:
    tier = Tier.objects.get(name="Bronze")
    assert "all members of Bronze" in admin.get(page(campaign, "give")).content.decode()
    assert admin.post(page(campaign, "give"), {"to": str(tier.pk)}).status_code == 302
    assert MailOut.objects.get().tier == tier


def test_codes_are_exported_as_csv(admin: Client, campaign: Campaign) -> None:
    response = admin.get(page(campaign, "export"))
    assert b"".join(response.streaming_content).splitlines()[1].startswith(b"OLD-1,summer,")  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["make", "import", "give", "export"])
def test_the_pages_ask_for_their_permission(db: None, campaign: Campaign, name: str) -> None:
    clerk = User.objects.create_user("bo", password="x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_campaign"))
    client = Client()
    client.force_login(clerk)
    assert client.get(page(campaign, name)).status_code == 403


@pytest.mark.parametrize("model", ["campaign", "codebatch", "mailout", "campaigncode"])
def test_every_list_of_campaigns_can_be_searched(admin: Client, campaign: Campaign, model: str) -> None:
    response = admin.get(reverse(f"admin:house_{model}_changelist"), {"q": "old1"})
    assert response.status_code == 200
    assert ("OLD-1" in response.content.decode()) == (model == "campaigncode")


def test_a_file_that_the_server_cannot_take_names_the_command(admin: Client, campaign: Campaign) -> None:
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=300):
        response = admin.post(page(campaign, "import"), {"file": csv("A" * 400), "is_dry_run": "on"})
    assert "manage.py house_codes" in response.content.decode()
