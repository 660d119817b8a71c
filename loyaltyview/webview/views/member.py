"""The member page: points, tier, what this cart can use now, soon, or not at the till.

`show_member` decides which page it is. The way from there to the template stands in docs/architecture.md 5.1.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.ops.database import best_effort
from loyaltyview.ops.policy import with_scanner
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.refusals import read_refusal
from loyaltyview.webview.healing import asked_again, has_asked
from loyaltyview.webview.late_content import answer_with_late_content
from loyaltyview.webview.member_context import LastTap, Page, Search
from loyaltyview.webview.member_data import MemberData, find_customer
from loyaltyview.webview.members import take
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import notices_in_address
from loyaltyview.webview.problems import FailedItem, Problem
from loyaltyview.webview.responses import address_of, go, is_htmx
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.vendor_calls import time_left
from providers.base import Capability
from providers.errors import ProviderError, RateLimited, Rejected, RejectReason, Unavailable
from providers.types import Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a request waits for the vendor, and whether a further one would wait on."""

    seconds: float
    is_last: bool


def first_paint() -> Wait:
    return Wait(seconds=settings.FIRST_PAINT_MS / 1000, is_last=False)


def without_waiting(is_last: bool) -> Wait:
    return Wait(seconds=0, is_last=is_last)


def to_the_end() -> Wait:
    return Wait(seconds=settings.PAGE_DEADLINE_S, is_last=True)


@with_launch
@with_scanner
@require_safe
def member_page(request: HttpRequest, launch: Launch) -> HttpResponseBase:
    """The whole page when the vendor is quick, else its skeleton at once, and the content behind it."""
    page = Page(request, launch, LastTap())
    started = time.monotonic()
    answer = _answer(page, first_paint())
    if answer is not None:
        return answer
    painted = page.reads.painted() if launch.member_ref else None
    painted_ref = launch.member_ref if painted else ""
    if painted:
        frame = render(request, "webview/as_it_was.html", page.member_context(painted))
    else:
        frame = render(request, "webview/skeleton.html", page.shared_context())
    return answer_with_late_content(
        request,
        launch,
        frame,
        lambda is_last: _answer(page, without_waiting(is_last), painted_ref=painted_ref),
        deadline_at=started + settings.PAGE_DEADLINE_S,
    )


@with_launch
@require_safe
def content(request: HttpRequest, launch: Launch) -> HttpResponse:
    """What the page shows once more, and what a skeleton asks for when the connection broke behind it."""
    if not is_htmx(request):
        return go(request, f"{address_of('member', launch)}?{notices_in_address(request)}")
    answer = show_member(request, launch)
    return asked_again(request, launch, answer) if has_asked(request) else answer


def show_member(
    request: HttpRequest,
    launch: Launch,
    problem: Problem | None = None,
    *,
    chosen: Collection[str] = (),
    failed: Collection[FailedItem] = (),
    search: Search | None = None,
) -> HttpResponse:
    """Answer with the member page, or with the page that comes before it: find, enrol, unavailable.
    The other arguments say what the tap before came to (`LastTap`)."""
    tap = LastTap(problem=problem, chosen=chosen, failed=failed, search=search or Search())
    page = Page(request, launch, tap)
    if problem and problem.outage:  # to ask again would take as long once more
        return _show_outage(page, problem.outage)
    return _answer(page, to_the_end()) or _show_outage(page, Unavailable("deadline"))


def _answer(page: Page, wait: Wait, *, painted_ref: str = "") -> HttpResponse | None:
    """Return the answer; None when the vendor is not done and `wait` was not the last one. `painted_ref`: the
    snapshot of this member is shown, so there is no answer (204) where the vendor gives none about them."""
    request, launch = page.request, page.launch
    started = time.monotonic()
    try:
        if not launch.member_ref:
            members = find_customer(launch, page.provider, patience_s=wait.seconds, is_last=wait.is_last)
            if members is None:
                return None
            if len(members) != 1:
                return _go_without_member(page, is_several=bool(members))
            if not _take_customer(page, members[0]):
                return go(request, address_of("member", launch))
        patience_s = time_left(started, wait.seconds)
        is_news = page.tap.problem is not None
        data = page.reads.read(patience_s=patience_s, is_last=wait.is_last, is_news=is_news)
    except ProviderError as error:
        if not isinstance(error, Rejected) or error.reason is not RejectReason.MEMBER_NOT_FOUND:
            return _answer_without_vendor(page, error, painted_ref=painted_ref)
        was_assumed = launch.is_member_assumed
        if not take(launch, "", is_customer=False):
            return go(request, address_of("member", launch))
        if was_assumed:
            page.read_redemptions()
            return _answer(page, wait)
        return go(request, address_of("find", launch) + "?gone=1")
    if data is None:
        return None
    if launch.is_member_assumed and not _take_customer(page, data.member):
        return go(request, address_of("member", launch))
    return _show(page, data)


def _show(page: Page, data: MemberData) -> HttpResponse:
    template = "webview/member.html#content" if is_htmx(page.request) else "webview/member.html"
    return render(page.request, template, page.member_context(data), status=page.tap.status)


def _answer_without_vendor(page: Page, error: ProviderError, *, painted_ref: str) -> HttpResponse:
    """Return what there is to show: the snapshot where it is shown already, or where only the account's calls
    are used up; else the page that says what is out of order."""
    if page.tap.problem is None and page.launch.member_ref:
        if page.launch.member_ref == painted_ref:
            note_trouble(page.launch.program, TroubleKind.PAGE, read_refusal(error))
            return HttpResponse(status=204)
        if isinstance(error, RateLimited) and (painted := page.reads.painted()):
            return _show(page, painted)
    return _show_outage(page, error)


def _take_customer(page: Page, member: Member) -> bool:
    """Make the cart's customer the launch's member, and write their id into NewStore's profile. Return False
    where the associate has chosen another member meanwhile."""
    launch, is_taken = page.launch, True
    with best_effort("the launch's member"):
        is_taken = take(launch, member.ref, is_customer=True)
    if not is_taken:
        return False
    if any(row.member_ref != launch.member_ref for row in page.rows):
        page.read_redemptions()
    if launch.profile_id and not launch.loyalty_id:
        with best_effort("the profile's loyalty id"):
            link_profile(
                launch.program,
                member_id=member.member_id,
                profile_id=launch.profile_id,
                contact=launch.customer_email,
                may_replace=False,
            )
    return True


def _show_outage(page: Page, error: ProviderError) -> HttpResponse:
    """The vendor is down. What the tap came to keeps its own status."""
    problem = page.tap.problem
    if not has_asked(page.request):  # counted when the page came
        note_trouble(page.launch.program, TroubleKind.PAGE, read_refusal(error))
    template = "webview/unavailable.html#content" if is_htmx(page.request) else "webview/unavailable.html"
    status = problem.status if problem else 503
    return render(page.request, template, page.outage_context(error), status=status)


def _go_without_member(page: Page, *, is_several: bool) -> HttpResponse:
    """Go to the page on which the associate finds the customer, or enrols them."""
    launch = page.launch
    if is_several:
        return go(page.request, address_of("find", launch) + "?several=1")
    if launch.customer_email and Capability.ENROL in page.provider.capabilities:
        return go(page.request, address_of("enrol", launch))
    return go(page.request, address_of("find", launch))
