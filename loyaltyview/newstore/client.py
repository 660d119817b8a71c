"""NewStore's REST API for one program, in our words. Source: docs/contracts/newstore.md 5, 7, 8.4 and 9."""

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from loyaltyview.newstore.answers import (
    HostCart,
    Profile,
    attributes_in,
    cart_from,
    list_in,
    object_of,
    profile_from,
)
from loyaltyview.newstore.errors import (
    NewStoreAuthFailed,
    NewStoreRejected,
    NewStoreUnavailable,
    NewStoreUnexpected,
)
from loyaltyview.newstore.http import Answer, send
from loyaltyview.newstore.rate_limit import pause, take_turn
from loyaltyview.newstore.tokens import access_token, is_scope_missing, note_missing_scope
from loyaltyview.programs.models import Program
from providers.outbound.deadline import check_calls_allowed
from providers.outbound.exchange import Call

# For a whole call. A new token and the call itself may take two seconds and a half each.
BUDGET_S = 6.0
ATTEMPT_S = 3.0
PAUSE_S = 0.1
MOST_PROFILES = 500  # NewStore's largest page
WRITE_ATTEMPTS = 3
THROTTLED = (403, 429)  # NewStore is unavailable then: docs/contracts/newstore.md 9


class NewStoreClient:
    """Calls for one program. Cheap to make, thread-safe. Every method raises NewStoreError.
    `budget_s` bounds all calls together, from now on; without it each has BUDGET_S."""

    def __init__(self, program: Program, *, budget_s: float = math.inf) -> None:
        self.program = program
        self._ends_at = time.monotonic() + budget_s

    def get_cart(self, cart_id: str) -> HostCart:
        """Return the cart; NewStoreRejected with status 404 when there is none."""
        answer = self.call("GET", f"/checkout/carts/{segment(cart_id)}")
        cart = cart_from(object_of(answer))
        if cart.cart_id != cart_id:
            raise NewStoreUnexpected("another cart than the one asked for", answer.request_id)
        return cart

    def get_profile(self, profile_id: str) -> Profile:
        """Return the customer's profile; NewStoreRejected with status 404 when there is none, for example
        because profiles were merged."""
        return profile_from(object_of(self.call("GET", f"/customer/profiles/{segment(profile_id)}")))

    def find_profiles(self, q: str) -> tuple[Profile, ...]:
        """Return the profiles whose e-mail (any case), phone, id or display id is exactly `q`.
        NewStore also matches parts and names; such a customer is another one."""
        q = q.strip()
        if not q:
            return ()
        params = {"q": q, "offset": "0", "count": str(MOST_PROFILES)}
        body = object_of(self.call("GET", "/customer/profiles", params=params))
        profiles = [profile_from(entry) for entry in list_in(body, "profiles")]
        return tuple(
            profile
            for profile in profiles
            if q.casefold() == profile.email.casefold()
            or q in (profile.phone, profile.profile_id, profile.display_id)
        )

    def write_loyalty_id(
        self, profile_id: str, attribute: str, value: str, *, may_replace: bool = True
    ) -> bool:
        """Set one extended attribute and keep all others; return whether it has `value` now, False when it
        has another one that we may not replace. May be repeated; already set writes nothing.

        A write replaces the whole map, so the map is read, merged and sent with the `updated_at` that was
        read. After a conflict (409: another write came in between) all of it is done again, at most three
        times.
        """
        path = f"/customer/profiles/{segment(profile_id)}"
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            body = object_of(self.call("GET", path))
            profile = profile_from(body)
            present = profile.attributes.get(attribute, "")
            if present == value or (present and not may_replace):
                return present == value
            merged = {**attributes_in(body), attribute: {"data_type": "string", "value": value}}
            change = {"last_updated_at": profile.updated_at, "extended_attributes": merged}
            try:
                self.call("PATCH", path, body=change)
            except NewStoreRejected as error:
                if error.status != 409 or attempt == WRITE_ATTEMPTS:
                    raise
            else:
                break
        return True

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        budget_s: float = BUDGET_S,
        attempt_s: float = ATTEMPT_S,
    ) -> Answer:
        """Make one call that is harmless to repeat. It is repeated once when NewStore is unavailable and half
        of `budget_s` is left after the wait: silence is not waited for twice. All calls of this client are
        of that kind."""
        started = time.monotonic()
        deadline = min(started + budget_s, self._ends_at)
        call = Call(method, path, params=params, json=body, headers=headers or {})
        try:
            return self._authorised(call, deadline, attempt_s)
        except NewStoreUnavailable as error:
            pause_s = PAUSE_S if error.retry_after_s is None else error.retry_after_s
            if time.monotonic() + pause_s > (started + deadline) / 2:
                raise
            time.sleep(pause_s)
        return self._authorised(call, deadline, attempt_s)

    def _authorised(self, call: Call, deadline: float, attempt_s: float) -> Answer:
        """Send with our token. When NewStore refuses it (401, or 403 for one that has expired or was
        revoked), send once more with a new one. Nothing was carried out then, so a write is repeated too."""
        check_calls_allowed()
        refused, area = "", "/".join(call.path.split("/")[:3])
        for _ in range(2):
            token = access_token(self.program, timeout_s=_time_left(deadline), refused=refused)
            take_turn(self.program, deadline - time.monotonic(), area)
            try:
                signed = replace(call, headers={**call.headers, "Authorization": f"Bearer {token}"})
                return send(
                    self.program.slug,
                    self.program.newstore_api_url,
                    signed,
                    timeout_s=_time_left(deadline, attempt_s),
                )
            except NewStoreUnavailable as error:
                if error.status in THROTTLED and error.retry_after_s:
                    # The older limit counts for the tenant; a 429 may concern these addresses only.
                    pause(self.program, error.retry_after_s, area if error.status == 429 else "")
                raise
            except NewStoreRejected as error:
                if error.status not in (401, 403):
                    raise
                last = error
                # A missing scope is 403 as well: a new token would not have it either.
                if error.status == 403 and (refused or is_scope_missing(self.program, area)):
                    note_missing_scope(self.program, area)
                    break
                refused = token
        raise NewStoreAuthFailed(last.detail, last.request_id) from last


def _time_left(deadline: float, attempt_s: float = ATTEMPT_S) -> float:
    return min(attempt_s, deadline - time.monotonic())


def segment(value: str) -> str:
    """Return `value` as one segment of a path; "." and ".." would name another address."""
    if value.strip(".") == "":
        raise NewStoreRejected("an empty id")
    return quote(value, safe="")
