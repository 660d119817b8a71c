"""The member's full name and contact: only on a press, only for an associate, for some seconds. The log says
which associate looked, not what they saw."""

import structlog
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from loyaltyview.redemptions.refusals import Refusal, vendor_refusal
from loyaltyview.webview import masking
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.member_data import read_profile
from loyaltyview.webview.members import check_member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.sessions import with_launch
from providers.errors import ProviderError, Rejected
from providers.types import Member

log = structlog.get_logger(__name__)

SHOWN_S = 6  # with a script, app.js hides it after as many


@with_launch
@require_POST
def reveal(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Answer with the fragment, or without a script with a page that goes back by itself."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    try:
        check_member_token(launch, request.POST.get("member"))
        member = read_profile(launch, launch.program.provider())
    except Problem as problem:
        return _show(request, launch, problem=problem)
    except Rejected as error:
        return _show(request, launch, problem=Problem(vendor_refusal(error), status=409))
    except ProviderError as error:
        return _show(request, launch, problem=Problem.of_read(error))
    log.info(
        "contact_revealed",
        program=launch.program.slug,
        associate=launch.associate_id,
        store=launch.store_id,
        device=launch.device_id,
        launch=launch.pk,
    )
    return _show(request, launch, member)


def _show(
    request: HttpRequest, launch: Launch, member: Member | None = None, problem: Problem | None = None
) -> HttpResponse:
    lines = [masking.full_name(member), masking.full_contact(member)] if member else []
    context = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "lines": [line for line in lines if line],
        "code": problem.code if problem else "",
        "sentence": problem.sentence if problem else "",
        "shown_s": SHOWN_S,
    }
    template = "webview/reveal.html#content" if is_htmx(request) else "webview/reveal.html"
    return render(request, template, context, status=problem.status if problem else 200)
