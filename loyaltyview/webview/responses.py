"""Answers of all views: go to another page, or refuse with one sentence and one action."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.models import Launch

# In a request's META when its page's frame has been sent: only the content is still to be made.
LATE = "loyaltyview.late"


def is_htmx(request: HttpRequest) -> bool:
    """Return whether a fragment is wanted: by htmx (django_htmx's middleware knows), or behind a frame."""
    return bool(getattr(request, "htmx", False)) or LATE in request.META


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Answer 303, or htmx's HX-Redirect, which is a real navigation of the whole page."""
    if is_htmx(request):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address, status=303)


def address_of(name: str, launch: Launch, **kwargs: object) -> str:
    """Return the address of a page of this launch."""
    if not kwargs:
        return launch.pages[name]
    return reverse(name, kwargs={"launch_id": launch.pk, **kwargs})


def refuse(
    request: HttpRequest,
    refusal: Refusal,
    *,
    program: Program | None = None,
    again: str = "",
    reference: str = "",
) -> HttpResponse:
    """Answer with the sentence of `refusal`. `again` is an address for "Try again", where that can help;
    `reference` is NewStore's request id, for support.

    A fragment cannot replace the whole page, so htmx reloads the page.
    """
    if is_htmx(request) and request.method == "GET":
        return HttpResponseClientRefresh()
    context = {
        "code": refusal,
        "title": _title(refusal),
        "sentence": refusal.sentence,
        "program": program,
        "again": again,
        # A launch opens a session: only its own pages are asked for again without a tap.
        "heals": "/l/" in again,
        "reference": reference,
    }
    response = render(request, "webview/refused.html", context, status=refusal.status)
    response["Cache-Control"] = "no-store"
    return response


def _title(refusal: Refusal) -> str:
    status = refusal.status
    if status == 410 or refusal is Refusal.NO_SESSION:
        return _("Open it again")
    if status == 404:
        return _("Not found")
    if status in (400, 414):
        return _("This cart cannot be read")
    if status == 503:
        return _("Not right now")
    if status == 403:
        is_of_cart = refusal is Refusal.NO_CUSTOMER or refusal.startswith("CART_")
        return _("Check the cart") if is_of_cart else _("Log in to see customer data")
    return _("That did not work")
