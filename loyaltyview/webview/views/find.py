"""Finding a member: one field for phone, e-mail, member number or scanned code."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from loyaltyview.ops.policy import with_scanner
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.member_data import find_customer, look_up_now
from loyaltyview.webview.members import choose, masked_views, read_choice
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import cancelled_in_cart
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_lookup
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.search_input import read_email, read_phone, read_query, spoken
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.views.member import to_the_end
from providers.base import Capability
from providers.errors import ProviderError
from providers.types import Member


@with_launch
@with_scanner
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest, launch: Launch) -> HttpResponse:
    """The search field and, after a search, its matches. One match needs no choice."""
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "cancelled": cancelled_in_cart(launch),
        "q": "",
    }
    status = 200
    try:
        if request.method == "POST":
            response = _search(request, launch, context)
            if response:
                return response
        elif "several" in request.GET:
            _offer_customer(launch, context)
        elif not launch.is_verified:
            return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
        elif "gone" in request.GET:
            raise Problem(Refusal.MEMBER_NOT_FOUND, status=200)
    except Problem as problem:
        context |= {"problem": problem, "sentence": problem.sentence}
        if problem.code in (Refusal.CARD_NUMBER, Refusal.QUERY_UNREADABLE):
            context["q"] = ""  # a payment card goes nowhere, not even back
        status = problem.status
        if status == 503:
            note_trouble(launch.program, TroubleKind.PAGE, problem.code)
    template = "webview/find.html#content" if is_htmx(request) else "webview/find.html"
    return render(request, template, context, status=status)


@with_launch
@with_scanner
@require_POST
def choose_member(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Take the member that was tapped in a list of ours."""
    ref = read_choice(launch, request.POST.get("member", ""))
    if not ref:
        if not launch.is_verified:
            return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
        problem = Problem(Refusal.CHOICE_EXPIRED)
        context = {
            "launch": launch,
            "program": launch.program,
            "store": store_of(launch),
            "q": "",
            "problem": problem,
            "sentence": problem.sentence,
        }
        return render(request, "webview/find.html", context, status=problem.status)
    choose(launch, ref, is_customer=False)
    return go(request, address_of("member", launch))


def _search(request: HttpRequest, launch: Launch, context: dict[str, Any]) -> HttpResponse | None:
    """Fill `context` with what was found; answer at once when it is exactly one member."""
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    text = request.POST.get("q", "")
    context["q"] = text.strip()
    queries = read_query(text, launch.program.country)
    count_lookup(launch)
    provider = launch.program.provider()
    try:
        members = look_up_now(provider, queries)
    except ProviderError as error:
        raise Problem.of_read(error) from error
    if len(members) == 1:
        choose(launch, members[0].ref, is_customer=False)
        return go(request, address_of("member", launch))
    context["searched"] = True
    context["read_as"] = spoken(queries[0]) if queries else text.strip()
    context["matches"] = masked_views(launch, members)
    # Only what the enrolment form will read.
    can_enrol = bool(read_email(text) or read_phone(text, launch.program.country))
    context["may_enrol"] = Capability.ENROL in provider.capabilities
    context["can_enrol"] = can_enrol and context["may_enrol"]
    return None


def _offer_customer(launch: Launch, context: dict[str, Any]) -> None:
    """The cart's customer matches several members: offer them."""
    wait = to_the_end()
    try:
        members: tuple[Member, ...] | None = find_customer(
            launch, launch.program.provider(), patience_s=wait.seconds, is_last=True
        )
    except ProviderError as error:
        raise Problem.of_read(error) from error
    context["matches"] = masked_views(launch, members or ())
    context["is_several"] = True
