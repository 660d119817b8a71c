"""Notices about what happened before: a redirect puts them into its address, and the next page with content
shows them on top. The skeleton passes them on."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from loyaltyview.redemptions.cancellation import cancelled_by_vendor
from loyaltyview.redemptions.codes import issued_of
from loyaltyview.redemptions.models import Redemption, State
from loyaltyview.redemptions.refusals import sentence_of
from loyaltyview.webview import wording
from loyaltyview.webview.models import Launch

NAMES = ("undone", "refused", "enrolled", "consents", "cancelled", "referral", "passed_over")


def notices_in_address(request: HttpRequest) -> str:
    """Return the part of the query string with the notices, "" for none."""
    return urlencode({name: request.GET[name] for name in NAMES if name in request.GET})


def notices(request: HttpRequest, launch: Launch, rows: list[Redemption]) -> dict[str, Any]:
    """Return what the page shows on top; `is_back`: points were given back just now."""
    back = _named(rows, request.GET.get("undone"), State.RELEASED)
    refused = _named(rows, request.GET.get("refused"), State.REFUSED)
    return {
        "notice": _notice(request, launch, rows),
        "is_back": bool(back and back.points),
        "refused": refused,
        "refused_sentence": sentence_of(refused) if refused else "",
        "cancelled": _cancelled(request, launch, rows),
    }


def _cancelled(request: HttpRequest, launch: Launch, rows: list[Redemption]) -> list[tuple[Redemption, str]]:
    """Return the redemptions that the program cancelled, each with what to do: those whose code is in the
    cart, and the one that the address names."""
    in_cart = cancelled_in_cart(launch)
    known = {row.pk for row, _sentence in in_cart}
    named = [row for row in rows if str(row.pk) == request.GET.get("cancelled") and row.pk not in known]
    return in_cart + [(row, wording.cancelled(row)) for row in cancelled_by_vendor(named)]


def cancelled_in_cart(launch: Launch) -> list[tuple[Redemption, str]]:
    """Return the redemptions whose code was in the cart when the app opened the page, and which the program
    has cancelled since, once for each code, with what to do. The code is in this cart, whichever cart and
    customer it was made for. An order that this cart became has used it: that is no code to remove."""
    if not launch.selected_coupons:
        return []
    issued = [
        each
        for each in issued_of(launch.program_id, launch.selected_coupons)
        .select_related("redemption")
        .order_by("pk")
        if not each.redemption.order_id or each.redemption.cart_id != launch.cart_id
    ]
    gone = {row.pk for row in cancelled_by_vendor(each.redemption for each in issued)}
    return [
        (row, wording.cancelled_in_cart(row, code, is_shown=row.member_ref == launch.member_ref))
        for row, code in ((each.redemption, each.code) for each in issued)
        if row.pk in gone
    ]


def _notice(request: HttpRequest, launch: Launch, rows: list[Redemption]) -> str:
    """Return the confirmation of what just went well."""
    undone = _named(rows, request.GET.get("undone"), State.RELEASED, State.RELEASING)
    if undone:
        return given_back(undone, launch)
    if "referral" in request.GET:
        return _("The referral code is noted. Both members are rewarded after the first order.")
    if "passed_over" in request.GET:
        return _("The customer is a member already. A referral code counts only for a new member.")
    if "consents" in request.GET:
        return _("The customer's answers are saved.")
    return _("Welcome! The customer is a member now.") if "enrolled" in request.GET else ""


def given_back(row: Redemption, launch: Launch) -> str:
    """Return the confirmation of an undo of `row`, and the next step when the app has its code."""
    in_cart = issued_of(launch.program_id, launch.selected_coupons).filter(redemption=row).exists()
    return f"{wording.given_back(row)} {wording.STILL_IN_CART if in_cart else ''}".strip()


def _named(rows: list[Redemption], name: str | None, *states: State) -> Redemption | None:
    """Return the row that the address names, when it is in one of `states`."""
    try:
        wanted = UUID(name or "")
    except ValueError:
        return None
    return next((row for row in rows if row.pk == wanted and row.state in states), None)
