"""The calls of a page to the vendor, and how long it waits for them.

Calls over the network run in parallel. Those that are not done within the first paint go on while the
skeleton is shown; `late_content` picks them up when they are done. A local vendor is called at once.
"""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.conf import settings

from loyaltyview.webview.models import Launch
from providers.base import LoyaltyProvider
from providers.errors import ProviderError
from providers.outbound import parallel, sharing
from providers.outbound.budget import calling_for, finishing
from providers.outbound.budget_state import Use

AHEAD = "ahead:"
Answers = dict[str, parallel.Result[Any]]


def ask(
    launch: Launch,
    provider: LoyaltyProvider,
    what: str,
    calls: Mapping[str, Callable[[], Any]],
    *,
    patience_s: float,
    is_last: bool,
    member: str,
    count: int = 0,
    is_spare: bool = False,
) -> Answers | None:
    """Run `calls`; None when they are not all done after `patience_s` and this is not the last time that
    they are waited for: then they go on as `launch.waits_for`, and the next time finds them. `count` and
    `is_spare` are as in `begin`."""
    if provider.is_local:
        return call_now(provider, calls)
    key = f"{launch.pk}:{what}"
    pending = parallel.take(key) or _read_ahead(key)
    if pending is None:
        pending = _begin(launch, provider, calls, member, count, is_spare=is_spare)
    if is_last:
        return pending.results(patience_s)
    if pending.wait(patience_s):
        return pending.results(0)
    launch.waits_for = pending
    parallel.keep(key, pending)
    return None


def begin(
    launch: Launch,
    provider: LoyaltyProvider,
    what: str,
    calls: Mapping[str, Callable[[], Any]],
    *,
    member: str,
    count: int = 0,
) -> None:
    """Start the calls for which a page will `ask`, of which `count` reach the vendor (0: as many as a page
    makes). They are spare: left out where the account's budget has no turn for them now."""
    pending = _begin(launch, provider, calls, member, count, is_spare=True)
    parallel.keep(f"{AHEAD}{launch.pk}:{what}", pending)


def _begin(
    launch: Launch,
    provider: LoyaltyProvider,
    calls: Mapping[str, Callable[[], Any]],
    member: str,
    count: int,
    *,
    is_spare: bool,
) -> parallel.Pending:
    with sharing.sharing(launch.program.slug, member, max_age_s=sharing.PAGE_S):
        count = count or _count(launch, provider, member)
        return _start(calls, count, patience_s=0.0 if is_spare else math.inf)


def _read_ahead(key: str) -> parallel.Pending | None:
    """Return the calls that began with the launch. What failed then, the page tries again."""
    pending = parallel.take(AHEAD + key)
    return None if pending is None or pending.has_failed() else pending


def shared(launch: Launch, provider: LoyaltyProvider, max_age_s: float) -> AbstractContextManager[None]:
    """Share the reads of this block that are at most `max_age_s` old. A local vendor's are not shared."""
    if provider.is_local:
        return nullcontext()
    return sharing.sharing(launch.program.slug, launch.member_ref, max_age_s=max_age_s)


def call_now(
    provider: LoyaltyProvider, calls: Mapping[str, Callable[[], Any]], *, is_tap: bool = False
) -> Answers:
    """Run `calls` to their end, or to the page's deadline. The calls of a tap count on what it has booked."""
    if provider.is_local:
        with provider.reading():
            return {name: _answer(call) for name, call in calls.items()}
    if is_tap:
        return parallel.gather(calls, settings.PAGE_DEADLINE_S)
    return _start(calls, 1).results(settings.PAGE_DEADLINE_S)


def _count(launch: Launch, provider: LoyaltyProvider, member: str) -> int:
    """Return how many calls a page needs: one for a look-up, which often brings the member's own record."""
    if not member:
        return 1
    return max(1, provider.calls_of_page - sharing.is_known(launch.program.slug, member))


def _start(
    calls: Mapping[str, Callable[[], Any]], count: int, patience_s: float = math.inf
) -> parallel.Pending:
    """Start the calls of a page: none of them begins before it is the turn of `count`."""
    with calling_for(Use.PAGE, calls=count, patience_s=patience_s) as purpose:
        return parallel.start(finishing(purpose, calls), settings.PAGE_DEADLINE_S)


def _answer(call: Callable[[], Any]) -> parallel.Result[Any]:
    try:
        return parallel.Result(value=call())
    except ProviderError as error:
        return parallel.Result(error=error)


def time_left(started: float, seconds: float) -> float:
    """Return the rest of `seconds` since `started` (time.monotonic), at least 0."""
    return max(0.0, started + seconds - time.monotonic())
