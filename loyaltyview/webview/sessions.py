"""A launch as a session: opened once, then proved by its cookie on every page below `/l/<launch>/`."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import translation
from django.utils.crypto import salted_hmac

from loyaltyview.newstore.context import Associate, HostTheme, LaunchContext
from loyaltyview.ops.overload import note_owner
from loyaltyview.ops.ratelimit import caller_of
from loyaltyview.programs.models import Program
from loyaltyview.programs.program_cache import program_by_id
from loyaltyview.redemptions.commands import Actor
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview import snapshots
from loyaltyview.webview.languages import language_of
from loyaltyview.webview.models import Launch
from loyaltyview.webview.responses import refuse
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import select
from providers.outbound.budget import calling_for, finish
from providers.outbound.budget_state import Use
from providers.outbound.parallel import of_program

COOKIE = "launch"
LONGEST_NAME = 100  # Redemption.associate_id
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Launch, P], HttpResponseBase]


def open_launch(
    program: Program,
    context: LaunchContext,
    associate: Associate | None,
    *,
    asked_at: datetime,
    is_host_awaited: bool,
) -> tuple[Launch, HttpResponse]:
    """Store the launch and return it, with an answer that has its cookie and a redirect to its member page.
    `asked_at` is when the app asked: of two launches of one cart, the later one counts. `is_host_awaited`:
    what the app puts into the page has not been read yet."""
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    key = customer_key(program, context.customer_email)
    assumed = snapshots.known_ref(program, key, context.loyalty_id)
    launch = Launch.objects.create(
        program=program,
        secret_hash=_hash(secret),
        created_at=asked_at,
        expires_at=now + Launch.lifetime(),
        associate_id=associate.associate_id if associate else "",
        cart_associate_id="" if associate else context.associate_id[:100],
        device_id=associate.device_id if associate else "",
        store_id=context.store_id,
        host_token=context.token,
        cart_id=context.cart_id,
        cart=cart_json(context),
        host_units=context.host_units,
        selected_coupons=list(context.selected_coupons),
        customer_email=context.customer_email,
        customer_key=key,
        profile_id=context.profile_id,
        loyalty_id=context.loyalty_id,
        theme=theme_json(context.theme),
        is_host_awaited=is_host_awaited,
        member_ref=assumed,
        is_customer=bool(assumed),
        is_member_assumed=bool(assumed),
    )
    if launch.cart_id:
        same_cart = Launch.objects.filter(program=program, cart_id=launch.cart_id)
        newest = same_cart.order_by("-created_at", "pk").values_list("pk", flat=True).first()
        same_cart.filter(is_replaced=False).exclude(pk=newest).update(is_replaced=True)
    note_owner(launch.pk, program.slug)
    response = redirect("member", launch_id=launch.pk)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(Launch.lifetime().total_seconds()),
        path=response["Location"],
        httponly=True,
        secure=settings.COOKIE_SECURE,
        samesite="Lax",
    )
    response["Cache-Control"] = "no-store"
    return launch, response


def cart_json(context: LaunchContext) -> dict[str, object]:
    """Return what `Launch.cart` keeps: `currency` is "" and `total` None where the host named none."""
    return {
        "currency": context.currency,
        "total": None if context.cart_total is None else str(context.cart_total),
        "items": [
            {"item_id": item.item_id, "product_id": item.product_id, "price": str(item.price)}
            for item in context.items
        ],
    }


def theme_json(theme: HostTheme) -> dict[str, object]:
    """Return what `Launch.theme` keeps: only what the host said."""
    return {name: value for name, value in asdict(theme).items() if value}


def with_launch(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Give the view its launch: the address must name one and the cookie must prove it.

    Without the cookie: 403, whether the launch exists or not. Expired: 410. No answer is ever cached.
    """

    @wraps(view)
    def guarded(request: HttpRequest, launch_id: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        launch = next(iter(select(Launch, {"id": launch_id}, order_by="id", limit=1)), None)
        expected = launch.secret_hash if launch else ""
        is_proved = hmac.compare_digest(_hash(request.COOKIES.get(COOKIE, "")), expected)
        if launch is None or not is_proved:
            return refuse(request, Refusal.NO_SESSION)
        launch.program = program_by_id(launch.program_id)
        launch.caller = caller_of(request)
        note_owner(launch.pk, launch.program.slug)
        language = language_of(request, launch.program)
        with translation.override(language):
            if not launch.program.is_active:
                return refuse(request, Refusal.PROGRAM_UNKNOWN)
            if launch.expires_at <= clock.now():
                return refuse(request, Refusal.SESSION_EXPIRED, program=launch.program)
            # What the associate presses comes before what is only shown.
            use = Use.TAP if request.method == "POST" else Use.PAGE
            with acting_in(launch, language, use):
                response = view(request, launch, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        response["Content-Language"] = language
        return response

    return guarded


@contextmanager
def acting_in(launch: Launch, language: str, use: Use) -> Iterator[None]:
    """Speak the page's language, and count the calls of this block as the program's, made for `use`."""
    with translation.override(language), of_program(launch.program.slug), calling_for(use) as purpose:
        yield
        finish(purpose)


def actor_of(launch: Launch) -> Actor:
    """Return who acts in this launch, for the audit trail and the limit of redemptions per associate. A
    launch without an associate has a name that is no associate's: its redemptions are in no shift."""
    name = launch.associate_id or "unverified"
    if launch.cart_associate_id and not launch.associate_id:
        name = f"unverified, cart of {launch.cart_associate_id}"[:LONGEST_NAME]
    return Actor(name=name, store_id=launch.store_id, device_id=launch.device_id)


def customer_key(program: Program, email: str) -> str:
    """Return the keyed hash under which a customer's last launch is found again; "" without an e-mail.
    The program's own key: neither SECRET_KEY nor CREDENTIAL_KEYS may change what is stored."""
    if not email:
        return ""
    return salted_hmac(
        "loyaltyview.customer", email.casefold(), secret=program.lookup_key, algorithm="sha256"
    ).hexdigest()


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
