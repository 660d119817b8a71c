"""The worker's side of the inbox: claim a batch of events, handle each, decide what a failure means.

Where nothing leaves the database, an event and its outcome are one transaction. Everything else goes alone
and outside of any transaction, step by step (docs/decisions/0059-batches-of-events.md).
"""

from contextlib import suppress
from copy import copy
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
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
from loyaltyview.ops.database import flush_later
from loyaltyview.programs.models import Program
from loyaltyview.programs.program_cache import program_by_id
from loyaltyview.work import clock
from loyaltyview.work.claims import (
    BATCH,
    LONGEST_DELAY_S,
    backoff_s,
    claim_batch,
    finish,
    give_up,
    hand_back,
    postpone,
)
from loyaltyview.work.plain_sql import update
from providers.errors import ProviderError, RateLimited
from providers.outbound.budget import OwnLimit
from providers.outbound.deadline import no_calls

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
    """Handle one due event; False when none is due."""
    return run_batch(1) == 1


def run_batch(most: int) -> int:
    """Handle up to `most` due events of one program, each of another order; return how many. Called by the
    worker. No event stops another."""
    events = claim_batch(_free_events(), lambda program: min(most, _batch_size(program)))
    for number, event in enumerate(events):
        event.program = program_by_id(event.program_id)
        with structlog.contextvars.bound_contextvars(
            program=event.program.slug, event_id=event.pk, name=event.name, order=event.subject
        ):
            is_quick = _is_local(event.program) and _attempt_at_once(event)
            if not is_quick:
                _attempt(event)
        rest = events[number + 1 :]
        if rest and (not is_quick or _is_half_over(event.lease_until)):
            # It may have taken most of the lease.
            hand_back(rest)
            return number + 1
    return len(events)


def _batch_size(program_id: int) -> int:
    # An event that calls out takes a lease of its own: other slots can take the others meanwhile.
    return BATCH if _is_local(program_by_id(program_id)) else 1


def _is_local(program: Program) -> bool:
    return program.provider().is_local


def _is_half_over(lease_until: datetime | None) -> bool:
    left = timedelta(seconds=settings.WORK_LEASE_S / 2)
    return lease_until is None or lease_until - clock.now() < left


def _free_events() -> QuerySet[Event]:
    """Return the first event of each order, if no other one of that order is claimed. The constraint decides
    in the end. This keeps one busy order from hiding all other orders behind it."""
    others = Event.objects.filter(program=OuterRef("program"), subject=OuterRef("subject"), subject__gt="")
    is_earlier = Q(due_at__lt=OuterRef("due_at")) | Q(due_at=OuterRef("due_at"), pk__lt=OuterRef("pk"))
    first = others.filter(Q(lease_until__isnull=False) | is_earlier).exclude(pk=OuterRef("pk"))
    return Event.objects.filter(~Exists(first))


def _attempt_at_once(event: Event) -> bool:
    """Attempt `event` in one transaction that also writes its outcome. False, with nothing written, when it
    needs a call to another system, and when anything unexpected fails."""
    try:
        with no_calls(), transaction.atomic():
            flush_later()
            if not _attempt(copy(event), is_alone=False):
                transaction.set_rollback(True)
    except Exception as error:  # handled again alone, where it is logged and counted
        log.info("event_goes_alone", reason=type(error).__name__)
        return False
    return True


def _attempt(event: Event, *, is_alone: bool = True) -> bool:
    """Handle a claimed event and write its outcome. False when the lease was lost. An unexpected error is the
    event's outcome too, except in a transaction of the caller (not `is_alone`), which it ends."""
    if event.attempts > settings.WORK_MAX_ATTEMPTS:
        # The claim counts an attempt, so the worker itself ended during each of these.
        return _bury(event, "the worker died each time")
    if event.source == EventSource.NEWSTORE and not _judge_again(event):
        return True
    handle = HANDLERS[EventSource(event.source)].get(event.name)
    if handle is None:
        return _close(event, EventState.IGNORED)
    try:
        handle(event)
    except OrderOpen as error:
        # No failure, so it is not counted as one. `order.completed` makes it due at once.
        due_at = clock.now() + timedelta(seconds=LONGEST_DELAY_S)
        return _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=str(error)))
    except OwnLimit as error:
        # No failure either: it waits until the account's budget has a call for it.
        due_at = clock.now() + timedelta(seconds=max(1.0, error.retry_after_s))
        return _note_outcome(event, "postponed", finish(event, due_at=due_at, last_error=error.detail))
    except (NotYet, Hopeless, PayloadError) as error:
        return _failed(event, error, str(error))
    except (ProviderError, NewStoreError) as error:
        return _failed(event, error, f"{type(error).__name__}: {error.detail}")
    except Exception as error:
        if not is_alone:
            raise
        # Its text may hold personal data, so only its type is stored.
        log.exception("event_failed")
        return _failed(event, error, type(error).__name__)
    return _close(event, EventState.DONE)


def _judge_again(event: Event) -> bool:
    """Judge the stored bytes of an event again that was stored without its order or its key: a replayed event
    may have been dead for its envelope, and a newer version may know its name. False when `event` must not
    be handled now."""
    if event.subject and not event.dedupe_key.startswith(DEAD_KEY):
        return True
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


def _failed(event: Event, error: Exception, problem: str) -> bool:
    allowed = next((times for kind, times in ATTEMPTS if isinstance(error, kind)), settings.WORK_MAX_ATTEMPTS)
    if event.attempts >= allowed:
        return _bury(event, problem)
    delay_s = backoff_s(event.attempts)
    if isinstance(error, RateLimited | NewStoreUnavailable):
        delay_s = max(delay_s, min(error.retry_after_s or 0, LONGEST_DELAY_S))
    log.warning("event_postponed", problem=problem, attempts=event.attempts)
    return _note_outcome(event, "postponed", postpone(event, problem, delay_s))


def _bury(event: Event, problem: str) -> bool:
    is_ours = give_up(event, problem, state=EventState.DEAD)
    _note_outcome(event, EventState.DEAD.value, is_ours)
    if is_ours:
        raise_dead(event.program, event.name, problem)
    return is_ours


def _close(event: Event, state: EventState) -> bool:
    is_ours = finish(event, state=state, done_at=clock.now())
    _note_outcome(event, state.value, is_ours)
    if is_ours and event.name in UNBLOCKING:
        same_order = {"program": event.program_id, "subject": event.subject}
        update(
            Event, same_order | {"state": EventState.WAITING, "lease_until": None}, {"due_at": clock.now()}
        )
    return is_ours


def _note_outcome(event: Event, outcome: str, is_ours: bool) -> bool:
    handled.labels(event.program.slug, event.name, outcome).inc()
    if not is_ours:
        # It took longer than WORK_LEASE_S, and another worker has claimed it; handlers may be repeated.
        log.warning("event_lease_lost", outcome=outcome)
    return is_ours
