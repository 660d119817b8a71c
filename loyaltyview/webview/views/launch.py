"""The launch: what the host app sends is checked and becomes a session. Where the address has no cart, a page
reads the rest."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods
from prometheus_client import Counter

from loyaltyview.newstore.context import Associate, LaunchContext
from loyaltyview.newstore.errors import IdentityError, LaunchError
from loyaltyview.newstore.identity import read_identity
from loyaltyview.newstore.launch import has_readable_cart, keys_of, read_posted, read_query
from loyaltyview.ops.ratelimit import caller_of
from loyaltyview.programs.access import active_program
from loyaltyview.programs.models import Identity, Program, TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.refusals import Refusal, refusal_of
from loyaltyview.webview.host_check import confirm, read_customer
from loyaltyview.webview.languages import language_of
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.read_ahead import read_ahead
from loyaltyview.webview.responses import refuse
from loyaltyview.webview.sessions import open_launch

identities = Counter(
    "launch_identity_refused_total", "Launches without a valid identity, by reason.", ["program", "reason"]
)


@require_http_methods(["GET", "HEAD", "POST"])
def launch(request: HttpRequest, program: str) -> HttpResponse:
    """Open a session for the launch in the query string or the posted `context`, and go to its page."""
    found = active_program(program)
    if found is None:
        return refuse(request, Refusal.PROGRAM_UNKNOWN)
    with translation.override(language_of(request, found)):
        return _open(request, found)


def _open(request: HttpRequest, program: Program) -> HttpResponse:
    asked_at, keys = timezone.now(), keys_of(program)
    params = {name: str(value) for name, value in request.GET.items()}
    # Without a cart in the address the app has put the rest where no server sees it: the page's script does.
    if request.method != "POST" and not has_readable_cart(params):
        # The page says what is missing unless its script finds the rest.
        refusal = Refusal.CART_MALFORMED if params.get("cart") else Refusal.CART_MISSING
        reason = {"code": refusal, "sentence": refusal.sentence} if params else {"code": "", "sentence": ""}
        shown = {"program": program} | reason
        response = render(request, "webview/launch.html", shown)
        response["Cache-Control"] = "no-store"
        return response
    try:
        if request.method == "POST":
            context = read_posted(request.POST.get("context", ""), params, keys)
        else:
            context = read_query(params, keys)
        context, associate = admit(program, context, caller_of(request))
    except (LaunchError, IdentityError, Problem) as error:
        return _refuse(request, program, error)
    is_host_awaited = request.method != "POST" or bool(request.POST.get("awaits"))
    launch, response = open_launch(
        program, context, associate, asked_at=asked_at, is_host_awaited=is_host_awaited
    )
    read_ahead(request, launch)
    return response


def _refuse(
    request: HttpRequest, program: Program, error: LaunchError | IdentityError | Problem
) -> HttpResponse:
    note_trouble(program, TroubleKind.LAUNCH, error.code)
    reference = error.reference if isinstance(error, Problem) else ""
    return refuse(request, refusal_of(error.code), program=program, reference=reference)


def admit(program: Program, context: LaunchContext, caller: str) -> tuple[LaunchContext, Associate | None]:
    """Return the launch as NewStore confirms it, and its associate. `caller` is the address that it comes
    from.

    Raises IdentityError where an associate is required, Problem where NewStore contradicts the cart or
    cannot say who its customer is.
    """
    try:
        associate = read_identity(program, context.external_identity)
    except IdentityError as error:
        identities.labels(program.slug, error.code).inc()
        # Without an associate only a cart decides who the customer is.
        if program.identity == Identity.REQUIRED or not context.has_cart:
            raise
        return read_customer(program, context, caller), None
    return confirm(program, context, associate), associate
