"""The worker's side of the inbox: claim one event, handle it, decide what a failure means."""

from contextlib import suppress
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from prometheus_client import Counter

from loyaltyview.events.alarms import raise_dead
from loyaltyview.events.envelope import DEAD_KEY, EventName, read_envelope
from loyaltyview.events.errors import ATTEMPTS, Hopeless, NotYet, OrderOpen, PayloadError
from loyaltyview.events.handlers import NEWSTORE_HANDLERS, PROVIDER_HANDLERS
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
    "Attempts of the worker, by what came of them: done, ignored, postponed, dead.",
    ["program", "name", "state"],
)

# What waits for these need not wait for its back-off.
UNBLOCKING = frozenset({EventName.ORDER_OPENED.value, EventName.ORDER_COMPLETED.value})


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
    """Return the events whose order is not in hand elsewhere. The constraint decides in the end; this
    only keeps a busy order from hiding all the others behind it."""
    in_hand = Event.objects.filter(
        program=OuterRef("program"),
        subject=OuterRef("subject"),
        subject__gt="",
        lease_until__gte=clock.now(),
    ).exclude(pk=OuterRef("pk"))
    return Event.objects.filter(~Exists(in_hand))


def _attempt(event: Event) -> None:
    if event.attempts > settings.WORK_MAX_ATTEMPTS:
        # Counted at the claim, so these attempts ended with the worker itself.
        _bury(event, "the worker died each time")
        return
    # A replayed event may have been dead for what its envelope says.
    if event.source == EventSource.NEWSTORE:
        envelope = read_envelope(bytes(event.payload), event.program.newstore_tenant)
        if envelope.state is EventState.DEAD:
            _bury(event, envelope.problem)
            return
        if not _has_turn(event, envelope.subject):
            return
        _take_key(event, envelope.dedupe_key)
    handlers = NEWSTORE_HANDLERS if event.source == EventSource.NEWSTORE else PROVIDER_HANDLERS
    handle = handlers.get(event.name)
    if handle is None:
        _close(event, EventState.IGNORED)
        return
    try:
        handle(event)
    except OrderOpen as error:
        # No failure, so not counted as one. `order.completed` makes it due at once.
        due_at = clock.now() + timedelta(seconds=LONGEST_DELAY_S)
        _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=str(error)))
    except OwnLimit as error:
        # No failure either: it goes back into its queue until the account has a call for it.
        due_at = clock.now() + timedelta(seconds=max(1.0, error.retry_after_s))
        _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=error.detail))
    except (NotYet, Hopeless, PayloadError) as error:
        _failed(event, error, str(error))
    except (ProviderError, NewStoreError) as error:
        _failed(event, error, f"{type(error).__name__}: {error.detail}")
    except Exception as error:
        # Its text may hold anything, so only its type is kept where people look.
        log.exception("event_failed")
        _failed(event, error, type(error).__name__)
    else:
        _close(event, EventState.DONE)


def _has_turn(event: Event, subject: str) -> bool:
    """Whether `event`, in our hands, may be handled now. One that was dead was stored without its order: from
    here on it waits for the others of that order."""
    if not subject or event.subject == subject:
        return True
    try:
        with transaction.atomic():
            Event.objects.filter(pk=event.pk, lease_until=event.lease_until).update(subject=subject)
    except IntegrityError:
        # Without its lease it may have the subject: the constraint is about events in hand.
        Event.objects.filter(pk=event.pk, lease_until=event.lease_until).update(
            subject=subject, lease_until=None, due_at=clock.now() + timedelta(seconds=backoff_s(1))
        )
        return False
    event.subject = subject
    return True


def _take_key(event: Event, key: str) -> None:
    """`event`, in our hands, was dead and is sound now: from here on it is found by what it is, and a
    repetition is known as one. If that is stored already, this one keeps the key of its bytes."""
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
        # It took longer than WORK_LEASE_S and somebody else has it now; handlers may be repeated.
        log.warning("event_lease_lost", outcome=outcome)
