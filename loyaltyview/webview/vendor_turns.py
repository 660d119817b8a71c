"""When a tap may call a vendor that allows few calls: now, in some seconds, or too late."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import ngettext

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import is_htmx
from providers.outbound import sharing
from providers.outbound.budget import calling_for
from providers.outbound.budget_state import Use

TEMPLATE = "webview/waiting.html"
# A request waits this long itself: the associate does not notice, and the thread is soon free.
SOON_S = 2.0
NOT_REPEATED = ("csrfmiddlewaretoken", "pin")  # of a form that a page holds again


def calls_of(launch: Launch, taps: int = 1) -> int:
    """Return how many calls the taps of a form make: those of their spends, and the page's where it was read
    long ago or by another process. 1 for a vendor whose calls are not counted."""
    provider = launch.program.provider()
    if provider.budget is None:
        return 1
    is_known = sharing.is_known(launch.program.slug, launch.member_ref)
    return provider.calls_of_tap * taps + (0 if is_known else provider.calls_of_page)


def wait_of(launch: Launch, key: str, calls: int) -> float:
    """Keep a place for the `calls` of a form, once per key. Return in how many seconds its turn comes, 0 for
    now or soon. Raises Problem where that would be too long; then no place is kept."""
    budget = launch.program.provider().budget
    if budget is None:
        return 0.0
    turn = budget.book(key, calls)
    if turn.is_booked:
        return turn.wait_s if turn.wait_s > SOON_S else 0.0
    seconds = math.ceil(turn.wait_s)
    text = ngettext(
        "The loyalty program is busy: the next turn is in about %(n)d second. "
        "Nothing was spent. Apply it again then.",
        "The loyalty program is busy: the next turn is in about %(n)d seconds. "
        "Nothing was spent. Apply it again then.",
        seconds,
    )
    raise Problem(Refusal.PROVIDER_BUSY, text % {"n": seconds}, status=503)


@contextmanager
def in_turn(launch: Launch, key: str, calls: int) -> Iterator[None]:
    """Make the calls of this block with the `calls` that were booked under `key`, and give back the rest."""
    budget = launch.program.provider().budget
    with calling_for(Use.TAP, calls=calls, key=key) as purpose:
        try:
            yield
        finally:
            if budget is not None and purpose.made < purpose.calls:
                budget.end(key)


def waiting(request: HttpRequest, launch: Launch, wait_s: float) -> HttpResponse:
    """Say how long it takes. The page holds the same form, and sends it again when the turn comes."""
    seconds = math.ceil(wait_s)
    context = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "seconds": seconds,
        "fields": [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in NOT_REPEATED
        ],
    }
    template = f"{TEMPLATE}#content" if is_htmx(request) else TEMPLATE
    response = render(request, template, context, status=202)
    response["Retry-After"] = str(seconds)
    return response
