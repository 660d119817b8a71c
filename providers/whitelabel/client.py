"""Calls to the vendor's engine: headers, token, envelope, lists. Everything above speaks through it.

Source: docs/contracts/whitelabel.md 1.2, 1.5, 2, 3. No call here is repeated after its outcome became
unknown.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.utils import timezone

from providers.answers import rows
from providers.base import ProviderConfig
from providers.errors import AuthFailed, ProviderError, Rejected, RejectReason, UnexpectedAnswer
from providers.journal.states import Journal
from providers.outbound import sharing
from providers.outbound.breaker import Breaker
from providers.outbound.budget import Budget
from providers.outbound.budget_state import Limit
from providers.outbound.exchange import Answer, Call
from providers.outbound.vendor_session import READ, WRITE, VendorSession, judge_status
from providers.whitelabel.settings import Settings
from providers.whitelabel.tokens import AdminToken, user_token

Json = dict[str, Any]
KIND = "whitelabel"
PAGE = 100
VOUCHER = "VOUCHER"  # the type of those rewards and benefits that a till can handle
OFFER = "GENERIC_OFFER"


class TokenRefused(AuthFailed):
    """401: the token is not accepted, the call did nothing."""


class GatewayRefused(AuthFailed):
    """403 from the gateway in front of the engine: the API key is wrong."""


class Refused(UnexpectedAnswer):
    """The engine refused (400, 404, 409, 422) and nothing happened. The caller finds out why: the text of the
    message is no interface. `message` is the engine's own sentence, "" without one."""

    def __init__(self, operation: str, status: int, message: str) -> None:
        super().__init__(f"{operation}: {status}")
        self.status = status
        self.message = message

    def rejected(self, reason: RejectReason) -> Rejected:
        """Return the refusal in our words."""
        return Rejected(reason, str(self), text=self.message)


@contextmanager
def rejecting(reason: RejectReason) -> Iterator[None]:
    """Raise Rejected with this reason where the engine refuses a call of this block."""
    try:
        yield
    except Refused as refused:
        raise refused.rejected(reason) from refused


def judge(answer: Answer, kind: str) -> ProviderError | None:
    """As `judge_status`, telling the refusals of credentials apart. 429 is the limit of the key (100 a
    second); the gateway's 403 has no `status` in its body, the engine's has."""
    if answer.status == 401:
        return TokenRefused("401: token refused")
    if answer.status == 403:
        try:
            body = answer.json()
        except UnexpectedAnswer:
            body = None
        if isinstance(body, dict) and "status" in body:
            return AuthFailed("403: the token may not do this")
        return GatewayRefused("403: the gateway refuses the API key")
    return judge_status(answer, kind)


class Client:
    """The vendor's API for one program. Cheap to create, thread-safe."""

    # Longer than a write can be under way: our own time-out (10 s), the one of the gateway in front of the
    # engine (30 s at most), and a margin. What the engine does not show after it will not come.
    settled_after = timedelta(seconds=60)

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self.settings = Settings.read(config.settings)
        self.names = self.settings.names
        self.journal = Journal(vendor=KIND, program=config.program)
        headers = {"Accept": "application/json"}
        auth = VendorSession(
            vendor=KIND,
            program=config.program,
            base_url=self.settings.token_url,
            headers=headers,
            breaker=Breaker(vendor=f"{KIND}-auth", program=config.program),
        )
        self.token = AdminToken(
            session=auth,
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret,
            audience=self.settings.audience,
        )
        rate_per_s, burst = self.settings.rate_per_s, self.settings.burst
        self.budget = Budget(
            name=f"{KIND}:{config.program}", limit=Limit(calls=burst, window_s=burst / rate_per_s)
        )
        self.headers = {**headers, "X-Api-Key": self.settings.api_key}
        # What the newest answer says of the engine's clock, and when that was by a clock that nobody sets.
        self._dated: tuple[datetime, float] | None = None

    def get(self, path: str, *, operation: str, params: Mapping[str, str | int] | None = None) -> Any:
        """Return `data` of a read. Raises Refused, and what `VendorSession.read` raises."""
        return self._call(READ, Call("GET", path, operation=operation, params=params))

    def now(self) -> datetime:
        """Return the time by the engine's clock, as the newest answer told it; by ours before any did."""
        if self._dated is None:
            return timezone.now()
        at, counted_s = self._dated
        return at + timedelta(seconds=time.monotonic() - counted_s)

    @property
    def locale(self) -> dict[str, str | int]:
        """The parameter of those reads that answer in a language."""
        return {"locale": self.settings.locale}

    def test(self, path: str, body: Json, *, operation: str) -> Any:
        """As `get`, for a POST that changes nothing."""
        return self._call(READ, Call("POST", path, operation=operation, json=body))

    def send(self, path: str, body: Json, *, operation: str, base_url: str = "") -> Any:
        """Return `data` of a write, sent at most once. Raises Refused, and what `VendorSession.write`
        raises. An answer that cannot be read raises UnexpectedAnswer: as good as unknown. `base_url` is that
        of another API of the vendor."""
        return self._call(WRITE, Call("POST", path, operation=operation, json=body), base_url)

    def remove(self, path: str, *, operation: str) -> None:
        """Delete. Raises as `send`; that it is gone already is success."""
        try:
            self._call(WRITE, Call("DELETE", path, operation=operation))
        except Refused as refused:
            if refused.status != 404:
                raise

    def rows(
        self,
        path: str,
        *,
        operation: str,
        filters: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        limit: int = PAGE,
        skip: int = 0,
    ) -> list[Json]:
        """Return one page of a list, newest first. `filters` maps names of the table to values: the engine
        may ignore them, so the caller compares every row. Raises as `get`."""
        asked = self._asked(limit, skip, params, filters)
        return self._rows_in(self.get(path, operation=operation, params=asked), operation)

    def _asked(
        self,
        limit: int,
        skip: int,
        params: Mapping[str, str | int] | None,
        filters: Mapping[str, str] | None,
    ) -> dict[str, str | int]:
        """Return the parameters of a list."""
        asked: dict[str, str | int] = {"limit": limit, "skip": skip, "order": "DESC", **(params or {})}
        if filters:
            asked["filter"] = json.dumps(self.nested(filters), separators=(",", ":"))
        return asked

    def _rows_in(self, data: Any, operation: str) -> list[Json]:
        if not isinstance(data, list):
            raise UnexpectedAnswer(f"{operation}: not a list")
        return rows(data)

    def rows_as(
        self,
        login: str,
        path: str,
        *,
        operation: str,
        filters: Mapping[str, str],
        params: Mapping[str, str | int] | None = None,
        limit: int = PAGE,
    ) -> list[Json]:
        """As `rows`, read as the member who logs in as `login`. The address does not name them, so the answer
        is shared with nobody. Raises AuthFailed where the engine refuses the token."""
        asked = self._asked(limit, 0, params, filters)
        call = Call("GET", path, operation=operation, params=asked)
        with sharing.alone():
            try:
                answer = self._once(user_token(self.settings, login, self.now()), READ, call)
            except TokenRefused as error:
                raise AuthFailed(f"{operation}: the token of a member is refused") from error
        return self._rows_in(_data(answer, operation), operation)

    def nested(self, values: Mapping[str, Any]) -> Json:
        """Return the object that has `values` at the places of their names, without those whose name is
        empty."""
        result: Json = {}
        for name, value in values.items():
            if not self.names[name]:
                continue
            *parents, last = self.names[name].split(".")
            place = result
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return result

    def prime(self, path: str, data: Json, *, member: str) -> None:
        """The page reads `path` of this member next: a list brought the same object."""
        body = json.dumps({"status": "success", "data": data}, default=float).encode()
        self._session("").prime(Call("GET", path), body, member=member)

    def _session(self, token: str, base_url: str = "") -> VendorSession:
        def sign(request: requests.PreparedRequest) -> None:
            request.headers["Authorization"] = f"Bearer {token}"

        return VendorSession(
            vendor=KIND,
            program=self.config.program,
            base_url=base_url or self.settings.base_url,
            headers=self.headers,
            sign=sign,
            budget=self.budget,
            breaker=Breaker(vendor=f"{KIND}-receipts" if base_url else KIND, program=self.config.program),
            judge=judge,
        )

    def _call(self, kind: str, call: Call, base_url: str = "") -> Any:
        token = self.token.get()
        try:
            answer = self._once(token, kind, call, base_url)
        except TokenRefused:
            # Refused means that nothing happened, so even a write may be sent again, once.
            answer = self._once(self.token.get(refused=token), kind, call, base_url)
        return _data(answer, call.operation)

    def _once(self, token: str, kind: str, call: Call, base_url: str = "") -> Answer:
        session = self._session(token, base_url)
        answer = session.write(call) if kind == WRITE else session.read(call)
        if (at := _date_of(answer)) is not None:
            self._dated = (at, time.monotonic())
        return answer


def _date_of(answer: Answer) -> datetime | None:
    try:
        at = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _data(answer: Answer, operation: str) -> Any:
    """Return what the envelope holds (docs/contracts/whitelabel.md 2)."""
    if answer.status in (202, 204) and not answer.body:
        return None
    if answer.status >= 400:
        raise Refused(operation, answer.status, _message(answer))
    body = answer.json()
    if not isinstance(body, dict) or body.get("status") != "success":
        raise UnexpectedAnswer(f"{operation}: no success in the envelope")
    data = body.get("data")
    if isinstance(data, dict) and data.get("error") and "id" not in data:
        raise UnexpectedAnswer(f"{operation}: an error in the envelope of a success")
    return data


def _message(answer: Answer) -> str:
    try:
        body = answer.json()
    except UnexpectedAnswer:
        return ""
    message = body.get("message") if isinstance(body, dict) else None
    return message[:200] if isinstance(message, str) else ""


def plain(amount: Decimal) -> int | float:
    """Return an amount as a JSON number."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)
