"""Entries are final: for the code, for bulk calls, and for the database itself."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from providers.errors import Rejected, RejectReason
from providers.house.ledger import adjust
from providers.house.models import Entry, LedgerIsFinal, Member
from tests.providers.house import REF, build_house, build_member


@pytest.fixture
def entry(member: Member) -> Entry:
    return Entry.objects.get()


@pytest.mark.parametrize(
    "attempt",
    [
        lambda entry: entry.save(),
        lambda entry: entry.delete(),
        lambda entry: Entry.objects.all().delete(),
        lambda entry: Entry.objects.update(points=1),
        lambda entry: Entry.objects.bulk_update([entry], ["points"]),
        lambda entry: entry.member.entries.update(points=1),
        lambda entry: Entry._base_manager.filter(pk=entry.pk).update(points=1),
    ],
)
def test_code_cannot_change_an_entry(entry: Entry, attempt: Callable[[Entry], object]) -> None:
    with pytest.raises(LedgerIsFinal):
        attempt(entry)


@pytest.mark.parametrize("statement", ["UPDATE house_entry SET points = 9999", "DELETE FROM house_entry"])
def test_sql_cannot_change_an_entry(entry: Entry, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="ledger entries are final"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Entry.objects.get().points == entry.points


@pytest.mark.parametrize("column", ["spendable", "reserved", "lifetime_points"])
def test_the_database_refuses_a_negative_balance(member: Member, column: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Member.objects.update(**{column: -1})


def test_an_adjustment_is_made_once_per_reference(member: Member) -> None:
    for _ in range(2):
        adjust("acme", REF, 40, reference="adjust:1", note="Goodwill")
    member.refresh_from_db()
    assert (member.spendable, member.lifetime_points) == (290, 0)


def test_an_adjustment_never_takes_more_than_the_balance(member: Member) -> None:
    with pytest.raises(Rejected) as caught:
        adjust("acme", REF, -251, reference="adjust:1", note="Too much")
    assert (caught.value.reason, caught.value.points_gap) == (RejectReason.INSUFFICIENT_POINTS, 1)
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_the_triggers_are_back_after_a_test_with_real_transactions(turn: int) -> None:
    build_house()
    build_member(points=turn)
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM house_entry")
