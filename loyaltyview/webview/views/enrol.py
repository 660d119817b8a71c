"""Enrolling the customer: prefilled from the cart and from NewStore's customer profile. A customer who is a
member already is shown."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from loyaltyview.newstore.profile_links import link_profile
from loyaltyview.redemptions.refusals import Refusal, vendor_refusal
from loyaltyview.webview import masking, newcomers
from loyaltyview.webview.carts import cart_of, store_of
from loyaltyview.webview.consent_trail import with_trail
from loyaltyview.webview.enrol_prefill import FIELDS, Known, decrypt_known, encrypt_known, masked, read_known
from loyaltyview.webview.forms import EnrolForm
from loyaltyview.webview.member_data import look_up_now
from loyaltyview.webview.members import choose
from loyaltyview.webview.models import ConsentWay, Launch
from loyaltyview.webview.notices import cancelled_in_cart
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_enrolment
from loyaltyview.webview.responses import address_of, go, is_htmx, refuse
from loyaltyview.webview.search_input import read_email, read_phone
from loyaltyview.webview.sessions import with_launch
from providers.base import Capability, LoyaltyProvider
from providers.errors import OutcomeUnknown, ProviderError, Rejected, UnexpectedAnswer
from providers.types import Member, MemberQuery, QueryKind


@with_launch
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest, launch: Launch) -> HttpResponse:
    """The form, its errors, and at last the member. Posting `typed` (from find) only prefills."""
    provider = launch.program.provider()
    if Capability.ENROL not in provider.capabilities:
        return go(request, address_of("find", launch))
    if not launch.is_verified and not launch.customer_email:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    country = launch.program.country
    # An associate asks the customer; without one nothing more is asked.
    asked = provider.enrolment_fields() if launch.is_verified else frozenset()
    waits = newcomers.may_wait(launch, provider)
    if waits and request.method != "POST" and "change" not in request.GET and newcomers.is_waiting(launch):
        return _show_waiting(request, launch)
    if "withdraw" in request.POST:
        newcomers.forget(launch)
        return go(request, f"{address_of('find', launch)}?withdrawn=1")
    if request.method != "POST" or "email" not in request.POST:
        typed = request.POST.get("typed", "")
        # Who was searched for may be another person than the profile's.
        known = {} if typed or "empty" in request.GET else read_known(launch)
        form = EnrolForm(initial=_prefilled(launch, typed), country=country, asked=asked)
        return _show(request, launch, provider, form, known)
    known = decrypt_known(launch, request.POST.get("profile", ""))
    form = EnrolForm(_filled(launch, request.POST, known), country=country, asked=asked)
    if not form.is_valid():
        return _show(request, launch, provider, form, known, status=422)
    try:
        if waits and _is_new(provider, form):
            _keep(launch, provider, form)
            return go(request, address_of("enrol", launch))
        # The program takes a referral code of a new member only, and passes over another one's.
        is_passed_over = bool(form.cleaned_data.get("referral_code")) and _is_found(provider, form)
        member = _enrol(launch, provider, form)
    except Problem as problem:
        return _show(request, launch, provider, form, known, problem, status=problem.status)
    is_customer = bool(launch.customer_email) and _is_same(member, launch.customer_email)
    if not launch.is_verified and not is_customer:
        return refuse(request, Refusal.ASSOCIATE_NEEDED, program=launch.program)
    choose(launch, member.ref, is_customer=is_customer)
    link_profile(
        launch.program,
        member_id=member.member_id,
        profile_id=launch.profile_id if is_customer else "",
        contact=member.email or member.phone,
        may_replace=True,
    )
    notice = "passed_over" if is_passed_over else "enrolled"
    return go(request, f"{address_of('member', launch)}?{notice}=1")


def _is_new(provider: LoyaltyProvider, form: EnrolForm) -> bool:
    """Return whether the customer gave a phone by which no member is found; also where the program does not
    answer now: it takes the phone of a member with an order, too."""
    return bool(form.cleaned_data["phone"]) and not _is_found(provider, form)


def _is_found(provider: LoyaltyProvider, form: EnrolForm) -> bool:
    """Return whether the customer is a member already; False where the program does not answer now."""
    phone, email = form.cleaned_data["phone"], form.cleaned_data["email"]
    wanted = ((QueryKind.PHONE, phone), (QueryKind.EMAIL, email))
    queries = tuple(MemberQuery(kind=kind, value=value) for kind, value in wanted if value)
    try:
        return bool(look_up_now(provider, queries))
    except ProviderError:
        return False


def _keep(launch: Launch, provider: LoyaltyProvider, form: EnrolForm) -> None:
    """Keep the customer's answers until their order is paid. Raises Problem."""
    count_enrolment(launch)
    store = store_of(launch)
    profile = form.profile(store.provider_store if store else "")
    newcomers.keep(launch, profile, form.consents(**_asked(launch, provider)))


def _show_waiting(request: HttpRequest, launch: Launch) -> HttpResponse:
    store = store_of(launch)
    context = {"launch": launch, "program": launch.program, "store": store, "cart": cart_of(launch, store)}
    template = "webview/newcomer.html#content" if is_htmx(request) else "webview/newcomer.html"
    return render(request, template, context)


def _enrol(launch: Launch, provider: LoyaltyProvider, form: EnrolForm) -> Member:
    """Create or find the member. Raises Problem; may be repeated, `enrol` is get-or-create."""
    count_enrolment(launch)
    store = store_of(launch)
    profile = form.profile(store.provider_store if store else "")
    consents = form.consents(**_asked(launch, provider))
    try:
        return with_trail(
            launch, lambda: provider.enrol(profile, consents), consents, way=ConsentWay.ENROLMENT
        )
    except Rejected as error:
        raise Problem(vendor_refusal(error), error.text) from error
    except (OutcomeUnknown, UnexpectedAnswer) as error:
        raise Problem(Refusal.ENROL_UNKNOWN) from error
    except ProviderError as error:
        raise Problem.of_read(error) from error


def _filled(launch: Launch, posted: QueryDict, known: Known) -> QueryDict:
    """Return the posted fields, with the known values in those that stayed empty."""
    data = posted.copy()
    if not launch.is_verified:
        # Without an associate only the cart's own customer can be enrolled.
        data["email"], data["phone"] = launch.customer_email, ""
        return data
    if data.get("from_cart"):
        known = {**known, "email": launch.customer_email}
    for name, value in known.items():
        if not str(data.get(name, "")).strip():
            data[name] = value
    return data


def _show(
    request: HttpRequest,
    launch: Launch,
    provider: LoyaltyProvider,
    form: EnrolForm,
    known: Known,
    problem: Problem | None = None,
    status: int = 200,
) -> HttpResponse:
    store = store_of(launch)
    is_for_cart = bool(launch.customer_email) and form["email"].value() == launch.customer_email
    context: dict[str, Any] = {
        "launch": launch,
        "program": launch.program,
        "store": store,
        "cart": cart_of(launch, store),
        "form": form,
        **_asked(launch, provider),
        "is_fixed": not launch.is_verified,
        "is_for_cart": is_for_cart,
        # The page does not show the known values. A hidden field carries them, encrypted.
        "values": _shown_values(form, {**known, "email": launch.customer_email} if is_for_cart else known),
        "hints": masked(known),
        "sealed": encrypt_known(launch, known),
        "masked_email": masking.masked_email(launch.customer_email) if launch.is_verified else "",
        "cancelled": cancelled_in_cart(launch),
        "problem": problem,
        "sentence": problem.sentence if problem else "",
    }
    template = "webview/enrol.html#content" if is_htmx(request) else "webview/enrol.html"
    return render(request, template, context, status=status)


def _shown_values(form: EnrolForm, hidden: Known) -> dict[str, str]:
    values = {name: form[name].value() or "" for name in FIELDS}
    return {name: "" if value == hidden.get(name) else value for name, value in values.items()}


def _asked(launch: Launch, provider: LoyaltyProvider) -> dict[str, bool]:
    """Return which consents are asked for: none where no associate asked the customer."""
    return {
        "asks_email": launch.is_verified and Capability.CONSENT_EMAIL in provider.capabilities,
        "asks_sms": launch.is_verified and Capability.CONSENT_SMS in provider.capabilities,
    }


def _prefilled(launch: Launch, typed: str) -> dict[str, str]:
    """Return what is known already: what was searched for, else the cart's customer."""
    if email := read_email(typed):
        return {"email": email}
    if phone := read_phone(typed, launch.program.country):
        return {"phone": phone}
    return {"email": launch.customer_email}


def _is_same(member: Member, email: str) -> bool:
    return member.email.casefold() == email.strip().casefold()
