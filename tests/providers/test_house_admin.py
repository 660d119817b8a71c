"""Changes that administrators can and cannot make to the house program."""

import uuid

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from providers.house.models import Entry, Hold, Member, Reward
from providers.house.provider import HouseProvider
from tests.providers.house import build_intent


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada", password="x"))
    return client


@pytest.mark.parametrize(("amount", "shown"), [("10", "10.00"), ("12.5", "12.50"), ("0.125", "0.125")])
def test_an_amount_shows_only_its_currencys_decimals(admin: Client, amount: str, shown: str) -> None:
    reward = Reward.objects.create(
        program="acme", reward_id="r", title="r", kind="fixed", amount=amount, cost=1
    )
    page = admin.get(reverse("admin:house_reward_change", args=[reward.pk])).content.decode()
    assert f'name="amount" value="{shown}"' in page


def form(member: Member | None = None, **fields: str) -> dict[str, str]:
    data = {
        "first_name": "Mia",
        "last_name": "",
        "email": member.email if member else "new@example.test",
        "phone": "",
        "consent_email": "not_asked",
        "consent_sms": "not_asked",
        "adjust_points": "",
        "adjust_note": "",
        "adjust_key": str(uuid.uuid4()),
        "entries-TOTAL_FORMS": "0",
        "entries-INITIAL_FORMS": "0",
    }
    return data | fields


def change_url(member: Member) -> str:
    return reverse("admin:house_member_change", args=[member.pk])


def test_a_repeated_adjustment_is_one_entry(admin: Client, member: Member) -> None:
    data = form(member, adjust_points="-50", adjust_note="Counted wrong")
    for _ in range(2):
        assert admin.post(change_url(member), data).status_code == 302
    member.refresh_from_db()
    assert member.spendable == 200
    assert Entry.objects.get(points=-50).note == "Counted wrong"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"adjust_points": "50"}, "Say why"),
        ({"adjust_points": "-251", "adjust_note": "x"}, "only 250 points"),
        ({"phone": "0617"}, "Enter a valid value"),
    ],
)
def test_an_invalid_form_changes_nothing(
    admin: Client, member: Member, fields: dict[str, str], message: str
) -> None:
    response = admin.post(change_url(member), form(member, **fields))
    assert message in response.content.decode()
    assert Entry.objects.count() == 1


def test_editing_a_profile_keeps_the_balance(admin: Client, member: Member) -> None:
    admin.post(change_url(member), form(member, last_name="Stone"))
    member.refresh_from_db()
    assert (member.last_name, member.spendable) == ("Stone", 250)


def test_a_member_added_by_hand_gets_an_id(admin: Client, house: HouseProvider) -> None:
    data = form(program="acme", email="New@Example.test", adjust_points="25", adjust_note="Welcome")
    response = admin.post(reverse("admin:house_member_add"), data)
    assert response.status_code == 302
    member = Member.objects.get(email="new@example.test")
    assert member.member_id.startswith("ACME-")
    assert member.spendable == 25


@pytest.mark.parametrize("model", ["entry", "hold"])
def test_the_ledger_is_read_only(admin: Client, house: HouseProvider, member: Member, model: str) -> None:
    house.spend(build_intent())
    row = Entry.objects.get() if model == "entry" else Hold.objects.get()
    url = reverse(f"admin:house_{model}_change", args=[row.pk])
    assert admin.get(url).status_code == 200
    assert admin.post(url, {"points": "9999"}).status_code == 403
    assert admin.get(reverse(f"admin:house_{model}_delete", args=[row.pk])).status_code == 403
    assert admin.get(reverse(f"admin:house_{model}_add")).status_code == 403


@pytest.mark.parametrize("model", ["member", "entry", "hold", "reward", "voucher", "tier", "earnrule"])
def test_every_list_can_be_searched(admin: Client, member: Member, model: str) -> None:
    assert admin.get(reverse(f"admin:house_{model}_changelist"), {"q": "mia"}).status_code in (200, 302)
    assert admin.get(reverse(f"admin:house_{model}_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cost": ""}, "A cost, or for points as money"),
        ({"amount": ""}, "An amount, or a percentage"),
        ({"kind": "product", "amount": ""}, "A free product needs its product ids"),
        ({"skus": '["TOTE-01"]'}, "A free product needs its product ids"),
    ],
)
def test_an_inconsistent_reward_is_refused_with_a_sentence(
    admin: Client, house: HouseProvider, fields: dict[str, str], message: str
) -> None:
    data = {
        "program": "acme",
        "reward_id": "new",
        "title": "New",
        "is_active": "on",
        "kind": "fixed",
        "amount": "5",
        "cost": "100",
        "skus": "[]",
    }
    response = admin.post(reverse("admin:house_reward_add"), data | fields)
    assert message in response.content.decode()
    assert Reward.objects.count() == 1
