"""The member's marketing consents, given or withdrawn at the till."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from loyaltyview.redemptions.refusals import Refusal, vendor_refusal
from loyaltyview.webview.carts import store_of
from loyaltyview.webview.consent_trail import with_trail
from loyaltyview.webview.member_data import read_profile
from loyaltyview.webview.members import check_member_token, masked_view, member_token
from loyaltyview.webview.models import ConsentWay, Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import address_of, go, refuse
from loyaltyview.webview.sessions import with_launch
from providers.base import Capability, LoyaltyProvider
from providers.errors import OutcomeUnknown, ProviderError, Rejected, UnexpectedAnswer
from providers.types import Consent, Consents, Member


@with_launch
@require_http_methods(["GET", "HEAD", "POST"])
def consents(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Show the two answers as they stand, and take new ones: only for an associate, who asked the member."""
    provider = launch.program.provider()
    if not launch.member_ref or Capability.CONSENT_CHANGE not in provider.capabilities:
        return go(request, address_of("member", launch))
    if not launch.is_verified:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    try:
        member = read_profile(launch, provider)
        if request.method == "POST":
            check_member_token(launch, request.POST.get("member"))
            _change(launch, provider, member, _answers(request, member, provider))
            return go(request, f"{address_of('member', launch)}?consents=1")
    except Problem as problem:
        return _show(request, launch, member, problem)
    except Rejected as error:
        return _show(request, launch, None, Problem(vendor_refusal(error), error.text, status=409))
    except (OutcomeUnknown, UnexpectedAnswer):
        # The same answer may be given again, so there is nothing to find out.
        return _show(request, launch, None, Problem(Refusal.CONSENT_UNKNOWN))
    except ProviderError as error:
        return _show(request, launch, None, Problem.of_read(error))
    return _show(request, launch, member)


def _change(launch: Launch, provider: LoyaltyProvider, member: Member, answers: Consents) -> None:
    ref = launch.member_ref
    with_trail(
        launch,
        lambda: provider.change_consents(ref, answers),
        answers,
        way=ConsentWay.CHANGE,
        ref=ref,
        before=member.consents,
    )


def _answers(request: HttpRequest, member: Member, provider: LoyaltyProvider) -> Consents:
    """Return the new answers. An empty box withdraws a yes; it is no answer where none was given before."""

    def answer(field: str, before: Consent, capability: Capability) -> Consent:
        if capability not in provider.capabilities:
            return Consent.NOT_ASKED
        if field in request.POST:
            return Consent.YES
        return Consent.NO if before is Consent.YES else Consent.NOT_ASKED

    return Consents(
        email=answer("consent_email", member.consents.email, Capability.CONSENT_EMAIL),
        sms=answer("consent_sms", member.consents.sms, Capability.CONSENT_SMS),
    )


def _show(
    request: HttpRequest, launch: Launch, member: Member | None, problem: Problem | None = None
) -> HttpResponse:
    provider = launch.program.provider()
    agreed = member.consents if member else Consents()
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store_of(launch),
        "masked": masked_view(launch, member) if member else None,
        "member_token": member_token(launch),
        "email_is_yes": agreed.email is Consent.YES,
        "sms_is_yes": agreed.sms is Consent.YES,
        "asks_email": Capability.CONSENT_EMAIL in provider.capabilities,
        "asks_sms": Capability.CONSENT_SMS in provider.capabilities,
        "code": problem.code if problem else "",
        "sentence": problem.sentence if problem else "",
    }
    return render(request, "webview/consents.html", context, status=problem.status if problem else 200)
