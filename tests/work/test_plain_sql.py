"""Rows are written and read without the ORM as the ORM writes and reads them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import IssuedCode, Redemption, Transition
from loyaltyview.work.plain_sql import insert, select, update


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


def test_a_row_is_read_as_the_orm_reads_it(program: Program) -> None:
    later = datetime(2026, 3, 4, 16, tzinfo=UTC)
    insert([row(program, "k-1", code_expires_at=later), row(program, "k-2", requested_at=later)])
    insert([row(program, "k-3", cart_id="another")])
    of_cart = {"program": program.pk, "cart_id": "c"}
    found = select(Redemption, of_cart, order_by="-requested_at", limit=5)
    assert [each.key for each in found] == ["k-2", "k-1"]
    for one, other in zip(found, Redemption.objects.filter(**of_cart).order_by("-requested_at"), strict=True):
        for field in Redemption._meta.concrete_fields:
            assert getattr(one, field.attname) == getattr(other, field.attname), field.name
    assert [each.key for each in select(Redemption, of_cart, order_by="requested_at", limit=1)] == ["k-1"]
    assert select(Redemption, {"cart_id": "c'"}, order_by="id", limit=1) == []


def test_a_row_that_was_read_can_be_saved(program: Program) -> None:
    insert([row(program)])
    (found,) = select(Redemption, {"key": "k-1"}, order_by="id", limit=1)
    found.points = 7
    found.save(update_fields=["points"])
    assert Redemption.objects.get().points == 7


def test_several_rows_or_none(program: Program) -> None:
    assert insert([row(program, "k-1"), row(program, "k-2")]) == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([row(program, "k-3"), row(program, "k-1")])
    assert Redemption.objects.count() == 2


def test_rows_that_exist_already_are_left_out(program: Program) -> None:
    insert([row(program, "k-1")])
    assert insert([row(program, "k-1"), row(program, "k-2")], may_be_there=True) == 1
    assert Redemption.objects.count() == 2


def test_rows_that_a_constraint_refuses_are_refused(program: Program) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([row(program, state="refused")], may_be_there=True)


def test_only_the_row_that_is_as_expected_is_changed(program: Program) -> None:
    until = datetime(2026, 3, 4, 15, 23, tzinfo=UTC)
    one, two = row(program, "k-1", lease_until=until), row(program, "k-2")
    insert([one, two])
    assert update(Redemption, {"id": two.pk, "lease_until": until}, {"points": 1}) == 0
    assert update(Redemption, {"id": one.pk, "state": ["uncertain"]}, {"points": 1}) == 0
    assert update(Redemption, {"lease_until": None, "state": ["requested", "uncertain"]}, {"points": 2}) == 1
    changes = {"points": 3, "lease_until": None, "memo": {"hold": "h-1"}, "saving": Decimal("1.5")}
    assert update(Redemption, {"id": one.pk, "lease_until": until}, changes) == 1
    found = Redemption.objects.get(pk=one.pk)
    assert {name: getattr(found, name) for name in changes} == changes
    assert Redemption.objects.get(pk=two.pk).points == 2


def test_a_change_that_a_constraint_refuses_is_refused(program: Program) -> None:
    insert([row(program)])
    with pytest.raises(IntegrityError), transaction.atomic():
        update(Redemption, {"key": "k-1"}, {"state": "refused"})


def test_new_rows_come_with_the_change_or_not_at_all(program: Program) -> None:
    one, at = row(program), datetime(2026, 3, 4, 16, tzinfo=UTC)
    insert([one])
    lines = [
        Transition(redemption=one, at=at, from_state="requested", to_state="uncertain", actor="a'17 %s"),
        IssuedCode(program=program, redemption=one, code="CODE-1", issued_at=at),
        row(program, "k-2", code_expires_at=None, saving=Decimal("1.5")),
    ]
    assert update(Redemption, {"id": one.pk, "state": "uncertain"}, {"points": 1}, lines) == 0
    assert (Transition.objects.count(), IssuedCode.objects.count(), Redemption.objects.count()) == (0, 0, 1)
    assert update(Redemption, {"id": one.pk, "state": "requested"}, {"points": 1}, lines) == 1
    line, code = Transition.objects.get(), IssuedCode.objects.get()
    assert (line.redemption, line.at, line.actor, code.redemption) == (one, at, "a'17 %s", one)
    assert Redemption.objects.get(key="k-2").cart == {"total": "129.90", "note": "100 % 'é'"}
    with pytest.raises(IntegrityError), transaction.atomic():
        update(Redemption, {"id": one.pk}, {"points": 2}, [lines[1]])
    assert Redemption.objects.get(pk=one.pk).points == 1
