"""Calls to one Antavo workspace: signed, bounded, with refusals raised as `Refused`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from providers.antavo.escher import Credentials, signer
from providers.antavo.refusals import judge, value_of
from providers.antavo.settings import Settings
from providers.base import ProviderConfig
from providers.errors import UnexpectedAnswer
from providers.journal.states import Journal
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget, spread
from providers.outbound.exchange import Call, segment
from providers.outbound.vendor_session import VendorSession

VENDOR = "antavo"
# After this time no write is still under way: our call ends after 10 s, the server's work after half a minute
# at most, and lists are up to date. Measured by our clock only.
SETTLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One program's workspace. Every method raises what `VendorSession` raises, and Refused."""

    config: ProviderConfig
    settings: Settings
    session: VendorSession

    @property
    def names(self) -> Mapping[str, str]:
        return self.settings.names

    @property
    def program(self) -> str:
        return self.config.program

    @property
    def journal(self) -> Journal:
        return Journal(vendor=VENDOR, program=self.config.program)

    def get(self, path: str, operation: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Read by GET. `path` begins below the API's address."""
        return value_of(self.session.read(Call("GET", path, operation=operation, params=params)))

    def ask(self, path: str, operation: str, body: Mapping[str, Any]) -> Any:
        """Read by POST: offers, points preview."""
        return value_of(self.session.read(Call("POST", path, operation=operation, json=plain(body))))

    def post(self, path: str, operation: str, form: Mapping[str, str] | None = None) -> Any:
        """Write a form, or nothing; sent once."""
        return value_of(self.session.write(Call("POST", path, operation=operation, form=form)))

    def event(self, action: str, ref: str, data: Mapping[str, Any]) -> Any:
        """Write one event of the member `ref`; sent once. The answer's points are not reliable: it lists only
        points that are spendable immediately, and none where the workspace hides personal data."""
        body = self.event_body(action, ref, data)
        return value_of(self.session.write(Call("POST", "/events", operation=action, json=plain(body))))

    def events(self, bodies: list[dict[str, Any]]) -> list[Any]:
        """Write up to 50 events; returns one result each, in their order, refusals included."""
        call = Call("POST", "/events/bulk", operation="events_bulk", json=plain({"events": bodies}))
        answer = value_of(self.session.write(call))
        results = answer.get("results") if isinstance(answer, dict) else None
        if not isinstance(results, list) or len(results) != len(bodies):
            raise UnexpectedAnswer("events_bulk: not one result for each event")
        return results

    def event_body(self, action: str, ref: str, data: Mapping[str, Any]) -> dict[str, Any]:
        account = {"account": self.settings.account} if self.settings.account else {}
        return {"customer": ref, "action": action, **account, "data": dict(data)}


def client_for(config: ProviderConfig, now: Callable[[], datetime] | None = None) -> Client:
    """Return the client of a program; cheap. `now` is what signatures are dated with."""
    settings = Settings.read(config.settings)
    credentials = Credentials(key=settings.api_key, secret=settings.api_secret, environment=settings.stack)
    session = VendorSession(
        vendor=VENDOR,
        program=config.program,
        base_url=settings.base_url,
        sign=signer(credentials, now or timezone.now),
        headers={"Accept": "application/json"},
        budget=Budget(name=f"{VENDOR}:{config.program}", limit=spread(settings.calls_per_minute, 60.0)),
        breaker=Breaker(vendor=VENDOR, program=config.program),
        judge=judge,
    )
    return Client(config=config, settings=settings, session=session)


def of_member(ref: str, *parts: str) -> str:
    """Return a path below a member. A ref must contain neither "/" nor ":", which would lead to other paths
    or mean `field:value`."""
    return "/".join(["/customers", segment(ref), *(segment(part) for part in parts)])


def plain(value: Any) -> Any:
    """Return `value` with each Decimal as a JSON number."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
