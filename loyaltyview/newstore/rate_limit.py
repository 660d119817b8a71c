"""Our own limit of calls per tenant in this process, and the pauses that NewStore asks for.
Source: docs/contracts/newstore.md 9.

NewStore allows a tenant 200 calls a second (100 outside production) for all callers together, so each of our
processes takes a part only (`newstore_rate_per_s`).
"""

import time

from loyaltyview.newstore.errors import NewStoreUnavailable
from loyaltyview.programs.models import Program
from providers.outbound.budget import Budget, OwnLimit, calling_for
from providers.outbound.budget_state import JITTER_S, SLOTS, Limit, Use
from providers.outbound.budget_store import ProcessStore

# Then one call tries again: a single odd answer (a gateway's 403, say) must not stop the tills for minutes.
LONGEST_PAUSE_S = 60
# A call then counts for one second (`Limit.kept_s`).
WINDOW_S = (1.0 - JITTER_S) / (1 + 1 / SLOTS)

_calls = ProcessStore(lambda: time.monotonic())
_paused_until: dict[tuple[str, str], float] = {}


def take_turn(program: Program, patience_s: float, area: str = "") -> None:
    """Take one turn of this program's tenant, waiting `patience_s` at most. Raises NewStoreUnavailable
    immediately when that is too short. While NewStore asks us to wait with all calls or those of `area`, the
    error has status 429."""
    rate_per_s, tenant = program.newstore_rate_per_s, program.newstore_tenant
    if not rate_per_s:
        return
    now = time.monotonic()
    paused_s = max(_paused_until.get((tenant, each), now) for each in ("", area)) - now
    if paused_s > 0:
        raise NewStoreUnavailable("NewStore asks us to wait", status=429, retry_after_s=paused_s)
    limit = Limit(calls=rate_per_s, window_s=WINDOW_S)
    budget = Budget(name=tenant, limit=limit, clock=time.monotonic, sleep=time.sleep, kept_in=_calls)
    with calling_for(Use.TAP) as turn:  # in the order in which they come
        try:
            budget.take(patience_s)
        except OwnLimit as error:
            text = "our own limit for NewStore"
            raise NewStoreUnavailable(text, retry_after_s=error.retry_after_s) from error
        finally:
            budget.end(turn.key)


def pause(program: Program, seconds: float, area: str = "") -> None:
    """Pause this process's calls for the tenant, or only those of `area`, because NewStore asks for it;
    LONGEST_PAUSE_S at most. Nothing is paused where the program has no rate."""
    if program.newstore_rate_per_s:
        key, until = (program.newstore_tenant, area), time.monotonic() + min(seconds, LONGEST_PAUSE_S)
        _paused_until[key] = max(_paused_until.get(key, until), until)


def forget() -> None:
    """Forget the turns that were taken and the pauses that were asked for in this process."""
    _calls.clear()
    _paused_until.clear()
