"""Admin's menu lists the tables of the vendors that programs use, and of no other."""

import pytest
from django.test import Client

from loyaltyview.programs.models import Program

pytestmark = pytest.mark.django_db


def menu_of(client: Client) -> set[str]:
    return {app["app_label"] for app in client.get("/admin/").context["available_apps"]}


@pytest.mark.parametrize(
    ("kind", "there", "absent"),
    [
        ("house", {"house", "house_api"}, {"pongo"}),
        ("pongo", {"pongo"}, {"house", "house_api"}),
        ("yotpo", set(), {"house", "house_api", "pongo"}),
    ],
)
def test_the_menu_has_the_vendors_that_programs_use(
    admin_client: Client, program: Program, kind: str, there: set[str], absent: set[str]
) -> None:
    Program.objects.update(provider_kind=kind)

    menu = menu_of(admin_client)

    assert menu >= there | {"programs", "redemptions", "events"}
    assert not menu & absent


def test_a_table_outside_the_menu_is_reached_by_its_address(admin_client: Client, program: Program) -> None:
    Program.objects.update(provider_kind="yotpo")

    assert admin_client.get("/admin/house/member/").status_code == 200
