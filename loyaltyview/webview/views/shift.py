"""My shift: what this associate redeemed in this store today, and undo while it is possible."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.redemptions.release import is_final, undo
from loyaltyview.redemptions.shift import redemption_in_shift, shift_of
from loyaltyview.webview.applied_redemptions import applied
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.masking import masked_email
from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import given_back
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import address_of, go, refuse
from loyaltyview.webview.sessions import actor_of, with_launch
from providers.types import Money


@with_launch
@require_safe
def my_shift(request: HttpRequest, launch: Launch) -> HttpResponse:
    """The list, newest first: each with its customer's masked e-mail, where the cart was theirs."""
    if not launch.is_verified:
        return refuse(request, Refusal.SHIFT_UNVERIFIED, program=launch.program)
    return _show(request, launch, request.GET.get("zone", ""))


@with_launch
@require_POST
def undo_in_shift(request: HttpRequest, launch: Launch, redemption_id: UUID) -> HttpResponse:
    """Undo one of the associate's own redemptions in this store, also one of an earlier cart."""
    if not launch.is_verified:
        return refuse(request, Refusal.SHIFT_UNVERIFIED, program=launch.program)
    row = redemption_in_shift(
        launch.program, redemption_id, associate_id=launch.associate_id, store_id=launch.store_id
    )
    if row is None:
        return refuse(request, Refusal.REDEMPTION_UNKNOWN, program=launch.program)
    zone = request.POST.get("zone", "")
    if is_final(row, launch.program.provider()):
        return _show(request, launch, zone, Problem(Refusal.UNDO_FINAL))
    row = undo(row.pk, actor_of(launch))
    if row.state in (State.RELEASING, State.RELEASED):
        return go(
            request, f"{address_of('shift', launch)}?{urlencode({'zone': zone, 'undone': str(row.pk)})}"
        )
    return _show(request, launch, zone, Problem(Refusal.UNDO_NOT_POSSIBLE))


def start_of_day(zone: str) -> datetime:
    """Return when today began in that time zone (an IANA name); in UTC without a known one."""
    try:
        here = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        here = ZoneInfo("UTC")
    return timezone.now().astimezone(here).replace(hour=0, minute=0, second=0, microsecond=0)


def zone_of(launch: Launch, device_zone: str) -> str:
    """Return whose midnight counts: the store's, where it has none the program's, else the device's."""
    store = store_of(launch)
    return (store.time_zone if store else "") or launch.program.time_zone or device_zone


def _show(request: HttpRequest, launch: Launch, zone: str, problem: Problem | None = None) -> HttpResponse:
    shift = shift_of(
        launch.program,
        associate_id=launch.associate_id,
        store_id=launch.store_id,
        since=start_of_day(zone_of(launch, zone)),
    )
    provider = launch.program.provider()
    customers = _customers(launch.program, shift.redemptions)
    undone = next((row for row in shift.redemptions if str(row.pk) == request.GET.get("undone")), None)
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "zone": zone,
        "lines": [
            (applied(row, provider), customers.get((row.cart_id, row.member_ref), ""))
            for row in shift.redemptions
        ],
        "saved": Money(amount=shift.saved, currency=launch.program.currency),
        "notice": given_back(undone, launch) if undone else "",
        "problem": problem,
        "sentence": problem.sentence if problem else "",
    }
    return render(request, "webview/shift.html", context, status=problem.status if problem else 200)


def _customers(program: Program, rows: Collection[Redemption]) -> dict[tuple[str, str], str]:
    """Return the masked e-mail of the customers of these redemptions, by cart and member. A member whom an
    associate found for another customer's cart has none."""
    launches = Launch.objects.filter(
        program=program, cart_id__in={row.cart_id for row in rows if row.cart_id}, is_customer=True
    ).only("cart_id", "member_ref", "customer_email")
    return {(each.cart_id, each.member_ref): masked_email(each.customer_email) for each in launches}
