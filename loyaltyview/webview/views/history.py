"""The member's points history: what moved their points, where, and in which order."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from loyaltyview.redemptions.refusals import Refusal, read_refusal
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.timeline import Cursor
from loyaltyview.webview.timeline_reads import read_page
from providers.errors import ProviderError

MOST_SKIPPED = 10_000  # lines of one moment


@with_launch
@require_safe
def history(request: HttpRequest, launch: Launch) -> HttpResponse:
    """One page of the points history: a page of its own, or a fragment below the rewards. `until` and `skip`
    in the address lead to older lines."""
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    provider, store, cursor = launch.program.provider(), store_of(launch), _cursor_of(request)
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store,
        "is_ours_only": provider.has_our_history,
        "is_fragment": is_htmx(request),
        "is_older": cursor is not None,
    }
    # The days of the store where the associate stands, also of what happened elsewhere.
    zone = ZoneInfo((store.time_zone if store else "") or launch.program.time_zone or "UTC")
    try:
        page = read_page(launch, provider, zone, cursor)
        context |= {"months": page.months, "older": _query_of(page.older) if page.older else ""}
    except ProviderError as error:
        context["code"] = refusal = read_refusal(error)
        context["sentence"] = refusal.sentence
    template = "webview/history.html#movements" if is_htmx(request) else "webview/history.html"
    return render(request, template, context)


def _cursor_of(request: HttpRequest) -> Cursor | None:
    """Return where the page begins; None for the newest line, and for an address that we did not make."""
    try:
        at = datetime.fromisoformat(request.GET.get("until", ""))
        skip = int(request.GET.get("skip", ""))
    except ValueError:
        return None
    return Cursor(at=at, skip=skip) if at.tzinfo and 0 <= skip <= MOST_SKIPPED else None


def _query_of(cursor: Cursor) -> str:
    return urlencode({"until": cursor.at.isoformat(), "skip": str(cursor.skip)})
