"""The worker's side of the inbox: claim one event, handle it, decide what a failure means."""

from contextlib import suppress
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from prometheus_client import Counter

from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.envelope import DEAD_KEY, ORDER_FOUND, EventName, read_envelope
from loyaltyview.events.errors import ATTEMPTS, Hopeless, NotYet, OrderOpen, PayloadError
from loyaltyview.events.handlers import FOUND_HANDLERS, NEWSTORE_HANDLERS, PROVIDER_HANDLERS
from loyaltyview.events.models import Event, EventSource, EventState
from loyaltyview.newstore.errors import (
    NewStoreError,
    NewStoreUnavailable,
)
from loyaltyview.work import clock
from loyaltyview.work.claims import LONGEST_DELAY_S, backoff_s, claim, finish, give_up, postpone
from providers.errors import ProviderError, RateLimited
from providers.outbound.budget import OwnLimit

log = structlog.get_logger(__name__)

handled = Counter(
    "loyaltyview_events_handled_total",
    "Attempts of the worker, by outcome: done, ignored, postponed, dead.",
    ["program", "name", "state"],
)

# The other events of the order become due as soon as one of these is handled.
UNBLOCKING = frozenset({EventName.ORDER_OPENED.value, EventName.ORDER_COMPLETED.value, ORDER_FOUND})

HANDLERS = {
    EventSource.NEWSTORE: NEWSTORE_HANDLERS,
    EventSource.PROVIDER: PROVIDER_HANDLERS,
    EventSource.FOUND: FOUND_HANDLERS,
}


def run_one() -> bool:
    """Handle one due event; False when none is due. Called by the worker. No event stops another."""
    event = claim(_free_events())
    if event is None:
        return False
    with structlog.contextvars.bound_contextvars(
        program=event.program.slug, event_id=event.pk, name=event.name, order=event.subject
    ):
        _attempt(event)
    return True


def _free_events() -> QuerySet[Event]:
    """Return the events of whose order no other event is claimed. The constraint decides in the end. This
    keeps one busy order from hiding all other orders behind it."""
    claimed = Event.objects.filter(
        program=OuterRef("program"),
        subject=OuterRef("subject"),
        subject__gt="",
        lease_until__gte=clock.now(),
    ).exclude(pk=OuterRef("pk"))
    return Event.objects.filter(~Exists(claimed))


def _attempt(event: Event) -> None:
    if event.attempts > settings.WORK_MAX_ATTEMPTS:
        # The claim counts an attempt, so the worker itself ended during each of these.
        _bury(event, "the worker died each time")
        return
    if event.source == EventSource.NEWSTORE and not _judge_again(event):
        return
    handle = HANDLERS[EventSource(event.source)].get(event.name)
    if handle is None:
        _close(event, EventState.IGNORED)
        return
    try:
        handle(event)
    except OrderOpen as error:
        # No failure, so it is not counted as one. `order.completed` makes it due at once.
        due_at = clock.now() + timedelta(seconds=LONGEST_DELAY_S)
        _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=str(error)))
    except OwnLimit as error:
        # No failure either: it waits until the account's budget has a call for it.
        due_at = clock.now() + timedelta(seconds=max(1.0, error.retry_after_s))
        _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=error.detail))
    except (NotYet, Hopeless, PayloadError) as error:
        _failed(event, error, str(error))
    except (ProviderError, NewStoreError) as error:
        _failed(event, error, f"{type(error).__name__}: {error.detail}")
    except Exception as error:
        # Its text may hold personal data, so only its type is stored.
        log.exception("event_failed")
        _failed(event, error, type(error).__name__)
    else:
        _close(event, EventState.DONE)


def _judge_again(event: Event) -> bool:
    """Judge the stored bytes again: a replayed event may have been dead for its envelope, and a newer version
    may know its name. False when `event` must not be handled now."""
    envelope = read_envelope(bytes(event.payload), event.program.newstore_tenant)
    if envelope.state is EventState.DEAD:
        _bury(event, envelope.problem)
        return False
    if not _take_subject(event, envelope.subject):
        return False
    _take_key(event, envelope.dedupe_key)
    return True


def _take_subject(event: Event, subject: str) -> bool:
    """Set the order of a claimed event that was stored without it: from now on the event waits for the other
    events of that order. False when it must wait now."""
    if not subject or event.subject == subject:
        return True
    try:
        with transaction.atomic():
            Event.objects.filter(pk=event.pk, lease_until=event.lease_until).update(subject=subject)
    except IntegrityError:
        # Without a lease it may have the subject: the constraint is about claimed events.
        Event.objects.filter(pk=event.pk, lease_until=event.lease_until).update(
            subject=subject, lease_until=None, due_at=clock.now() + timedelta(seconds=backoff_s(1))
        )
        return False
    event.subject = subject
    return True


def _take_key(event: Event, key: str) -> None:
    """Set the de-duplication key of a claimed event that was dead and is readable now, so that a repetition
    is recognised. When another event has that key, this one keeps the key made of its bytes."""
    if not event.dedupe_key.startswith(DEAD_KEY):
        return
    with suppress(IntegrityError), transaction.atomic():
        if Event.objects.filter(pk=event.pk, lease_until=event.lease_until).update(dedupe_key=key):
            event.dedupe_key = key


def _failed(event: Event, error: Exception, problem: str) -> None:
    allowed = next((times for kind, times in ATTEMPTS if isinstance(error, kind)), settings.WORK_MAX_ATTEMPTS)
    if event.attempts >= allowed:
        _bury(event, problem)
        return
    delay_s = backoff_s(event.attempts)
    if isinstance(error, RateLimited | NewStoreUnavailable):
        delay_s = max(delay_s, min(error.retry_after_s or 0, LONGEST_DELAY_S))
    _note_outcome(event, "postponed", postpone(event, problem, delay_s))
    log.warning("event_postponed", problem=problem, attempts=event.attempts)


def _bury(event: Event, problem: str) -> None:
    is_ours = give_up(event, problem, state=EventState.DEAD)
    _note_outcome(event, EventState.DEAD.value, is_ours)
    if is_ours:
        raise_dead(event.program, event.name, problem)


def _close(event: Event, state: EventState) -> None:
    is_ours = finish(event, state=state, done_at=clock.now())
    _note_outcome(event, state.value, is_ours)
    if is_ours and event.name in UNBLOCKING:
        Event.objects.filter(
            program=event.program, subject=event.subject, state=EventState.WAITING, lease_until=None
        ).update(due_at=clock.now())


def _note_outcome(event: Event, outcome: str, is_ours: bool) -> None:
    handled.labels(event.program.slug, event.name, outcome).inc()
    if not is_ours:
        # It took longer than WORK_LEASE_S, and another worker has claimed it; handlers may be repeated.
        log.warning("event_lease_lost", outcome=outcome)
