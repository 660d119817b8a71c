"""The member's points history."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from loyaltyview.redemptions.refusals import Refusal, read_refusal
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.member_data import read_history
from loyaltyview.webview.models import Launch
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.sessions import with_launch
from providers.errors import ProviderError


@with_launch
@require_safe
def history(request: HttpRequest, launch: Launch) -> HttpResponse:
    """The member's points history: a page of its own, or a fragment below the rewards."""
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    provider = launch.program.provider()
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "movements": (),
        "is_ours_only": provider.has_our_history,
        "is_fragment": is_htmx(request),
    }
    try:
        context["movements"] = read_history(launch, provider)
    except ProviderError as error:
        context["code"] = refusal = read_refusal(error)
        context["sentence"] = refusal.sentence
    template = "webview/history.html#movements" if is_htmx(request) else "webview/history.html"
    return render(request, template, context)
