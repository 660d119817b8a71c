"""One tap on several cards: one redemption each, one after the other. What works stays, the rest says why."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from loyaltyview.ops.policy import with_scanner
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.members import check_member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import FailedItem, Problem
from loyaltyview.webview.responses import address_of, go
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.taps import Tap, read_taps
from loyaltyview.webview.vendor_turns import in_turn, wait_of, waiting
from loyaltyview.webview.views.member import show_member, to_the_end
from loyaltyview.webview.views.redeem import has_begun, redeem_tap
from loyaltyview.webview.views.voucher import show_voucher

# The page showed another cart: the associate must look at the other items again.
CHANGED_CART = (Refusal.CART_REDUCED, Refusal.CART_CHANGED, Refusal.CART_UNKNOWN)
# Refusals that hold for all items, and so are shown once.
OF_THE_CART = (Refusal.OPENED_ANEW, Refusal.CART_FULL, Refusal.ANOTHER_TILL, *CHANGED_CART)


@with_launch
@with_scanner
@require_POST
def redeem_many(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Redeem all that was chosen, and go to the page of what was applied. Where nothing was, the member page
    says why. The same form again gives the same redemptions."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    if request.POST.get("code", "").strip():
        # Without a script the voucher's field is one of this form, and what was typed comes first.
        return show_voucher(request, launch)
    chosen = tuple(request.POST.getlist("chosen"))
    try:
        check_member_token(launch, request.POST.get("member"))
        taps = read_taps(request.POST)
        if not has_begun(launch, taps) and (wait_s := wait_of(launch, request.POST["key"], len(taps))):
            return waiting(request, launch, wait_s)
    except Problem as problem:
        return show_member(request, launch, to_the_end(), problem, chosen=chosen)
    with in_turn(launch, request.POST["key"], len(taps)):
        rows, failed, first = _redeem_each(launch, taps)
    if first and not rows:
        if first.code in OF_THE_CART and all(each.code == first.code for each in failed):
            failed = []
        return show_member(request, launch, to_the_end(), first, chosen=chosen, failed=failed)
    launch.last_tap = {"rows": [str(row.pk) for row in rows], "missed": [asdict(each) for each in failed]}
    launch.save(update_fields=["last_tap"])
    # What did not work must be read first: only a tap that worked as a whole leaves by itself.
    leaves = not failed and all(row.state not in OPEN for row in rows)
    return go(request, address_of("applied_many", launch) + ("?go=1" if leaves else ""))


def _redeem_each(
    launch: Launch, taps: tuple[Tap, ...]
) -> tuple[list[Redemption], list[FailedItem], Problem | None]:
    """Return what was redeemed, what was not, and the first problem. After an answer that is still open
    nothing more is tried: the member has one open spend at a time. Nothing more is tried either when the
    program or NewStore does not answer: each item would take as long."""
    rows: list[Redemption] = []
    failed: list[FailedItem] = []
    first: Problem | None = None
    for tap in taps:
        try:
            if any(row.state in OPEN for row in rows):
                raise Problem(Refusal.NOT_TRIED)
            if first and first.code in CHANGED_CART:
                raise Problem(first.code, status=first.status)
            if first and first.status == 503:
                raise Problem(Refusal.NOT_TRIED_EITHER)
            row = redeem_tap(launch, tap, may_be_cut=tap is taps[0])
            if row.state == State.REFUSED:
                raise Problem.of_row(row)
        except Problem as problem:
            first = first or problem
            failed.append(FailedItem.of(problem, tap.title))
        else:
            rows.append(row)
    return rows, failed, first
