"""A voucher is looked up by its code, typed or scanned, and shown as a card. A look-up does not use it."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from loyaltyview.ops.policy import with_scanner
from loyaltyview.redemptions.refusals import Refusal, vendor_refusal
from loyaltyview.webview import wording
from loyaltyview.webview.member_context import Search
from loyaltyview.webview.member_data import read_voucher
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_lookup
from loyaltyview.webview.responses import address_of, go
from loyaltyview.webview.search_input import read_code
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.views.member import show_member
from providers.errors import ProviderError, Rejected


@with_launch
@with_scanner
@require_POST
def find_voucher(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Look the typed code up."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    return show_voucher(request, launch)


def show_voucher(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Answer with the member page, the card of the voucher in the posted `code` first, or the reason beside
    the field."""
    search = Search(code=request.POST.get("code", "").strip())
    try:
        search = _search(launch, search.code)
    except Problem as problem:
        # What looks like a payment card is not sent back.
        typed = "" if problem.code is Refusal.CARD_NUMBER else search.code
        search = Search(code=typed, problem=problem)
    return show_member(request, launch, search=search)


def _search(launch: Launch, text: str) -> Search:
    code = read_code(text)
    count_lookup(launch)
    try:
        voucher = read_voucher(launch, launch.program.provider(), code)
        # From here on in the vendor's own spelling: the tap asks for it once more.
        return Search(code=voucher.code or code, voucher=voucher)
    except Rejected as error:
        refusal = vendor_refusal(error)
        raise Problem(refusal, f"{wording.voucher_sentence(refusal)} {error.text}".strip()) from error
    except ProviderError as error:
        raise Problem.of_read(error) from error
