"""The registration of our endpoint with NewStore's event stream. Source: docs/contracts/newstore.md 6.1.

The key of the Authorization header is ours (`newstore_event_key`); NewStore never shows it again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from loyaltyview.newstore.answers import object_of
from loyaltyview.newstore.client import NewStoreClient, segment
from loyaltyview.newstore.errors import NewStoreRejected, NewStoreUnexpected
from loyaltyview.programs.models import Program

PATH = "/api/v1/org/integrations/eventstream"
RUNNING, STOPPED = "running", "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """One listener of the stream. `status` is "running", "stopped" or a word we do not know."""

    integration_id: str
    status: str
    callback_url: str


def integration_id(program: Program) -> str:
    """Return the name of our permanent integration."""
    return f"loyaltyview-{program.slug}"


def read_stream(program: Program) -> Integration | None:
    """Return our integration as NewStore has it, None when it has none. Raises NewStoreError."""
    try:
        answer = NewStoreClient(program).call("GET", f"{PATH}/{segment(integration_id(program))}")
    except NewStoreRejected as error:
        # The documents give this error's code and not its status.
        if error.status == 404 or "resource_not_found" in error.detail:
            return None
        raise
    return _integration(object_of(answer))


def register_stream(program: Program, callback_url: str, event_names: Iterable[str]) -> Integration:
    """Create our integration (it starts by itself), or bring address, key and events of the one that exists
    up to date. Raises NewStoreError. May be repeated."""
    settings = _settings(program, callback_url, event_names)
    client = NewStoreClient(program)
    if read_stream(program) is None:
        body = {
            "id": integration_id(program),
            "integration_type": "permanent",
            "starts_at": _text(datetime.now(UTC)),
            "ends_at": None,
            **settings,
        }
        try:
            return _integration(object_of(client.call("POST", PATH, body=body)))
        except NewStoreRejected as error:
            if error.status != 409:
                raise
            # Made by another process just now, or by our own call whose answer was lost.
    path = f"{PATH}/{segment(integration_id(program))}"
    return _integration(object_of(client.call("PATCH", path, body=settings)))


def start_stream(program: Program) -> None:
    """Start our integration. Raises NewStoreError. May be repeated."""
    NewStoreClient(program).call("POST", f"{PATH}/{segment(integration_id(program))}/_start", body={})


def replay_stream(
    program: Program, callback_url: str, event_names: Iterable[str], since: datetime, until: datetime
) -> str:
    """Have NewStore send the events of that time again, by an integration that ends by itself; return its
    id. Raises NewStoreError. The same time again is the same integration."""
    name = f"{integration_id(program)}-replay-{since:%Y%m%dT%H%M%S}-{until:%Y%m%dT%H%M%S}"
    body = {
        "id": name,
        "integration_type": "temporary",
        "starts_at": _text(since),
        # To the end of its last second: an event may have been published within it.
        "ends_at": _text(until + timedelta(seconds=1, microseconds=-1)),
        **_settings(program, callback_url, event_names),
    }
    client = NewStoreClient(program)
    try:
        client.call("POST", PATH, body=body)
    except NewStoreRejected as error:
        if error.status != 409:
            raise
        client.call("POST", f"{PATH}/{segment(name)}/_start", body={})
    return name


def _settings(program: Program, callback_url: str, event_names: Iterable[str]) -> dict[str, Any]:
    return {
        "callback_parameters": {"callback_url": callback_url, "api_key": program.newstore_event_key},
        "filter_conditions": {"event_filter": sorted(event_names), "entity_filter": []},
    }


def _integration(body: Mapping[str, Any]) -> Integration:
    callback = body.get("callback_parameters")
    url = callback.get("callback_url") if isinstance(callback, dict) else None
    name, status = body.get("id"), body.get("status")
    if not isinstance(name, str):
        raise NewStoreUnexpected("an integration without an id")
    return Integration(
        integration_id=name,
        status=status if isinstance(status, str) else "",
        callback_url=url if isinstance(url, str) else "",
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
