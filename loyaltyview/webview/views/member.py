"""The member page: points, tier, what this cart can use now, soon, or not at the till."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.ops.database import best_effort
from loyaltyview.ops.policy import with_scanner
from loyaltyview.programs.models import TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.limits import lock_repeated
from loyaltyview.redemptions.models import Redemption
from loyaltyview.redemptions.offers import build_offers
from loyaltyview.redemptions.refusals import Refusal, read_refusal
from loyaltyview.webview import wording
from loyaltyview.webview.applied_redemptions import (
    applied_in,
    cart_left,
    foreign_codes,
    of_member,
    redemptions_in,
    watch_query,
    way_back,
)
from loyaltyview.webview.cards import build_deck
from loyaltyview.webview.carts import cart_of, earning_cart, store_of
from loyaltyview.webview.member_data import (
    MemberData,
    find_customer,
    last_known,
    read_member,
    remember,
    time_left,
)
from loyaltyview.webview.members import choose, forget, masked_view, member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import notices, notices_in_address
from loyaltyview.webview.problems import FailedItem, Problem
from loyaltyview.webview.responses import address_of, go, is_htmx
from loyaltyview.webview.sessions import with_launch
from providers.base import Capability, LoyaltyProvider
from providers.errors import AuthFailed, ProviderError, Rejected, RejectReason
from providers.types import Cart, SpendKind, Voucher

TEMPLATE = "webview/member.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long a request waits for the vendor, and whether a further one would wait on."""

    seconds: float
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A voucher that was looked up by `code`: found, or the problem to say beside the field."""

    code: str = ""
    voucher: Voucher | None = None
    problem: Problem | None = None


def first_paint() -> Wait:
    return Wait(seconds=settings.FIRST_PAINT_MS / 1000, is_last=False)


def to_the_end() -> Wait:
    return Wait(seconds=settings.PAGE_DEADLINE_S, is_last=True)


@with_launch
@with_scanner
@require_safe
def member_page(request: HttpRequest, launch: Launch) -> HttpResponse:
    """The whole page when the vendor is quick, else its shell, which asks for `content`."""
    return show_member(request, launch, to_the_end() if "wait" in request.GET else first_paint())


@with_launch
@require_safe
def content(request: HttpRequest, launch: Launch) -> HttpResponse:
    """What the shell was waiting for."""
    if not is_htmx(request):
        query = "&".join(filter(None, (notices_in_address(request), "wait=1")))
        return go(request, f"{address_of('member', launch)}?{query}")
    return show_member(request, launch, to_the_end())


def show_member(
    request: HttpRequest,
    launch: Launch,
    wait: Wait,
    problem: Problem | None = None,
    *,
    chosen: Collection[str] = (),
    failed: Collection[FailedItem] = (),
    search: Search | None = None,
) -> HttpResponse:
    """Answer with the member page, or with the page that comes before it: find, enrol, unavailable.
    `problem` is said on top, with its status, or item by item where several were `failed`; `chosen` are the
    items to choose already; `search` is a voucher that was looked up."""
    provider = launch.program.provider()
    store = store_of(launch)
    rows = redemptions_in(launch)
    whole = cart_of(launch, store)
    cart = cart_left(launch, whole, rows)
    shared: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store,
        "cart": cart,
        "is_reduced": cart.total != whole.total,
        "problem": problem,
        "sentence": _said(problem),
        "failed": failed,
        "again": _again(request, problem),
        "query": notices_in_address(request),
    }
    if problem and problem.outage:  # to ask again would take as long once more
        return unavailable(request, launch, problem.outage, shared, of_member(launch, rows))
    started = time.monotonic()
    try:
        if not launch.member_ref:
            members = find_customer(launch, provider, patience_s=wait.seconds, is_last=wait.is_last)
            if members is None:
                return render(request, "webview/shell.html", shared)
            if len(members) != 1:
                return _without_member(request, launch, provider, is_several=bool(members))
            with best_effort("the launch's member"):
                choose(launch, members[0].ref, is_customer=True)
            if any(row.member_ref != launch.member_ref for row in rows):
                rows = redemptions_in(launch)
                cart = cart_left(launch, whole, rows)
                shared |= {"cart": cart, "is_reduced": cart.total != whole.total}
            if launch.profile_id and not launch.loyalty_id:
                with best_effort("the profile's loyalty id"):
                    link_profile(
                        launch.program,
                        member_id=members[0].member_id,
                        profile_id=launch.profile_id,
                        contact=launch.customer_email,
                        may_replace=False,
                    )
        data = read_member(
            launch,
            provider,
            cart,
            earning_cart(launch, whole, cart, rows),
            patience_s=time_left(started, wait.seconds),
            is_last=wait.is_last,
        )
    except ProviderError as error:
        if isinstance(error, Rejected) and error.reason is RejectReason.MEMBER_NOT_FOUND:
            forget(launch)
            return go(request, address_of("find", launch) + "?gone=1")
        return unavailable(request, launch, error, shared, of_member(launch, rows))
    if data is None:
        return render(request, "webview/shell.html", shared)
    with best_effort("the last known balance"):
        remember(launch, data.member)
    if problem and problem.code is Refusal.MEMBER_CHANGED:
        chosen = ()  # it was chosen for another customer
    context = shared | _member_context(
        request, launch, provider, cart, data, of_member(launch, rows), chosen, search or Search()
    )
    template = f"{TEMPLATE}#content" if is_htmx(request) else TEMPLATE
    trouble = problem or (search.problem if search else None)
    return render(request, template, context, status=trouble.status if trouble else 200)


def unavailable(
    request: HttpRequest,
    launch: Launch,
    error: ProviderError,
    shared: dict[str, Any],
    rows: list[Redemption],
) -> HttpResponse:
    """The vendor is down: what was last known, what still works, and why nothing can be spent; before that
    what the tap came to, with its own status."""
    told, code = notices(request, launch, rows), read_refusal(error)
    applied = applied_in(rows, launch.program.provider())
    note_trouble(launch.program, TroubleKind.PAGE, code)
    known = {} if told["is_back"] else last_known(launch)  # from before the points came back
    problem: Problem | None = shared["problem"]
    is_said = problem is not None and problem.outage is None
    context = shared | {
        "problem": problem if is_said else None,
        "was_tapped": problem is not None and not is_said,
        "code": code,
        "outage": wording.OUTAGES[code],
        "needs_admin": isinstance(error, AuthFailed),
        "known": known,
        "known_at": datetime.fromisoformat(known["at"]) if known else None,
        "applied": applied,
        "handoff": way_back(launch, applied),
        **told,
    }
    template = "webview/unavailable.html#content" if is_htmx(request) else "webview/unavailable.html"
    return render(request, template, context, status=problem.status if problem else 503)


def _without_member(
    request: HttpRequest, launch: Launch, provider: LoyaltyProvider, *, is_several: bool
) -> HttpResponse:
    if is_several:
        return go(request, address_of("find", launch) + "?several=1")
    if launch.customer_email and Capability.ENROL in provider.capabilities:
        return go(request, address_of("enrol", launch))
    return go(request, address_of("find", launch))


def _member_context(
    request: HttpRequest,
    launch: Launch,
    provider: LoyaltyProvider,
    cart: Cart,
    data: MemberData,
    rows: list[Redemption],
    chosen: Collection[str],
    search: Search,
) -> dict[str, Any]:
    member, found, vouchers = data.member, ("", ""), data.vouchers
    if search.voucher:
        found = (search.voucher.voucher_id, search.code)
        chosen = (f"{SpendKind.VOUCHER}:{found[0]}",)
        vouchers = (search.voucher, *(each for each in vouchers if each.voucher_id != found[0]))
    offers = build_offers(data.rewards, vouchers, cart, member.balance.spendable)
    offers = lock_repeated(offers, rows, launch.program.codes_per_reward)
    deck = build_deck(offers, provider, cart, member, chosen, found)
    applied = applied_in(rows, provider)
    return {
        "member": member,
        "masked": masked_view(launch, member),
        "member_token": member_token(launch),
        "way": wording.tier_way(member.tier, cart.total.currency) if member.tier else None,
        "earn": data.earn,
        "deck": deck,
        # Found, but not for this cart: said beside the field.
        "search_locked": next((card for card in (*deck.again, *deck.soon, *deck.rest) if card.code), None),
        "search": search,
        "search_sentence": _said(search.problem),
        "applied": applied,
        "watch_query": watch_query(applied, provider),
        "handoff": way_back(launch, applied),
        "foreign_codes": foreign_codes(launch) if launch.selected_coupons else (),
        "trouble": read_refusal(data.trouble) if data.trouble else "",
        "has_history": Capability.HISTORY in provider.capabilities,
        "has_consents": Capability.CONSENT_CHANGE in provider.capabilities,
        **notices(request, launch, rows),
    }


def _said(problem: Problem | None) -> str:
    return problem.sentence if problem else ""


def _again(request: HttpRequest, problem: Problem | None) -> list[tuple[str, str]]:
    """Return the fields of a form that may succeed as it is a moment later; [] for any other."""
    if problem is None or problem.code is not Refusal.ANOTHER_TILL:
        return []
    return [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
