"""New rows of the inbox are written past the ORM: they must be what the ORM would have written."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from loyaltyview.events.group_commit import NewEvent, insert_events
from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.programs.models import Program

MARCH = datetime(2026, 3, 4, 15, 22, 7, 318000, tzinfo=UTC)


@pytest.fixture
def new_event(program: Program) -> NewEvent:
    return NewEvent(
        program_id=program.pk,
        source=EventSource.NEWSTORE.value,
        name="order.opened",
        dedupe_key="order.opened:o-1",
        subject="o-1",
        state=EventState.WAITING.value,
        payload=b'{"name": "100 %s \x00 \xc3\xa9"}',
        headers={"user-agent": 'says "hello" to 100 %'},
        received_at=timezone.now(),
        published_at=MARCH,
        due_at=None,
        last_error="",
    )


def test_every_column_that_needs_a_value_is_written() -> None:
    columns = {field.attname for field in Event._meta.concrete_fields}
    assert set(NewEvent._fields) <= columns
    # What is not written must be NULL at first.
    assert columns - set(NewEvent._fields) == {"id", "lease_until", "done_at"}


def test_a_row_comes_back_as_it_was_given(new_event: NewEvent) -> None:
    insert_events([new_event])
    event = Event.objects.get()
    found = {name: getattr(event, name) for name in NewEvent._fields}
    assert found | {"payload": bytes(event.payload)} == new_event._asdict()


def test_rows_of_a_delivery_that_is_stored_already_are_left_out(new_event: NewEvent) -> None:
    insert_events([new_event])
    insert_events([new_event, new_event._replace(dedupe_key="order.opened:o-2", subject="o-2")])
    assert sorted(Event.objects.values_list("subject", flat=True)) == ["o-1", "o-2"]
