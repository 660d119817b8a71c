"""The Async Events API: Antavo takes an event at once and processes it later, in order.

It has no limit of calls, and OAuth in place of a signature. The answer names the event by a correlation id;
what became of it is asked for later. Source: docs/contracts/antavo.md 3.8.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from providers.answers import at, needed_text, object_in, text
from providers.antavo.client import VENDOR, Client, plain
from providers.antavo.refusals import Refused, judge, read_envelope, value_of
from providers.errors import AuthFailed, UnexpectedAnswer
from providers.outbound.breaker import Breaker
from providers.outbound.deadline import remaining_s
from providers.outbound.exchange import Answer, Call, segment
from providers.outbound.oauth import TokenCache, token_key
from providers.outbound.vendor_session import VendorSession

SCOPE = "loyalty.async_events"
EVENTS = "/v1/async/events"
UNKNOWN_EVENT = 203408
PROCESSED, REFUSED, FAILED = "processed", "error", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an event. `status` is Antavo's word: "queued", "exported" and "retried" are still open,
    "failed" waits until a person lets Antavo process it again. `code` is the refusal's number."""

    status: str
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncEvents:
    """The asynchronous events of one program's workspace. Cheap to create: the token lives in the cache."""

    client: Client

    def submit(self, action: str, ref: str, data: dict[str, Any]) -> str:
        """Hand one event to Antavo; return its correlation id. Antavo has accepted it then, not processed
        it. Raises what `VendorSession.write` raises, and Refused."""
        body = plain(self.client.event_body(action, ref, data))
        call = Call("POST", EVENTS, operation="async_event", json=body)
        answer = object_in(self._call(lambda session: session.write(call)), "async_event")
        return needed_text(object_in(answer.get("payload"), "async_event: payload"), "correlation_id")

    def outcome(self, correlation_id: str) -> Outcome | None:
        """Return what became of an event, None when Antavo does not know it."""
        call = Call("GET", f"{EVENTS}/{segment(correlation_id)}", operation="async_event_status")
        try:
            answer = object_in(self._call(lambda session: session.read(call)), "async_event_status")
        except Refused as refused:
            if refused.code == UNKNOWN_EVENT:
                return None
            raise
        status = text(at(answer, "payload.status")).lower()
        if not status:
            raise UnexpectedAnswer("async_event_status: no status")
        # The refusal stands beside an empty list, and with HTTP 200.
        envelope = read_envelope(at(answer, "payload.response"))
        return Outcome(status=status, code=envelope.code if envelope else 0)

    def _call(self, make: Callable[[VendorSession], Answer]) -> Any:
        """Make a call with a token. One that is refused is renewed once: a refused call did nothing."""
        token = self._token()
        try:
            return value_of(make(self._session(f"Bearer {token}")))
        except AuthFailed:
            return value_of(make(self._session(f"Bearer {self._token(refused=token)}")))

    def _token(self, refused: str = "") -> str:
        settings = self.client.settings
        key = token_key(VENDOR, settings.base_url, settings.client_id, settings.client_secret)
        session = self.client.session
        timeout_s = min(session.limits.read_total_s, remaining_s())
        return TokenCache(key=key, fetch=self._ask).get(timeout_s=timeout_s, refused=refused)

    def _ask(self, _timeout_s: float) -> tuple[str, int]:
        settings = self.client.settings
        pair = f"{settings.client_id}:{settings.client_secret}".encode()
        session = self._session(f"Basic {base64.b64encode(pair).decode()}")
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        answer = session.read(Call("POST", "/v1/auth/token", operation="get_token", form=form))
        try:
            data = object_in(value_of(answer), "get_token")
        except Refused as refused:
            raise AuthFailed(f"get_token: {refused.detail}") from refused
        lives_s = data.get("expires_in")
        return needed_text(data, "access_token"), lives_s if isinstance(lives_s, int) else 0

    def _session(self, authorization: str) -> VendorSession:
        """Return a session without signature and without our limit: this API has none."""
        return VendorSession(
            vendor=VENDOR,
            program=self.client.program,
            base_url=self.client.settings.base_url,
            headers={"Accept": "application/json", "Authorization": authorization},
            breaker=Breaker(vendor=f"{VENDOR}-async", program=self.client.program),
            judge=judge,
            limits=self.client.session.limits,
        )
