"""The settings of programs that were saved by an earlier version."""

import importlib

import pytest
from django.apps import apps
from django.db import connection

from loyaltyview.programs.models import Program
from providers.yotpo.settings import Settings

pytestmark = pytest.mark.django_db
SAVED = {"guid": "g", "api_key": "k"}


def migrate(name: str, function: str) -> None:
    migration = importlib.import_module(f"providers.yotpo.migrations.{name}")
    getattr(migration, function)(apps, type("Editor", (), {"connection": connection}))


def save(program: Program, **settings: object) -> None:
    program.provider_kind, program.provider_settings = "yotpo", {**SAVED, **settings}
    program.save()


def test_the_table_of_names_keeps_its_corrections(program: Program) -> None:
    save(program, assumed={"open_status": "pending"})

    for _ in range(2):
        migrate("0007_names", "rename")

    program.refresh_from_db()
    assert program.provider_settings == {**SAVED, "names": {"open_status": "pending"}}
    assert Settings.read(program.provider_settings).names["open_status"] == "pending"
    migrate("0007_names", "rename_back")
    program.refresh_from_db()
    assert program.provider_settings == {**SAVED, "assumed": {"open_status": "pending"}}


@pytest.mark.parametrize(
    ("platform", "status", "kept"),
    [
        ("bigcommerce", "shipped", {"bigcommerce_status": "shipped"}),
        ("sfcc", "0", {"sfcc_status": "CREATED"}),
        ("sfcc", "8", {"order_status": "8"}),
        ("magento", "complete", {"order_status": "complete"}),
    ],
)
def test_a_status_of_the_platforms_table_becomes_a_choice_and_is_sent_as_before(
    program: Program, platform: str, status: str, kept: dict[str, str]
) -> None:
    save(program, platform=platform, order_status=status)

    for _ in range(2):
        migrate("0008_status_of_the_platform", "choose")

    program.refresh_from_db()
    assert program.provider_settings == {**SAVED, "platform": platform, **kept}
    assert Settings.read(program.provider_settings).earning_status == status
    migrate("0008_status_of_the_platform", "choose_back")
    program.refresh_from_db()
    assert program.provider_settings["order_status"] == status
