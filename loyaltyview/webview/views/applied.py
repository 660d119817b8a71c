"""After the tap: the code, its remaining time, the way back to the cart, and undo."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.recovery import WAITING, carry_on
from loyaltyview.redemptions.release import can_release, undo
from loyaltyview.redemptions.renewal import renew
from loyaltyview.webview import wording
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.in_cart import applied, handoff_of, redemption_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.navigation import address_of, go, is_htmx
from loyaltyview.webview.pages import refuse
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.sessions import actor_of, with_launch
from loyaltyview.webview.views.member import show_member, to_the_end
from providers.types import SpendKind


@with_launch
@require_safe
def applied_page(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Show how the redemption stands. While its outcome is unknown, the page asks every two seconds."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, "REDEMPTION_UNKNOWN", status=404, program=launch.program)
    if row.state in WAITING or row.state == State.SPENT:
        row = carry_on(row.pk, actor_of(launch))
    if row.state == State.REFUSED:
        return go(request, f"{address_of('member', launch)}?refused={row.pk}")
    if is_htmx(request) and row.state in WAITING:
        return HttpResponse(status=204)
    if is_htmx(request):
        return go(request, f"{address_of('applied', launch, redemption_id=row.pk)}?go=1")
    return show_applied(request, launch, row)


def show_applied(
    request: HttpRequest, launch: Launch, row: Redemption, problem: Problem | None = None
) -> HttpResponse:
    """Answer with the applied page; `problem` is said on top, with its status."""
    shown = applied(row, launch.program.provider())
    handoff = "" if shown.status == "checking" else handoff_of(launch)
    ends_at = row.code_expires_at
    left_s = max(0, int((ends_at - timezone.now()).total_seconds())) if ends_at else 0
    context = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "row": row,
        "shown": shown,
        "handoff": handoff,
        # Only the redirect of the tap carries it: coming back to this page must not leave it again.
        "goes_by_itself": bool(handoff) and shown.status == "live" and "go" in request.GET,
        "left_s": left_s,
        "life_s": settings.CODE_LIFE_MINUTES * 60,
        "share_left": min(100, 100 * left_s // (settings.CODE_LIFE_MINUTES * 60)),
        "problem": problem,
        "sentence": (problem.text or wording.sentence(problem.code)) if problem else "",
    }
    return render(request, "webview/applied.html", context, status=problem.status if problem else 200)


@with_launch
@require_POST
def undo_redemption(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Give it back and go to the member page, which says so."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, "REDEMPTION_UNKNOWN", status=404, program=launch.program)
    if not can_release(launch.program.provider(), SpendKind(row.kind)):
        return show_member(request, launch, to_the_end(), Problem("UNDO_FINAL", status=409))
    row = undo(row.pk, actor_of(launch))
    if row.state in (State.RELEASING, State.RELEASED):
        return go(request, f"{address_of('member', launch)}?undone={row.pk}")
    return show_member(request, launch, to_the_end(), Problem("UNDO_NOT_POSSIBLE", status=409))


@with_launch
@require_POST
def renew_code(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Give an expired code a successor, without new points."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, "REDEMPTION_UNKNOWN", status=404, program=launch.program)
    row, refusal = renew(row.pk, actor_of(launch))
    if refusal:
        return show_applied(request, launch, row, Problem(refusal.value))
    return go(request, f"{address_of('applied', launch, redemption_id=row.pk)}?go=1")
