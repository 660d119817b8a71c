"""The connection to one Stampcard account: its settings, its calls, and what a refusal means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.answers import Json, object_in, text_of, whole
from providers.base import ProviderConfig
from providers.errors import Rejected, RejectReason, UnexpectedAnswer
from providers.journal.states import Journal
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget
from providers.outbound.budget_state import Limit
from providers.outbound.exchange import Answer, Call
from providers.outbound.vendor_session import VendorSession
from providers.settings import VendorSettings, setting

KIND = "stampcard"

# Stampcard's own code of an error decides. A status alone decides nothing: a 404 can be a gateway's.
REASONS: Mapping[str, RejectReason] = {
    "not_enough_stamps": RejectReason.INSUFFICIENT_POINTS,
    "customer_unknown": RejectReason.MEMBER_NOT_FOUND,
    "reward_unknown": RejectReason.REWARD_NOT_FOUND,
    "price_changed": RejectReason.PRICE_CHANGED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(VendorSettings):
    base_url: str = setting(required=True, help="Address of the API, without the version.")
    api_key: str = setting(required=True, is_secret=True, help="Stampcard > Shop > API.")
    signing_secret: str = setting(is_secret=True, help="Beside the webhook's address in Stampcard.")
    calls_per_minute: int = setting(default=300, minimum=1, help="What the plan allows.")


class Client:
    """Calls to Stampcard for one program. Cheap to create: connections and counts outlive it."""

    def __init__(self, config: ProviderConfig) -> None:
        self.settings = Settings.read(config.settings)
        self.currency = config.currency
        self.journal = Journal(vendor=KIND, program=config.program)
        self.budget = Budget(
            name=f"{KIND}:{config.program}",
            limit=Limit(calls=self.settings.calls_per_minute, window_s=60.0),
        )
        self.session = VendorSession(
            vendor=KIND,
            program=config.program,
            base_url=f"{self.settings.base_url}/v1",
            headers={"Authorization": f"Bearer {self.settings.api_key}"},
            budget=self.budget,
            breaker=Breaker(vendor=KIND, program=config.program),
        )

    def get(self, path: str, *, operation: str, params: Mapping[str, str] | None = None) -> Any:
        """Read; may be repeated. Raises Rejected, and as `VendorSession.read`."""
        return _data(self.session.read(Call("GET", path, operation=operation, params=params)), operation)

    def send(self, method: str, path: str, body: Json | None, *, operation: str) -> Json:
        """Write, at most once. Raises Rejected (nothing happened), and as `VendorSession.write`."""
        answer = self.session.write(Call(method, path, operation=operation, json=body))
        return object_in(_data(answer, operation), operation)


def _data(answer: Answer, operation: str) -> Any:
    data = answer.json()
    code = text_of(data, "error") if isinstance(data, dict) else ""
    if answer.status in (200, 201) and not code:
        return data
    if code in REASONS:
        raise Rejected(REASONS[code], f"{operation}: {code}")
    raise UnexpectedAnswer(f"{operation}: {answer.status}")


def stamps(data: Json) -> int:
    """Return the number of stamps in an answer; raise UnexpectedAnswer without one."""
    found = whole(data.get("stamps"))
    if found is None:
        raise UnexpectedAnswer("no stamps")
    return found
