"""The connection to one Yotpo account: credentials, budget, busy records, and what a refusal means.

Credentials go into headers: in the query they would end up in access logs.
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from providers.base import ProviderConfig
from providers.errors import Busy, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.states import Journal
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget
from providers.outbound.budget_state import Limit
from providers.outbound.exchange import Answer, Call
from providers.outbound.vendor_session import Limits, VendorSession, judge_status
from providers.yotpo.settings import Settings

KIND = "yotpo"
LIMITS = Limits(busy_pauses_s=(0.3, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Calls to Yotpo for one program. Answers of 2xx are parsed; others are returned to be judged."""

    program: str
    currency: str
    settings: Settings
    session: VendorSession
    config: ProviderConfig

    @property
    def journal(self) -> Journal:
        return Journal(vendor=KIND, program=self.program)

    def get(self, path: str, *, operation: str, params: Mapping[str, str]) -> Answer:
        """Read. Raises Unavailable, RateLimited, AuthFailed, UnexpectedAnswer, also for an error that comes
        with status 200."""
        answer = self.session.read(Call("GET", path, operation=operation, params=params))
        if 200 <= answer.status < 300 and _is_error(answer.json()):
            raise UnexpectedAnswer(f"{operation}: an error inside {answer.status}")
        return answer

    def post(self, path: str, *, operation: str, body: Mapping[str, Any]) -> Answer:
        """Write. Raises as `VendorSession.write`."""
        return self.session.write(Call("POST", path, operation=operation, json=dict(body)))

    def refusal(self, answer: Answer, not_found: RejectReason = RejectReason.MEMBER_NOT_FOUND) -> Rejected:
        """Return what a refusing answer means, in any of the shapes that have been seen: errors by field,
        `error`, `errors`, `error_message`, `message`, plain text. `not_found` is what a 404 means here."""
        names = self.settings.names
        keys, text = read_refusal(answer)
        words = text.lower()
        # Which key it was helps the reader of the log; the sentence may name the customer.
        detail = f"{answer.status} {','.join(sorted(keys))[:80]}".strip()
        if keys & set(names.all("points_keys")) or _says(words, names.all("points_words")):
            return Rejected(RejectReason.INSUFFICIENT_POINTS, detail)
        if _says(words, names.all("stock_words")):
            return Rejected(RejectReason.OUT_OF_STOCK, detail)
        if keys & set(names.all("option_keys")):
            return Rejected(RejectReason.REWARD_NOT_FOUND, detail)
        if answer.status == 404:
            return Rejected(not_found, detail)
        return Rejected(RejectReason.NOT_ALLOWED, detail, text=text)


def client_for(config: ProviderConfig, sleep: Callable[[float], None] = time.sleep) -> Client:
    """Return the client of a program; cheap, connections are shared by the session."""
    settings = Settings.read(config.settings)
    budget = Budget(name=f"{KIND}:{config.program}", limit=Limit(calls=settings.rate_per_s, window_s=1.0))

    def judge(answer: Answer, kind: str) -> ProviderError | None:
        if answer.status != 429 and (pause_s := pause_of(answer.headers)):
            budget.pause(pause_s)
        if answer.status == 423:
            return Busy("423")
        return judge_status(answer, kind)

    session = VendorSession(
        vendor=KIND,
        program=config.program,
        base_url=settings.base_url,
        headers={"x-guid": settings.guid, "x-api-key": settings.api_key, "Accept": "application/json"},
        budget=budget,
        limits=LIMITS,
        is_scarce=True,
        breaker=Breaker(vendor=KIND, program=config.program),
        judge=judge,
        sleep=sleep,
    )
    return Client(
        program=config.program,
        currency=config.currency,
        settings=settings,
        session=session,
        config=config,
    )


def pause_of(headers: Mapping[str, str]) -> float:
    """Return for how many seconds the vendor's own count has no call left, 0 where it has or does not say.
    Source: loyaltyapi.yotpo.com/reference/guidelines-and-conventions."""
    try:
        left, reset_s = float(headers["ratelimit-remaining"]), float(headers["ratelimit-reset"])
    except (KeyError, ValueError):
        return 0.0
    return reset_s if left < 1 and math.isfinite(reset_s) else 0.0


def is_ok(answer: Answer) -> bool:
    """Return whether Yotpo did it. Errors come with status 200, too; a write may be answered with nothing."""
    if not 200 <= answer.status < 300:
        return False
    try:
        return not (answer.body.strip() and _is_error(answer.json()))
    except UnexpectedAnswer:
        return True


def _is_error(body: Any) -> bool:
    """Return whether a body is one of the shapes in which errors have been seen (`refusal`)."""
    return isinstance(body, dict) and any(body.get(name) for name in ("error", "errors", "error_message"))


def read_refusal(answer: Answer) -> tuple[set[str], str]:
    """Return the keys that a refusing body names, and its first sentence (at most 200 characters)."""
    try:
        body = answer.json()
    except UnexpectedAnswer:
        return set(), answer.body.decode("utf-8", "replace").strip()[:200]
    if isinstance(body, dict) and isinstance(body.get("errors"), dict):
        body = body["errors"]
    keys = {str(key) for key in body} if isinstance(body, dict) else set()
    return keys, _sentence(body)[:200]


def _sentence(body: Any) -> str:
    if isinstance(body, str):
        return body.strip()
    if isinstance(body, list):
        return _sentence(body[0]) if body else ""
    if isinstance(body, dict):
        for key in ("error_message", "error", "message", "errors"):
            if body.get(key):
                return _sentence(body[key])
        return next((_sentence(value) for value in body.values() if isinstance(value, list | str)), "")
    return ""


def _says(words: str, phrases: tuple[str, ...]) -> bool:
    return any(phrase in words for phrase in phrases)
