"""The page after a tap: the code, its remaining time, the way back to the cart, and undo."""

from collections.abc import Collection
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from loyaltyview.ops.policy import with_scanner
from loyaltyview.redemptions.cancellation import cancelled_by_vendor
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.recovery import carry_on
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.release import is_final, undo
from loyaltyview.redemptions.renewal import renew
from loyaltyview.webview import wording
from loyaltyview.webview.applied_redemptions import (
    Applied,
    applied,
    handoff_of,
    is_full,
    of_member,
    redemption_of,
    redemptions_in,
    status_of,
    watch_query,
)
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import cancelled_in_cart
from loyaltyview.webview.problems import FailedItem, Problem
from loyaltyview.webview.receipt import Points, cart_sums, read_points
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.sessions import actor_of, with_launch
from loyaltyview.webview.views.member import show_member
from providers.errors import ProviderError
from providers.types import Money


@with_launch
@require_safe
def applied_page(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Show how the redemption stands. While its outcome is unknown, the page asks every two seconds."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, Refusal.REDEMPTION_UNKNOWN, program=launch.program)
    row = _asked(launch, row)
    if row.state == State.REFUSED:
        return go(request, f"{address_of('member', launch)}?refused={row.pk}")
    if is_htmx(request) and row.state in OPEN:
        return HttpResponse(status=204)
    if is_htmx(request):
        return go(request, f"{address_of('applied', launch, redemption_id=row.pk)}?go=1")
    return show_applied(request, launch, [row])


@with_launch
@require_safe
def applied_many(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Show everything that the last tap on several cards applied, and what failed."""
    wanted = launch.last_tap.get("rows", [])
    found = {str(row.pk): row for row in of_member(launch, redemptions_in(launch))}
    rows = [_asked(launch, found[name]) for name in wanted if name in found]
    if not rows:
        return go(request, address_of("member", launch))
    if is_htmx(request) and any(row.state in OPEN for row in rows):
        return HttpResponse(status=204)
    failed = [FailedItem(**each) for each in launch.last_tap["missed"]]
    refused = [row for row in rows if row.state == State.REFUSED]
    failed += [FailedItem.of(Problem.of_row(row)) for row in refused]
    if is_htmx(request):
        return go(request, address_of("applied_many", launch) + ("" if failed else "?go=1"))
    rows = [row for row in rows if row.state != State.REFUSED]
    if not rows and len(failed) > 1:
        said = Problem.of_row(refused[0], status=200)
        return show_member(request, launch, said, failed=failed)
    if not rows:
        return go(request, f"{address_of('member', launch)}?refused={refused[0].pk}")
    return show_applied(request, launch, rows, failed=failed)


@with_launch
@require_safe
def watch(request: HttpRequest, launch: Launch) -> HttpResponse:
    """What a page with live codes asks every few seconds: whether the program cancelled one of those that it
    shows. 204 means no; with 286 htmx stops asking."""
    rows = of_member(launch, redemptions_in(launch))
    shown = request.GET.getlist("live")
    gone = next((row for row in cancelled_by_vendor(rows) if str(row.pk) in shown), None)
    if gone:
        return go(request, f"{address_of('member', launch)}?cancelled={gone.pk}")
    return HttpResponse(status=204 if any(status_of(row) == "live" for row in rows) else 286)


@with_launch
@require_safe
def receipt(request: HttpRequest, launch: Launch) -> HttpResponse:
    """What the receipt says of points. The page is there before the program is asked."""
    if not launch.member_ref:
        return HttpResponse(status=204)
    try:
        points = read_points(launch, launch.program.provider())
    except ProviderError:
        points = Points(balance=None, earn=None)
    return render(request, "webview/applied/_points.html", {"points": points, "launch": launch})


def _asked(launch: Launch, row: Redemption) -> Redemption:
    """Return `row` after asking the vendor for an outcome that is still open."""
    if row.state in OPEN or row.state == State.SPENT:
        return carry_on(row.pk, actor_of(launch))
    return row


def show_applied(
    request: HttpRequest,
    launch: Launch,
    rows: list[Redemption],
    problem: Problem | None = None,
    failed: Collection[FailedItem] = (),
) -> HttpResponse:
    """Answer with the applied page of `rows`, at least one; `problem` is said on top, with its status."""
    provider = launch.program.provider()
    shown = [applied(row, provider) for row in rows]
    statuses = [each.status for each in shown]
    is_checking = "checking" in statuses
    status = "uncertain" if is_checking else "live" if "live" in statuses else statuses[0]
    # What returning to the cart applies; without any, what a new code would.
    live = [each for each in shown if each.status == "live"]
    counted = live or [each for each in shown if each.status == "expired"]
    handoff = "" if statuses == ["checking"] else handoff_of(launch)
    cancelled = cancelled_in_cart(launch)
    has_news = bool(failed or cancelled)  # to be read before the page leaves
    context = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "shown": shown,
        "one": shown[0] if len(shown) == 1 else None,
        "state": status,
        "is_checking": is_checking,
        "counted": counted,
        "has_undo": any(each.can_undo for each in live),
        "saved": _sum(counted),
        "sums": cart_sums(launch, live),
        "points": sum(each.row.points for each in counted),
        "handoff": handoff,
        # Only the redirect of the tap carries it: coming back to this page must not leave it again.
        "goes_by_itself": bool(handoff) and status == "live" and not has_news and "go" in request.GET,
        "life_s": settings.CODE_LIFE_MINUTES * 60,
        "watch_query": watch_query(live, provider),
        "failed": failed,
        "cancelled": cancelled,
        "problem": problem,
        "sentence": problem.sentence if problem else "",
    }
    return render(request, "webview/applied.html", context, status=problem.status if problem else 200)


def _sum(shown: list[Applied]) -> Money | None:
    """Return what the shown ones save together; None for none."""
    if not shown:
        return None
    total = sum((each.saving.amount for each in shown), Decimal(0))
    return Money(amount=total, currency=shown[0].saving.currency)


@with_launch
@with_scanner
@require_POST
def undo_redemption(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Give it back and go to the member page, which says so."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, Refusal.REDEMPTION_UNKNOWN, program=launch.program)
    if is_final(row, launch.program.provider()):
        return show_member(request, launch, Problem(Refusal.UNDO_FINAL))
    row = undo(row.pk, actor_of(launch))
    if row.state in (State.RELEASING, State.RELEASED):
        return go(request, f"{address_of('member', launch)}?undone={row.pk}")
    return show_member(request, launch, Problem(Refusal.UNDO_NOT_POSSIBLE))


@with_launch
@require_POST
def renew_code(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Give an expired code a successor, without new points."""
    row = redemption_of(launch, redemption_id)
    if row is None:
        return refuse(request, Refusal.REDEMPTION_UNKNOWN, program=launch.program)
    has_run_out = status_of(row) == "expired"
    if has_run_out and is_full(launch, redemptions_in(launch), gives_way=row.code):
        return show_applied(request, launch, [row], Problem(Refusal.CART_FULL))
    row, refusal = renew(row.pk, actor_of(launch))
    if refusal:
        can_undo = applied(row, launch.program.provider()).can_undo
        text = wording.no_new_code(refusal, row, can_undo=can_undo)
        return show_applied(request, launch, [row], Problem(refusal, text))
    return go(request, f"{address_of('applied', launch, redemption_id=row.pk)}?go=1")
