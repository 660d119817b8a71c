"""Rows that the journal deletes, and rows that it must keep."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.errors import Rejected, RejectReason
from providers.journal.booking import book_part, book_release
from providers.journal.delivery import deliver
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.retention import erase_member, forget_old, refs_under_way
from providers.journal.states import Journal
from providers.sales import Spend, SpendKind

pytestmark = pytest.mark.django_db
ACME = Journal(vendor="stamps", program="acme")
OLD = timezone.now() - timedelta(days=400)
YEAR_AGO = timezone.now() - timedelta(days=365)


def write(key: str, kind: WriteKind = WriteKind.SPEND, **fields: Any) -> Write:
    row, _is_new = ACME.open(
        kind, key, **{"member_ref": "mia", "sent_at": OLD, "changed_at": OLD, "points": 10, **fields}
    )
    return row


def kept() -> set[str]:
    return set(Write.objects.values_list("key", flat=True))


def test_finished_writes_go_and_unfinished_ones_stay() -> None:
    write("done", state=WriteState.DONE)
    write("void", state=WriteState.VOID)
    write("never sent", state=WriteState.PLANNED)
    write("recent", state=WriteState.DONE, changed_at=timezone.now())
    write("sent", state=WriteState.SENT)
    write("held", state=WriteState.DONE, waits_for_order=True)
    write("waiting", WriteKind.SALE, state=WriteState.PLANNED, due_at=OLD)
    assert forget_old(YEAR_AGO) == 3
    assert kept() == {"recent", "sent", "held", "waiting"}


def test_a_part_stays_as_long_as_its_spend_and_goes_with_it() -> None:
    spend = write("spend", state=WriteState.DONE)
    part = book_part(spend, "r-1", 4)
    assert part
    Write.objects.update(changed_at=OLD)
    assert forget_old(YEAR_AGO) == 0
    Write.objects.filter(pk=part.pk).update(state=WriteState.DONE)
    assert forget_old(YEAR_AGO) == 2


def test_a_release_that_was_refused_keeps_neither_its_spend_nor_its_member() -> None:
    book_release(write("old", state=WriteState.DONE), 10)
    Write.objects.update(changed_at=OLD)
    assert forget_old(YEAR_AGO) == 2
    book_release(write("spend", state=WriteState.DONE), 10)
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 2


def test_a_part_that_was_refused_keeps_neither_its_spend_nor_its_member() -> None:
    def refuse() -> None:
        raise Rejected(RejectReason.NOT_ALLOWED, "400")

    def refuse_part_of(key: str) -> None:
        part = book_part(write(key, state=WriteState.DONE), "r-1", 4)
        assert part
        with pytest.raises(Rejected):
            deliver(part, refuse, None, timedelta(minutes=1))

    refuse_part_of("old")
    Write.objects.update(changed_at=OLD)
    assert forget_old(YEAR_AGO) == 2
    refuse_part_of("spend")
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 2


def test_an_erased_member_has_a_pseudonym_and_no_purchases() -> None:
    write("spend", state=WriteState.DONE)
    write("sale", WriteKind.SALE, state=WriteState.DONE, detail={"items": ["shirt"]})
    write("other", state=WriteState.DONE, member_ref="kim")
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 2
    assert list(Write.objects.order_by("pk").values_list("member_ref", "detail")) == [
        ("ERASED-1", {}),
        ("ERASED-1", {}),
        ("kim", {}),
    ]


def test_what_a_closed_write_held_does_not_name_an_erased_member() -> None:
    write("void", state=WriteState.VOID, exclusive_key="hold mia")
    erase_member("stamps", "acme", ["mia"], "ERASED-1")
    assert Write.objects.get().exclusive_key == ""


def test_members_with_unfinished_writes_are_known() -> None:
    write("held", state=WriteState.DONE, waits_for_order=True)
    write("done", state=WriteState.DONE, member_ref="kim")
    assert list(refs_under_way("stamps")) == ["mia"]


@pytest.mark.parametrize(
    "fields",
    [
        {"state": WriteState.SENT},
        {"state": WriteState.DONE, "waits_for_order": True},
        {"state": WriteState.PLANNED, "kind": WriteKind.SALE, "due_at": OLD},
        {"state": WriteState.SENT, "kind": WriteKind.SALE, "sent_at": timezone.now()},
        {"state": WriteState.SENT, "kind": WriteKind.SALE, "due_at": OLD},
    ],
)
def test_a_member_is_not_erased_while_something_is_under_way(fields: dict[str, Any]) -> None:
    write("spend", **fields)
    with pytest.raises(Rejected):
        erase_member("stamps", "acme", ["mia"], "ERASED-1")


def test_a_sale_whose_answer_was_lost_long_ago_does_not_keep_a_member_from_being_erased() -> None:
    write("sale", WriteKind.SALE, state=WriteState.SENT)
    assert erase_member("stamps", "acme", ["mia"], "ERASED-1") == 1


def test_the_row_of_a_spend_is_written_again_after_a_restore() -> None:
    spend = Spend(
        key="lost", member_ref="mia", kind=SpendKind.REWARD, provider_ref="R-1", points=10, is_held=True
    )
    row = ACME.row_of(spend)
    assert ACME.row_of(spend) == row
    assert (row.state, row.vendor_ref, row.points) == (WriteState.DONE, "R-1", 10)
    assert row.waits_for_order
    assert list(ACME.writes(member_ref="mia", waits_for_order=True)) == [row]
