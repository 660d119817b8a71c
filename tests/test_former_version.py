"""Processes of the former version write to the new tables while an upgrade is under way."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from loyaltyview.programs.models import Program
from loyaltyview.work import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("label", "values", "unknown"),
    [
        ("providers.MemberChange", {"digest": "d"}, {"facts", "reads", "reads_at", "kept_at"}),
        (
            "webview.Launch",
            {"id": "launch", "secret_hash": "s", "cart": {}, "last_known": {"points": 5}},
            {"is_member_assumed"},
        ),
    ],
)
def test_a_row_without_the_new_columns_is_stored_and_read(
    program: Program, label: str, values: dict[str, Any], unknown: set[str]
) -> None:
    model = apps.get_model(label)
    if label == "webview.Launch":
        values |= {"program": program, "expires_at": clock.now()}
    row = model(**values)
    known: list[Any] = [field for field in model._meta.concrete_fields if field.name not in unknown]
    known = [field for field in known if field.name != "id" or "id" in values]
    columns = ", ".join(connection.ops.quote_name(field.column) for field in known)
    stored = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in known]
    with connection.cursor() as cursor:
        table = connection.ops.quote_name(model._meta.db_table)
        cursor.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({', '.join(['%s'] * len(stored))})",
            stored,
        )

    read = model.objects.get()
    assert {name: getattr(read, name) for name in unknown} == {
        name: model._meta.get_field(name).get_default() for name in unknown
    }
