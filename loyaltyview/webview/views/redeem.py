"""One tap on a card: its turn at the vendor, once however often it is sent, then to the saga.

The whole way is in docs/architecture.md 5.
"""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from loyaltyview.ops.policy import with_scanner
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.commands import AnotherTillRedeeming, InCartAlready, KeyReused, RedeemRequest
from loyaltyview.redemptions.models import OPEN, Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.saga import find_tap, redeem, repeat
from loyaltyview.webview.duplicate_taps import work_once
from loyaltyview.webview.members import check_member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import address_of, go
from loyaltyview.webview.sessions import actor_of, with_launch
from loyaltyview.webview.tap_request import request_of
from loyaltyview.webview.taps import Tap, read_tap
from loyaltyview.webview.vendor_turns import calls_of, in_turn, wait_of
from loyaltyview.webview.views.member import show_member
from loyaltyview.webview.views.pin import ask_or, attempt_of, wait_or_ask
from loyaltyview.work.plain_sql import select


@sensitive_post_parameters("pin")
@with_launch
@with_scanner
@require_POST
@sensitive_variables("attempt")
def redeem_reward(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Redeem, and go to the applied page. The member page says why something is refused."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    is_new = False
    try:
        check_member_token(launch, request.POST.get("member"))
        tap = read_tap(request.POST)
        is_repeated = has_begun(launch, (tap,))
        calls = calls_of(launch)
        if not is_repeated and (wait_s := wait_of(launch, tap.key, calls)):
            return wait_or_ask(request, launch, wait_s)
        with attempt_of(request, launch, (tap,), has_begun=is_repeated) as attempt:
            with in_turn(launch, tap.key, calls):
                row = redeem_tap(launch, replace(tap, pin=attempt.pin), has_begun=is_repeated)
            is_new = True
            if row.state == State.REFUSED:
                raise Problem.of_row(row)
            attempt.stays = row.state in OPEN
    except Problem as problem:
        chosen = (f"{request.POST.get('kind', '')}:{request.POST.get('item', '')}",)
        return ask_or(
            request,
            launch,
            problem,
            lambda shown: show_member(request, launch, shown, chosen=chosen),
            is_new=is_new,
        )
    address = address_of("applied", launch, redemption_id=row.pk)
    return go(request, address if row.state in OPEN else f"{address}?go=1")


def has_begun(launch: Launch, taps: tuple[Tap, ...]) -> bool:
    """Return whether the same form has started a redemption before: then it waits for no turn."""
    with_keys = {"program": launch.program_id, "key": [tap.key for tap in taps]}
    return bool(select(Redemption, with_keys, order_by="key", limit=1))


def redeem_tap(launch: Launch, tap: Tap, *, has_begun: bool, may_be_cut: bool = True) -> Redemption:
    """Redeem what was tapped, unless the same tap did so before, and return its row; REFUSED is one of its
    states. `has_begun` is what the function of that name says of the form. Without `may_be_cut` nothing is
    applied of which the cart takes only a part. Raises Problem: nothing was done."""
    try:
        row = work_once(
            (launch.pk, tap),
            lambda: _redeem(launch, tap, has_begun=has_begun, may_be_cut=may_be_cut),
            lambda: _earlier(launch, tap),
        )
    except Problem as problem:
        if problem.code is not Refusal.PIN_NEEDED:
            note_trouble(launch.program, TroubleKind.TAP, problem.code.value)
        raise
    if row.state in (State.RELEASING, State.RELEASED):
        # An old form: what it asked for was done, and undone.
        raise Problem(Refusal.GIVEN_BACK, title=row.title)
    return row


def _redeem(launch: Launch, tap: Tap, *, has_begun: bool, may_be_cut: bool) -> Redemption:
    title = ""
    try:
        wanted = _wanted(launch, tap, has_begun=has_begun, may_be_cut=may_be_cut)
        title = wanted.title
        return repeat(wanted, actor_of(launch)) if isinstance(wanted, Redemption) else redeem(wanted)
    except KeyReused as error:
        raise Problem(Refusal.KEY_REUSED) from error
    except InCartAlready as error:
        raise Problem(Refusal.IN_CART, title=title) from error
    except AnotherTillRedeeming as error:
        raise Problem(Refusal.ANOTHER_TILL, _still_checked(launch), title=title) from error


def _wanted(launch: Launch, tap: Tap, *, has_begun: bool, may_be_cut: bool) -> RedeemRequest | Redemption:
    """Return the request, or the redemption that the same tap started before: that may have spent the points
    that this one would need. It is looked for once more before a refusal: another process may have been
    quicker. Otherwise the saga finds it when it stores the request."""
    if has_begun and (earlier := _earlier(launch, tap)):
        return earlier
    try:
        return request_of(launch, tap, may_be_cut=may_be_cut)
    except Problem:
        if earlier := _earlier(launch, tap):
            return earlier
        raise


def _earlier(launch: Launch, tap: Tap) -> Redemption | None:
    return find_tap(
        launch.program,
        launch_id=launch.pk,
        member_ref=launch.member_ref,
        key=tap.key,
        kind=tap.kind,
        item_id=tap.item_id,
        points=tap.points,
    )


def _still_checked(launch: Launch) -> str:
    """Return the text when an earlier tap waits for the program's answer; "" when another till is at work."""
    mine = {"program": launch.program, "member_ref": launch.member_ref}
    checked = Redemption.objects.filter(**mine, state=State.UNCERTAIN).only("title").first()
    if checked is None:
        return ""
    return _(
        "%(title)s is still being checked with the program. Nothing more was spent. "
        "That can take some minutes: the sale can go on without a reward, or try again later."
    ) % {"title": checked.title}
