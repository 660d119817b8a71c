"""Our registration with NewStore's event stream: create it, read it, start it, check it every hour."""

from datetime import datetime

import structlog
from django.conf import settings
from django.urls import reverse

from loyaltyview.events.alarms import close_alarm, raise_alarm
from loyaltyview.events.envelope import KNOWN
from loyaltyview.events.models import AlarmKind, UnreachableStream
from loyaltyview.newstore import event_stream
from loyaltyview.newstore.errors import NewStoreError, NewStoreUnavailable
from loyaltyview.newstore.event_stream import STOPPED, Integration
from loyaltyview.programs.models import Program

log = structlog.get_logger(__name__)

WATCH_EVERY_S = 3600
_warned: set[str] = set()


class NoAddress(Exception):
    """PUBLIC_URL is not set, or the program has no event key: there is no address to register."""


def callback_url(program: Program) -> str:
    """Return the address to which NewStore delivers. Raises NoAddress."""
    if not settings.PUBLIC_URL:
        raise NoAddress("PUBLIC_URL is not set")
    if not program.newstore_event_key:
        raise NoAddress("the program has no NewStore event key")
    path = reverse("newstore_event", kwargs={"program": program.slug})
    return str(settings.PUBLIC_URL).rstrip("/") + path


def register(program: Program) -> Integration:
    """Create or update our integration. Raises NoAddress, NewStoreError. May be repeated."""
    return event_stream.register_stream(program, callback_url(program), KNOWN)


def replay(program: Program, since: datetime, until: datetime) -> str:
    """Have NewStore deliver the events of that time again; what we have is stored once. Returns the id of the
    integration that does it. Raises NoAddress, NewStoreError."""
    return event_stream.replay_stream(program, callback_url(program), KNOWN, since, until)


def watch() -> None:
    """Start a stopped stream, create a missing one, and raise an alarm about either. Without an address
    only a warning is logged, once."""
    for program in Program.objects.filter(is_active=True):
        try:
            _watch_one(program, callback_url(program))
        except NoAddress as error:
            if program.slug not in _warned:
                _warned.add(program.slug)
                log.warning("event_stream_not_watched", program=program.slug, reason=str(error))
        except NewStoreUnavailable as error:
            # Once may be a short failure, or a NewStore that starts with us; the next check is within the
            # hour.
            _, is_first = UnreachableStream.objects.get_or_create(program=program)
            if not is_first:
                raise_alarm(program, AlarmKind.STREAM, f"cannot be read: {error.detail}")
            log.warning("event_stream_unreachable", program=program.slug, detail=error.detail)
        except NewStoreError as error:
            raise_alarm(program, AlarmKind.STREAM, f"cannot be read: {error.detail}")


def _watch_one(program: Program, address: str) -> None:
    found = event_stream.read_stream(program)
    UnreachableStream.objects.filter(program=program).delete()
    if found is None:
        register(program)
        raise_alarm(program, AlarmKind.STREAM, "was missing at NewStore and has been created")
    elif found.status == STOPPED:
        event_stream.start_stream(program)
        raise_alarm(program, AlarmKind.STREAM, "was stopped by NewStore and has been started again")
    elif found.callback_url and found.callback_url != address:
        # Not changed: it may belong to another installation, and two would correct each other for ever.
        raise_alarm(program, AlarmKind.STREAM, "delivers to another address than ours")
    else:
        close_alarm(program, AlarmKind.STREAM)
