"""Calls to Pongo: the token, the budget, paths by name, and its refusals in our words.

Pongo's stack seems to be Laravel, so errors are read in Laravel's format
(docs/contracts/pongo.md 7).
"""

import json
import re
from typing import Any

import requests
import structlog

from providers.answers import object_in, objects_in
from providers.base import ProviderConfig
from providers.errors import AuthFailed, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget, spread
from providers.outbound.exchange import Answer, Call, segment
from providers.outbound.vendor_session import VendorSession, judge_status
from providers.pongo import account as accounts
from providers.pongo.models import Account
from providers.pongo.settings import Settings

log = structlog.get_logger(__name__)

KIND = "pongo"

# Names the PIN where it is refused: a word of the message or code, or the field.
PIN = re.compile(r"(?<![a-z])pin(?![a-z])")
# A refusal's `code`, or words of its `message`: the first that fits. All assumed (docs/contracts/pongo.md 7).
# A code or a field of Pongo that may be logged.
NAME = re.compile(r"[A-Za-z0-9_.*-]{1,60}")
REASONS: tuple[tuple[str, RejectReason], ...] = (
    ("not_enough_points", RejectReason.INSUFFICIENT_POINTS),
    ("not enough points", RejectReason.INSUFFICIENT_POINTS),
    ("already_used", RejectReason.ALREADY_USED),
    ("already been used", RejectReason.ALREADY_USED),
    ("reward_locked", RejectReason.ALREADY_USED),
    ("locked", RejectReason.ALREADY_USED),
    ("expired", RejectReason.EXPIRED),
    ("not_available", RejectReason.NOT_ALLOWED),
    ("not available", RejectReason.NOT_ALLOWED),
)


def judge(answer: Answer, kind: str) -> ProviderError | None:
    """As `judge_status`, but a 403 may also concern a customer's PIN: `refusal` decides."""
    return None if answer.status == 403 else judge_status(answer, kind)


class Client:
    """All calls of one program. `names` are the names in use. Thread-safe."""

    def __init__(self, config: ProviderConfig, account: Account, token: str | None = None) -> None:
        """`token` overrides the stored one: a connection is tried before it is kept."""
        self.config = config
        self.program = config.program
        self.settings = Settings.read(config.settings)
        self.names = self.settings.names
        self._account = account
        self._pasted = self.settings.access_token
        self._token = token
        limit = spread(self.settings.requests_per_minute, 60.0)
        self.budget = Budget(name=f"{KIND}:{config.program}", limit=limit)
        self._session = VendorSession(
            vendor=KIND,
            program=config.program,
            base_url=self.settings.base_url,
            sign=self._sign,
            headers={"Accept": "application/json"},
            judge=judge,
            budget=self.budget,
            is_scarce=True,
            breaker=Breaker(vendor=KIND, program=config.program),
        )

    def path(self, name: str, **parts: str) -> str:
        """Return the path of that name with its parts quoted."""
        return self.names[f"path.{name}"].format(**{key: segment(value) for key, value in parts.items()})

    def read(self, method: str, path: str, *, operation: str, params: dict[str, str] | None = None) -> Answer:
        """Make a call that changes nothing; errors as `VendorSession.read`."""
        call = Call(method, path, operation=operation, params=params)
        return self._noted(lambda: self._session.read(call))

    def prime(self, ref: str, data: dict[str, Any]) -> None:
        """The page reads the customer by id next: a look-up brought the same object."""
        body = json.dumps(data, default=float).encode()
        self._session.prime(Call("GET", self.path("customer", customer=ref)), body, member=ref)

    def write(self, method: str, path: str, *, operation: str, body: dict[str, Any]) -> Answer:
        """Make a call that changes something, once; errors as `VendorSession.write`."""
        call = Call(method, path, operation=operation, json=body)
        return self._noted(lambda: self._session.write(call))

    def _noted(self, call: Any) -> Answer:
        if self._token is None:
            accounts.token_of(self._account, self._pasted)  # before anything is sent
        try:
            answer: Answer = call()
        except AuthFailed:
            if self._token is None and self._account.sealed_token:
                accounts.note_refused(self.program, self._account.sealed_token)
            raise
        for header in ("Deprecation", "Sunset"):
            if header in answer.headers:
                log.warning("vendor_deprecates", vendor=KIND, header=header)
        return answer

    def _sign(self, request: requests.PreparedRequest) -> None:
        token = self._token
        if token is None:
            token = accounts.token_of(self._account, self._pasted)
        if token:
            request.headers["Authorization"] = f"Bearer {token}"


def data_of(answer: Answer, missing: RejectReason = RejectReason.MEMBER_NOT_FOUND) -> Any:
    """Return the content of a 200 or 201 without its optional `data` wrapper; raise the error for any other
    status. `missing` is the reason for a 404."""
    if answer.status not in (200, 201):
        raise refusal(answer, missing)
    body = answer.json()
    if isinstance(body, dict) and (body.get("error") or body.get("errors") or _is_message(body)):
        raise UnexpectedAnswer(f"an error inside {answer.status}")
    return body["data"] if isinstance(body, dict) and "data" in body else body


def _is_message(body: dict[str, Any]) -> bool:
    """Return whether a body is only a sentence, as in Laravel's errors."""
    return isinstance(body.get("message"), str) and body.keys() <= {"message", "code", "exception", "trace"}


def object_of(answer: Answer, missing: RejectReason = RejectReason.MEMBER_NOT_FOUND) -> dict[str, Any]:
    """As `data_of`, for an answer that is one object."""
    return object_in(data_of(answer, missing), "answer")


def list_of(answer: Answer, missing: RejectReason = RejectReason.MEMBER_NOT_FOUND) -> list[dict[str, Any]]:
    """As `data_of`, for a list of objects."""
    return objects_in(data_of(answer, missing), "answer")


def refusal(answer: Answer, missing: RejectReason) -> ProviderError:
    """Return the error for a refused call. Its detail names fields, never their values."""
    if answer.status == 404:
        return Rejected(missing, "404")
    if answer.status not in (400, 403, 409, 422):
        return UnexpectedAnswer(str(answer.status))
    try:
        body = answer.json()
    except UnexpectedAnswer:
        body = {}
    body = body if isinstance(body, dict) else {}
    message, code = str(body.get("message") or ""), str(body.get("code") or "")
    if answer.status == 403 and "scope" in message.lower():
        return AuthFailed("403: the token lacks a scope")
    told = f"{code} {message}".lower()
    errors = body.get("errors")
    names = [*(errors if isinstance(errors, dict) else {})]
    if answer.status in (403, 422) and ("pin" in names or PIN.search(told)):
        return Rejected(RejectReason.PIN_NEEDED, f"{answer.status} pin")  # its sentence may repeat the PIN
    if answer.status == 403:
        return Rejected(RejectReason.NOT_ALLOWED, "403", text=message[:200])
    reason = next((reason for words, reason in REASONS if words in told), RejectReason.INVALID_INPUT)
    fields = ", ".join(sorted(filter(NAME.fullmatch, names)))
    # Laravel's own sentence about fields does not help an associate.
    text = "" if names else message[:200]
    detail = code if NAME.fullmatch(code) else fields
    return Rejected(reason, f"{answer.status} {detail}".strip(), text=text)
