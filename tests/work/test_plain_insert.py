"""Rows that are written past `save` are the rows that `save` would have written."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.work.plain_insert import insert


def row(program: Program, key: str = "k-1", **fields: object) -> Redemption:
    return Redemption(
        **{
            "program": program, "key": key, "fingerprint": "f", "launch_id": "l", "cart_id": "c",
            "cart": {"total": "129.90", "note": "100 % 'é'"}, "member_ref": f"m-{key}", "kind": "reward",
            "item_id": "i", "title": "10 % off", "points": 200, "discount": {"percent": "10"},
            "saving": Decimal("12.99"), "currency": "USD",
            "requested_at": datetime(2026, 3, 4, 15, 22, 7, 318000, tzinfo=UTC),
            **fields,
        }
    )  # fmt: skip


def test_a_row_comes_back_as_it_was_given(program: Program) -> None:
    given = row(program)
    assert insert([given]) == 1
    found = Redemption.objects.get()
    for field in Redemption._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(given, field.attname), field.name


def test_several_rows_or_none(program: Program) -> None:
    assert insert([row(program, "k-1"), row(program, "k-2")]) == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([row(program, "k-3"), row(program, "k-1")])
    assert Redemption.objects.count() == 2


def test_rows_that_may_be_there_already_are_left_out(program: Program) -> None:
    insert([row(program, "k-1")])
    assert insert([row(program, "k-1"), row(program, "k-2")], may_be_there=True) == 1
    assert Redemption.objects.count() == 2


def test_rows_that_a_rule_refuses_are_refused_all_the_same(program: Program) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([row(program, state="refused")], may_be_there=True)
