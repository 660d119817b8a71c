"""What the journal tells of a member, for vendors that list no movements."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from providers.journal.booking import book_part, book_release
from providers.journal.history import list_movements, rows_of
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.retention import erase_member
from providers.journal.states import Journal, advance, undo

pytestmark = pytest.mark.django_db
ACME = Journal(vendor="stamps", program="acme")
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def write(key: str, kind: WriteKind = WriteKind.SPEND, minute: int = 0, **fields: Any) -> Write:
    at = NOON + timedelta(minutes=minute)
    if kind is WriteKind.SPEND:
        fields = {"item_kind": "reward", "detail": {"title": "Tote"}, **fields}
    given = {"member_ref": "mia", "state": WriteState.DONE, "sent_at": at, "noted_at": at, **fields}
    return ACME.add(kind, key, **given)


def told(**given: Any) -> list[tuple[int, str]]:
    return [(line.points, line.text) for line in list_movements(ACME, "mia", **given).movements]


def give_back(write: Write | None) -> None:
    assert write
    Write.objects.filter(pk=write.pk).update(state=WriteState.DONE)


def test_a_history_has_signed_points_and_begins_with_the_newest_line() -> None:
    write("o-1", WriteKind.SALE, 1, points=120)
    write("s-1", minute=2, points=100)
    write("r-1", WriteKind.RETURN, 3, points=-20, order_id="o-1")
    write("o-2", WriteKind.CANCEL, 4, points=40)
    assert told() == [
        (-40, "Purchase cancelled"),
        (-20, "Return"),
        (-100, "Redeemed: Tote"),
        (120, "Purchase"),
    ]


def test_a_spend_and_its_release_are_one_line() -> None:
    spend = write("s-1", points=100)
    release = book_release(spend, 100)
    assert told() == [(-100, "Redeemed: Tote")]
    give_back(release)
    undo(spend)
    assert told() == [(0, "Redeemed and given back: Tote")]


def test_parts_that_came_back_lower_what_a_redemption_took() -> None:
    give_back(book_part(write("s-1", points=100), "r-1", 30))
    assert told() == [(-70, "Redeemed and partly given back: Tote")]


def test_parts_that_are_all_of_a_redemption_gave_it_back() -> None:
    spend = write("s-1", points=100)
    for number in range(2):
        give_back(book_part(spend, f"r-{number}", 50))
    assert told() == [(0, "Redeemed and given back: Tote")]


def test_a_part_that_is_not_given_back_yet_changes_nothing() -> None:
    book_part(write("s-1", points=100), "r-1", 30)
    assert told() == [(-100, "Redeemed: Tote")]


def test_a_vendor_says_how_much_of_a_release_the_member_got() -> None:
    spend = write("s-1", points=100)
    give_back(book_release(spend, 100))
    advance(spend, WriteState.DONE, WriteState.UNDONE)
    assert told(given_back=lambda row: (row.points or 0) - 25) == [(-25, "Redeemed and given back: Tote")]


def test_a_reward_that_was_bought_and_not_used_has_taken_its_points() -> None:
    write("s-1", points=100, state=WriteState.UNDONE)
    assert told(keeps_undone=lambda spend: True) == [(-100, "Bought and kept for later: Tote")]
    assert told() == [(0, "Redeemed and given back: Tote")]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"state": WriteState.SENT}, (-100, "Not confirmed yet: Tote")),
        ({"waits_for_order": True}, (-100, "Held for an order: Tote")),
        ({"detail": {}, "item_kind": "voucher", "points": 0}, (0, "Redeemed: Voucher")),
        ({"detail": {}, "item_kind": "points"}, (-100, "Redeemed: Points as money")),
        ({"detail": {}}, (-100, "Redeemed: Reward")),
    ],
)
def test_a_redemption_says_how_it_ended(fields: dict[str, Any], line: tuple[int, str]) -> None:
    write("s-1", **{"points": 100, **fields})
    assert told() == [line]


@pytest.mark.parametrize(
    ("state", "points", "line"),
    [
        (WriteState.DONE, None, (0, "Purchase, its points are not known here")),
        (WriteState.UNDONE, 120, (0, "Purchase, taken back")),
    ],
)
def test_a_purchase_says_what_became_of_it(
    state: WriteState, points: int | None, line: tuple[int, str]
) -> None:
    write("o-1", WriteKind.SALE, points=points, state=state)
    assert told() == [line]


def test_what_did_not_happen_and_what_changed_nothing_has_no_line() -> None:
    write("void", state=WriteState.VOID)
    write("planned", state=WriteState.PLANNED)
    write("sale", WriteKind.SALE, state=WriteState.SENT)
    write("whole", WriteKind.RETURN, points=None)
    write("late", WriteKind.RETURN, points=0)
    assert told() == []


def test_another_members_lines_and_an_erased_members_are_not_told() -> None:
    write("ana", member_ref="ana", points=10)
    write("mia", points=10)
    assert len(told()) == 1
    erase_member("stamps", "acme", ["mia"], "ERASED-1")
    assert told() == []


def test_fifty_lines_are_told_with_two_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(51):
        write(f"s-{number}", minute=number, points=number)
    with django_assert_num_queries(2):
        lines = told()
    assert (len(lines), lines[0][0], lines[-1][0]) == (50, -50, -1)


def test_a_history_reads_by_the_index_of_the_member() -> None:
    others = [
        Write(vendor="stamps", program="acme", kind=WriteKind.SPEND, key=f"{n}", member_ref=f"m-{n}")
        for n in range(300)
    ]
    Write.objects.bulk_create(others)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # Of an empty table PostgreSQL takes any index that begins in the same way.
            cursor.execute("ANALYZE journal_write")
    assert "journal_newest_of_member" in rows_of(ACME, "mia").explain()
