"""A member says at the till with whose referral code they joined."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from loyaltyview.redemptions.refusals import Refusal, vendor_refusal
from loyaltyview.webview.member_data import verify
from loyaltyview.webview.members import check_member_token
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_lookup
from loyaltyview.webview.responses import address_of, go, refuse
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.views.member import show_member
from providers.errors import ProviderError, Rejected
from providers.texts import shown


@with_launch
@require_POST
def enter_referral(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Note the typed code: only for an associate, whom the member told it."""
    if not launch.member_ref:
        return go(request, address_of("member", launch))
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    try:
        check_member_token(launch, request.POST.get("member"))
        _enter(launch, shown(request.POST.get("referral_code", ""))[:40])
    except Problem as problem:
        return show_member(request, launch, problem)
    return go(request, f"{address_of('member', launch)}?referral=1")


def _enter(launch: Launch, code: str) -> None:
    """Raises Problem."""
    count_lookup(launch)
    provider = launch.program.provider()
    try:
        verify(launch, provider)
        provider.enter_referral(launch.member_ref, code)
    except Rejected as error:
        refusal = vendor_refusal(error)
        raise Problem(refusal, error.text or str(refusal.sentence)) from error
    except ProviderError as error:
        raise Problem.of_read(error) from error
