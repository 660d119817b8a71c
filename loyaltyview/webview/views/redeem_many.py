"""One tap on several cards: one redemption each, one after the other. What works stays, the rest says why."""

from dataclasses import asdict, replace

from django.http import HttpRequest, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
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
from loyaltyview.webview.vendor_turns import calls_of, in_turn, wait_of
from loyaltyview.webview.views.member import show_member
from loyaltyview.webview.views.pin import ask_or, attempt_of, wait_or_ask
from loyaltyview.webview.views.redeem import has_begun, redeem_tap
from loyaltyview.webview.views.voucher import show_voucher

# The page showed another cart: the associate must look at the other items again.
CHANGED_CART = (Refusal.CART_REDUCED, Refusal.CART_CHANGED, Refusal.CART_UNKNOWN)
# One PIN is typed for all items, and each attempt counts.
OF_THE_PIN = (Refusal.PIN_NEEDED, Refusal.PIN_WRONG)
# Refusals that hold for all items, and so are shown once.
OF_THE_CART = (Refusal.OPENED_ANEW, Refusal.CART_FULL, Refusal.ANOTHER_TILL, *CHANGED_CART, *OF_THE_PIN)


@sensitive_post_parameters("pin")
@with_launch
@with_scanner
@require_POST
@sensitive_variables("attempt")
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
        is_repeated = has_begun(launch, taps)
        calls = calls_of(launch, len(taps))
        if not is_repeated and (wait_s := wait_of(launch, request.POST["key"], calls)):
            return wait_or_ask(request, launch, wait_s)
        rows, failed, first = _redeem_all(request, launch, taps, calls, is_repeated=is_repeated)
    except Problem as problem:
        return ask_or(
            request,
            launch,
            problem,
            lambda shown: show_member(request, launch, shown, chosen=chosen),
            is_new=False,
        )
    if first and not rows:
        if first.code in OF_THE_CART and all(each.code == first.code for each in failed):
            failed = []
        return ask_or(
            request,
            launch,
            first,
            lambda shown: show_member(request, launch, shown, chosen=chosen, failed=failed),
            is_new=has_begun(launch, taps),
        )
    launch.last_tap = {"rows": [str(row.pk) for row in rows], "missed": [asdict(each) for each in failed]}
    launch.save(update_fields=["last_tap"])
    # What did not work must be read first: only a tap that worked as a whole leaves by itself.
    leaves = not failed and all(row.state not in OPEN for row in rows)
    return go(request, address_of("applied_many", launch) + ("?go=1" if leaves else ""))


@sensitive_variables("attempt")
def _redeem_all(
    request: HttpRequest, launch: Launch, taps: tuple[Tap, ...], calls: int, *, is_repeated: bool
) -> tuple[list[Redemption], list[FailedItem], Problem | None]:
    """As `_redeem_each`, in turn, and with the PIN that the customer typed for all of them."""
    key = request.POST["key"]
    attempts = attempt_of(request, launch, taps, has_begun=is_repeated)
    with attempts as attempt, in_turn(launch, key, calls):
        with_pin = tuple(replace(tap, pin=attempt.pin) for tap in taps)
        rows, failed, first = _redeem_each(launch, with_pin, is_repeated=is_repeated)
        is_wrong = any(each.code == Refusal.PIN_WRONG for each in failed)
        attempt.stays = is_wrong or any(row.state in OPEN for row in rows)
    return rows, failed, first


def _redeem_each(
    launch: Launch, taps: tuple[Tap, ...], *, is_repeated: bool
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
            if first and first.code in (*CHANGED_CART, *OF_THE_PIN):
                raise Problem(first.code, status=first.status)
            if first and first.status == 503:
                raise Problem(Refusal.NOT_TRIED_EITHER)
            row = redeem_tap(launch, tap, has_begun=is_repeated, may_be_cut=tap is taps[0])
            if row.state == State.REFUSED:
                raise Problem.of_row(row)
        except Problem as problem:
            first = first or problem
            failed.append(FailedItem.of(problem, tap.title))
        else:
            rows.append(row)
    return rows, failed, first
