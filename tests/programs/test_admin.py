"""The admin of programs: secrets are written and never shown; "Test connection" reports what happened."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from loyaltyview.programs.models import Program
from providers.errors import AuthFailed, Unavailable, UnexpectedAnswer
from tests.programs.vendors import TestVendor

pytestmark = pytest.mark.django_db

SECRETS = ("s3cret", "event-key", "hook-secret", "vendor-key")


def form_of(client: Client, address: str) -> dict[str, Any]:
    """Return what a browser would post if the form at `address` were sent as it stands."""
    context = client.get(address).context
    form, data = context["adminform"].form, {}
    for bound in form:
        value = form.get_initial_for_field(bound.field, bound.name)
        data[bound.html_name] = bound.field.prepare_value(value)
    data = {name: value for name, value in data.items() if value is not None and value is not False}
    for formset in (inline.formset for inline in context["inline_admin_formsets"]):
        for bound in formset.management_form:
            data[bound.html_name] = bound.value()
        for inner in formset.forms:
            for bound in inner:
                data[bound.html_name] = bound.value() or ""
    return data


def address_of(program: Program) -> str:
    return f"/admin/programs/program/{program.pk}/change/"


def errors_of(response: Any) -> dict[str, list[str]]:
    return dict(response.context["adminform"].form.errors)


def test_no_secret_is_rendered(admin_client: Client, acme: Program) -> None:
    page = admin_client.get(address_of(acme)).content.decode()

    assert not any(secret in page for secret in SECRETS)
    inputs = re.findall(r'<input type="password"[^>]*>', page)
    assert len(inputs) >= 5  # those of the other vendors too
    assert not any("value=" in tag for tag in inputs)
    assert page.count("Set. Leave empty to keep it.") == 4


def test_a_secret_that_is_not_set_is_shown_as_not_set(admin_client: Client, program: Program) -> None:
    page = admin_client.get(address_of(program)).content.decode()

    assert "Not set." in page


def test_empty_secret_inputs_change_nothing(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme)) | {"name": "Acme Circle"}

    response = admin_client.post(address_of(acme), data)

    assert response.status_code == 302, errors_of(response)
    acme.refresh_from_db()
    assert acme.name == "Acme Circle"
    assert (acme.newstore_client_secret, acme.newstore_event_key) == ("s3cret", "event-key")
    assert acme.provider_webhook_secret == "hook-secret"
    assert acme.provider_settings["api_key"] == "vendor-key"
    assert acme.provider().config.settings["rate"] == Decimal("0.05")


def test_a_new_secret_replaces_the_old_one(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    data |= {"newstore_client_secret": "new-secret", "provider_testvendor_api_key": "new-vendor-key"}

    assert admin_client.post(address_of(acme), data).status_code == 302

    acme.refresh_from_db()
    assert acme.newstore_client_secret == "new-secret"
    assert acme.provider_settings["api_key"] == "new-vendor-key"
    told = str(LogEntry.objects.get().get_change_message())
    assert "NewStore client secret" in told
    assert "new-secret" not in told


def test_a_refused_form_does_not_give_the_secret_back(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    data |= {"newstore_client_secret": "new-secret", "currency": "euro"}

    response = admin_client.post(address_of(acme), data)

    assert "currency" in errors_of(response)
    assert "new-secret" not in response.content.decode()


def test_a_vendor_setting_is_validated_at_its_field(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    data |= {"provider_testvendor_base_url": "", "name": "Acme Circle"}

    response = admin_client.post(address_of(acme), data)

    assert errors_of(response) == {"provider_testvendor_base_url": ["missing"]}
    acme.refresh_from_db()
    assert acme.name == "Acme Club"


def test_a_vendor_setting_with_choices_is_a_list(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    form = admin_client.get(address_of(acme)).context["adminform"].form
    assert [value for value, _ in form.fields["provider_testvendor_unit"].choices] == ["points", "miles"]

    admin_client.post(address_of(acme), {**data, "provider_testvendor_unit": "miles"})

    acme.refresh_from_db()
    assert acme.provider_settings["unit"] == "miles"


@pytest.mark.parametrize(
    ("address", "asked_again", "cleared"),
    [
        ("newstore_api_url", {"newstore_client_secret", "newstore_event_key"}, ""),
        ("newstore_identity_url", {"newstore_client_secret"}, ""),
        ("provider_testvendor_base_url", {"provider_testvendor_api_key"}, "provider_webhook_secret"),
    ],
)
def test_a_changed_address_does_not_get_a_stored_secret(
    admin_client: Client, acme: Program, address: str, asked_again: set[str], cleared: str
) -> None:
    data = form_of(admin_client, address_of(acme)) | {address: "https://elsewhere.example"}
    refused = admin_client.post(address_of(acme), data)

    assert errors_of(refused).keys() == asked_again
    acme.refresh_from_db()
    assert "elsewhere" not in f"{acme.newstore_api_url} {acme.newstore_identity_url} {acme.provider_settings}"

    saved = admin_client.post(
        address_of(acme), data | dict.fromkeys(asked_again, "entered-again"), follow=True
    )
    acme.refresh_from_db()
    told = saved.content.decode()
    assert ("were cleared: Provider webhook secret" in told) is bool(cleared)
    kept = {"newstore_client_secret": "s3cret", "newstore_event_key": "event-key", cleared: ""}
    for name, value in kept.items():
        if name:
            assert getattr(acme, name) == ("entered-again" if name in asked_again else value)


def test_an_address_with_another_last_slash_is_the_same(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    data |= {
        "newstore_api_url": acme.newstore_api_url + "/",
        "provider_testvendor_base_url": "https://vendor.test/",
    }

    assert admin_client.post(address_of(acme), data).status_code == 302
    acme.refresh_from_db()
    assert (acme.newstore_client_secret, acme.provider_settings["api_key"]) == ("s3cret", "vendor-key")


def test_another_vendor_does_not_get_the_webhook_secret(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme)) | {"provider_kind": "house"}
    admin_client.post(address_of(acme), data)

    assert Program.objects.get().provider_webhook_secret == ""


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254", "https://10.0.0.8/api", "http://127.0.0.1:8100", "https://0x7f000001"]
)
@pytest.mark.parametrize(
    "field", ["newstore_api_url", "newstore_identity_url", "provider_testvendor_base_url"]
)
def test_a_private_address_is_refused_where_it_is_not_allowed(
    admin_client: Client, acme: Program, settings: Settings, field: str, url: str
) -> None:
    data = form_of(admin_client, address_of(acme)) | {field: url}
    settings.ALLOW_PRIVATE_ADDRESSES = False

    assert field in errors_of(admin_client.post(address_of(acme), data))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("newstore_api_url", "http://acme.p.newstore.net"),
        ("newstore_identity_url", "javascript:alert(1)"),
        ("provider_testvendor_base_url", "http://vendor.test"),
        ("provider_testvendor_page_size", "many"),
        ("provider_testvendor_names", "{"),
        ("languages", "xx"),
        ("languages", "en, en"),
        ("languages", ""),
        ("report_channels", ["shop"]),
        ("color", "green"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(
    admin_client: Client, acme: Program, field: str, value: Any
) -> None:
    data = form_of(admin_client, address_of(acme)) | {field: value}

    response = admin_client.post(address_of(acme), data)

    assert list(errors_of(response)) == [field]


def test_a_currency_that_the_vendor_cannot_represent_is_refused(
    admin_client: Client, acme: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(TestVendor, "most_decimals", 2)
    data = form_of(admin_client, address_of(acme)) | {"currency": "KWD"}
    response = admin_client.post(address_of(acme), data)
    assert errors_of(response) == {
        "currency": ["KWD has 3 decimals, testvendor takes amounts with at most 2"]
    }


def test_languages_and_channels_are_saved_as_lists(admin_client: Client, acme: Program) -> None:
    data = form_of(admin_client, address_of(acme))
    data |= {"languages": "fr, en", "report_channels": ["store", "web"]}

    assert admin_client.post(address_of(acme), data).status_code == 302

    acme.refresh_from_db()
    assert (acme.languages, acme.report_channels) == (["fr", "en"], ["store", "web"])


def test_an_unchanged_form_logs_no_change(admin_client: Client, acme: Program) -> None:
    assert admin_client.post(address_of(acme), form_of(admin_client, address_of(acme))).status_code == 302

    assert str(LogEntry.objects.get().get_change_message()) == "No fields changed."


def test_settings_of_other_vendors_are_not_validated(admin_client: Client, program: Program) -> None:
    data = form_of(admin_client, address_of(program)) | {"provider_testvendor_page_size": "many"}

    response = admin_client.post(address_of(program), data)

    assert response.status_code == 302, errors_of(response)


def test_a_program_is_added_with_its_store(admin_client: Client, db: None) -> None:
    address = "/admin/programs/program/add/"
    data = form_of(admin_client, address) | {
        "name": "Beta Club",
        "slug": "beta",
        "currency": "USD",
        "country": "US",
        "newstore_tenant": "beta-staging",
        "newstore_api_url": "https://beta.test",
        "newstore_identity_url": "https://id.test",
        "newstore_client_id": "c",
        "newstore_client_secret": "beta-secret",
        "provider_kind": "testvendor",
        "provider_testvendor_base_url": "https://vendor.test",
        "provider_testvendor_api_key": "k",
        "stores-TOTAL_FORMS": "1",
        "stores-0-store_id": "US_NYC_01",
        "stores-0-name": "New York",
        "stores-0-time_zone": "America/New_York",
    }

    response = admin_client.post(address, data)

    assert response.status_code == 302, errors_of(response)
    program = Program.objects.get(slug="beta")
    assert program.newstore_client_secret == "beta-secret"
    assert program.provider_settings["page_size"] == 50
    assert program.stores.get().store_id == "US_NYC_01"
    assert program.stores.get().time_zone == "America/New_York"
    again = form_of(admin_client, address_of(program)) | {"stores-0-time_zone": "New York"}
    assert "Must be a time zone such as Europe/Paris" in str(
        admin_client.post(address_of(program), again).content.decode()
    )


def test_users_who_may_only_view_see_no_secret(client: Client, acme: Program) -> None:
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_program"))
    client.force_login(viewer)

    response = client.get(address_of(acme))

    assert response.status_code == 200
    page = response.content.decode()
    assert "acme-staging" in page
    assert not any(secret in page for secret in SECRETS)
    assert "Test connection" not in page
    assert client.post(f"/admin/programs/program/{acme.pk}/test/").status_code == 403


# --- Test connection ----------------------------------------------------------------------------


def test_the_button_shows_account_and_time(
    admin_client: Client, acme: Program, vendor: type[TestVendor]
) -> None:
    assert "Test connection" in admin_client.get(address_of(acme)).content.decode()

    page = admin_client.post(f"/admin/programs/program/{acme.pk}/test/", follow=True).content.decode()

    assert "Acme Club: connected to testvendor as acme-test in 12 ms." in page
    assert vendor.checked_with[0]["api_key"] == "vendor-key"


@pytest.mark.parametrize(
    ("failure", "told"),
    [
        (AuthFailed("401 from /me"), "does not accept the credentials. 401 from /me"),
        (Unavailable("connect timed out"), "cannot be reached. connect timed out"),
        (UnexpectedAnswer("not JSON"), "gave an answer that is not understood. not JSON"),
    ],
)
def test_the_action_shows_the_error(
    admin_client: Client, acme: Program, vendor: type[TestVendor], failure: Any, told: str
) -> None:
    vendor.failure = failure
    data = {"action": "test_connection", "_selected_action": [acme.pk]}

    page = admin_client.post("/admin/programs/program/", data, follow=True).content.decode()

    assert told in page
    assert not any(secret in page for secret in SECRETS)


def test_the_button_shows_that_only_newstore_does_not_answer(admin_client: Client, acme: Program) -> None:
    page = admin_client.post(f"/admin/programs/program/{acme.pk}/test/", follow=True).content.decode()
    assert "Acme Club: connected to testvendor" in page
    assert "token endpoint cannot be reached." in page
    assert "connected to NewStore" not in page


def test_the_test_is_a_post(admin_client: Client, acme: Program) -> None:
    assert admin_client.get(f"/admin/programs/program/{acme.pk}/test/").status_code == 405


def test_a_deleted_program_cannot_be_tested(admin_client: Client, acme: Program) -> None:
    assert admin_client.post("/admin/programs/program/999/test/").status_code == 404
