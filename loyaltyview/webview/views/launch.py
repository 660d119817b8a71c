"""The launch: what the host app says, checked, becomes a session; without it a page that reads the rest."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_http_methods

from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.context import Associate, LaunchContext
from loyaltyview.newstore.errors import IdentityError, LaunchError, NewStoreError, NewStoreRejected
from loyaltyview.newstore.identity import read_identity
from loyaltyview.newstore.launch import read_posted, read_query
from loyaltyview.programs.access import active_program
from loyaltyview.programs.models import Identity, Program
from loyaltyview.webview.languages import language_of
from loyaltyview.webview.pages import refuse
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.sessions import open_launch


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HttpRequest, program: str) -> HttpResponse:
    """Open a session for the launch in the query string or the posted `context`, and go to its page."""
    found = active_program(program)
    if found is None:
        return refuse(request, "PROGRAM_UNKNOWN", status=404)
    with translation.override(language_of(request, found)):
        return _open(request, found)


def _open(request: HttpRequest, program: Program) -> HttpResponse:
    params = {name: str(value) for name, value in request.GET.items()}
    if request.method != "POST" and not ("cart" in params or "token" in params):
        response = render(request, "webview/launch.html", {"program": program})
        response["Cache-Control"] = "no-store"
        return response
    try:
        if request.method == "POST":
            context = read_posted(request.POST.get("context", ""), params)
        else:
            context = read_query(params)
        context, associate = admit(program, context)
    except LaunchError as error:
        return refuse(request, error.code, status=400, program=program)
    except IdentityError as error:
        return refuse(request, error.code, status=403, program=program)
    except Problem as problem:
        return refuse(request, problem.code, status=problem.status, program=program)
    return open_launch(program, context, associate)


def admit(program: Program, context: LaunchContext) -> tuple[LaunchContext, Associate | None]:
    """Return the launch as far as it can be believed, and who stands behind it.

    Raises IdentityError where an associate is required, Problem where the cart cannot stand in for one.
    """
    try:
        return context, read_identity(program, context.external_identity)
    except IdentityError:
        if program.identity == Identity.REQUIRED:
            raise
    return _as_newstore_has_it(program, context), None


def _as_newstore_has_it(program: Program, context: LaunchContext) -> LaunchContext:
    """Nobody vouches for this launch, so NewStore says who the cart's customer is."""
    client = NewStoreClient(program)
    try:
        cart = client.get_cart(context.cart_id)
        if not cart.customer_id:
            raise Problem("NO_CUSTOMER", status=403)
        profile = client.get_profile(cart.customer_id)
    except NewStoreRejected as error:
        raise Problem("CART_UNKNOWN", status=403) from error
    except NewStoreError as error:
        raise Problem("CART_UNCHECKED", status=503) from error
    return replace(
        context,
        customer_email=profile.email,
        profile_id=profile.profile_id,
        loyalty_id=profile.attributes.get(program.loyalty_attribute, ""),
        store_id=cart.store_id,
    )
