"""The registration API of the event stream: create, list, read, change, start, stop.

Source: docs/contracts/newstore.md 6.1. Success codes are not documented: 201 and 200 are assumed. It
is also assumed that a temporary integration without a time is refused.
"""

from dataclasses import dataclass

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, faults, problem, read_json
from loyaltyview.sandbox.integrations import Integration, read_time
from loyaltyview.sandbox.stream import EventStream

MAX_INTEGRATIONS = 25

_BODY = {
    "id": "string*",
    "integration_type": "string*",
    "starts_at": "string|null",
    "ends_at": "string|null",
    "callback_parameters": "object*",
    "filter_conditions": "object",
}
_CALLBACK = {"callback_url": "string*", "api_key": "string|null"}
_FILTER = {"event_filter": "array", "entity_filter": "array"}


@dataclass(frozen=True, slots=True)
class StreamApi:
    stream: EventStream

    def collection(self, request: Request) -> Response:
        known = self.stream.integrations
        if request.method == "GET":
            return answer({"integrations": [_json(integration) for integration in known.values()]})
        body = read_json(request)
        _check(body, _BODY)
        _check_time(body)
        if body["id"] in known:
            raise problem(409, "an integration with this id exists")
        if len(known) >= MAX_INTEGRATIONS:
            raise problem(422, f"no more than {MAX_INTEGRATIONS} integrations")
        callback = body["callback_parameters"]
        integration = self.stream.register(
            callback["callback_url"],
            callback.get("api_key"),
            integration_id=body["id"],
            event_filter=body.get("filter_conditions", {}).get("event_filter", ()),
            integration_type=body["integration_type"],
            starts_at=body.get("starts_at"),
            ends_at=body.get("ends_at"),
        )
        return answer(_json(integration), 201)

    def one(self, request: Request, integration_id: str) -> Response:
        integration = self._get(integration_id)
        if request.method == "PATCH":
            body = read_json(request)
            # Whether the kind of an integration can change is not documented.
            fixed = ("id", "integration_type")
            _check(body, {name: spec.rstrip("*") for name, spec in _BODY.items() if name not in fixed})
            _check_time({**_json(integration), **body})
            callback = body.get("callback_parameters", {})
            integration.callback_url = callback.get("callback_url", integration.callback_url)
            integration.api_key = callback.get("api_key", integration.api_key)
            names = body.get("filter_conditions", {}).get("event_filter", integration.event_filter)
            integration.event_filter = tuple(names)
            integration.starts_at = body.get("starts_at", integration.starts_at)
            integration.ends_at = body.get("ends_at", integration.ends_at)
        return answer(_json(integration))

    def start(self, request: Request, integration_id: str) -> Response:
        return self._switch(request, integration_id, running=True)

    def stop(self, request: Request, integration_id: str) -> Response:
        return self._switch(request, integration_id, running=False)

    def _switch(self, request: Request, integration_id: str, *, running: bool) -> Response:
        integration = self._get(integration_id)
        _check(read_json(request), {})
        self.stream.set_running(integration_id, running=running)
        return answer(_json(integration))

    def _get(self, integration_id: str) -> Integration:
        if integration_id not in self.stream.integrations:
            raise problem(404, "integration not found")
        return self.stream.integrations[integration_id]


def _check(body: Json, shape: dict[str, str]) -> None:
    found = faults(body, shape)
    if not found:
        if body.get("integration_type", "permanent") not in ("permanent", "temporary"):
            found.append("integration_type: must be permanent or temporary")
        if "callback_parameters" in body:
            callback = body["callback_parameters"]
            found += faults(callback, _CALLBACK, "callback_parameters.")
            if not found and not callback["callback_url"].startswith(("https://", "http://")):
                found.append("callback_parameters.callback_url: must be an address")
        filters = body.get("filter_conditions", {})
        found += faults(filters, _FILTER, "filter_conditions.")
        if not found and not all(isinstance(name, str) for name in filters.get("event_filter", [])):
            found.append("filter_conditions.event_filter: must be strings")
    if found:
        raise problem(400, "invalid integration", found)


def _check_time(body: Json) -> None:
    """Refuse a temporary integration without a start and an end."""
    if body["integration_type"] != "temporary":
        return
    try:
        is_right = read_time(body.get("starts_at")) < read_time(body.get("ends_at"))
    except ValueError:
        is_right = False
    if not is_right:
        raise problem(400, "invalid integration", ["starts_at, ends_at: must be times, one after the other"])


def _json(integration: Integration) -> Json:
    """Return the integration as the API shows it, without its key."""
    return {
        "id": integration.integration_id,
        "integration_type": integration.integration_type,
        "status": integration.status,
        "starts_at": integration.starts_at,
        "ends_at": integration.ends_at,
        "callback_parameters": {"callback_url": integration.callback_url},
        "filter_conditions": {"event_filter": list(integration.event_filter), "entity_filter": []},
    }
