"""A launch is compared with NewStore: whose cart it is and who its customer is.
Source: docs/contracts/newstore.md 1.6, 7, 8.4.

The launch's own data is a hint, and NewStore's cart decides: a launch that contradicts it is refused. Where
NewStore is slow or refuses our scope, the till goes on: the hint counts, and the log says so.
"""

import hashlib
import time
from dataclasses import dataclass, replace
from functools import partial

import structlog
from django.core.cache import cache
from prometheus_client import Counter

from loyaltyview.newstore.answers import HostCart, Profile
from loyaltyview.newstore.client import NewStoreClient
from loyaltyview.newstore.context import Associate, LaunchContext
from loyaltyview.newstore.errors import NewStoreError, NewStoreRejected, NewStoreUnavailable
from loyaltyview.newstore.profile_links import loyalty_id_in
from loyaltyview.programs.models import Program, TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.refusals import Refusal, mint_refusal
from loyaltyview.webview.cart_recheck import units_of
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.request_limits import count_cart_launch
from providers.outbound import parallel

log = structlog.get_logger(__name__)

BUDGET_S = 0.9  # for cart and profile together
DEADLINE_S = 1.0  # nothing else bounds the look-up of a host name
UNKNOWN_S = 30  # an unknown cart is asked for again only after this
QUIET_S = 300  # an outage of NewStore is logged this often

checks = Counter("newstore_launch_checks_total", "Launches by what NewStore said.", ["program", "outcome"])


@dataclass(frozen=True, slots=True, kw_only=True)
class HostAnswer:
    """What NewStore answered within the budget, and the error that ended it."""

    cart: HostCart | None = None
    profile: Profile | None = None
    error: NewStoreError | None = None


def confirm(program: Program, context: LaunchContext, associate: Associate) -> LaunchContext:
    """Return the launch with store, customer, e-mail and loyalty id as NewStore has them, as far as it
    answers within a second. Raises Problem when NewStore's cart is not the launch's."""
    # Also where the total is not known yet: the app may say it later (views.host).
    reads_cart = program.newstore_check_carts and context.names_cart
    if not reads_cart and not (context.profile_id and not context.customer_email):
        return context
    ask = partial(_ask, program, context if reads_cart else replace(context, cart_id=""))
    with parallel.of_program(program.slug):
        answer = parallel.gather({"newstore": ask}, DEADLINE_S)["newstore"].value
    answer = answer or HostAnswer(error=NewStoreUnavailable("deadline"))
    problem = _contradiction(context, associate, answer)
    if problem:
        checks.labels(program.slug, problem.code).inc()
        log.warning("launch_refused", program=program.slug, cart=context.cart_id, reason=problem.code)
        raise problem
    if answer.error:
        _note(program, answer.error)
    checks.labels(program.slug, "UNCHECKED" if answer.error else "CONFIRMED").inc()
    return _as_answered(program, context, answer)


def read_customer(program: Program, context: LaunchContext, caller: str) -> LaunchContext:
    """Return a launch without an associate as NewStore has it: the cart's customer, store and associate.
    Raises Problem when NewStore cannot answer, and when the caller asks too often: invented carts must cost
    NewStore little. A cart that NewStore does not know is not asked for again for UNKNOWN_S."""
    unknown = f"cart-unknown-{program.pk}-{hashlib.sha256(context.cart_id.encode()).hexdigest()}"
    if cache.get(unknown):
        raise Problem(Refusal.CART_UNKNOWN)
    count_cart_launch(program, caller)
    client, missing = NewStoreClient(program), Refusal.CART_UNKNOWN
    try:
        cart = client.get_cart(context.cart_id)
        # Merged or deleted: to add the customer once more names the profile that there is.
        missing = Refusal.NO_CUSTOMER
        if not cart.customer_id:
            raise Problem(missing)
        profile = client.get_profile(cart.customer_id)
    except NewStoreError as error:
        if isinstance(error, NewStoreRejected) and error.status in (404, 422):
            if missing is Refusal.CART_UNKNOWN:
                cache.set(unknown, True, UNKNOWN_S)
            raise Problem(missing, reference=error.request_id) from error
        raise Problem(Refusal.CART_UNCHECKED, reference=error.request_id) from error
    return replace(
        context,
        customer_email=profile.email,
        profile_id=profile.profile_id,
        loyalty_id=loyalty_id_in(profile, program),
        store_id=cart.store_id,
        associate_id=cart.associate_id,
        host_units=units_of(cart),
    )


def _ask(program: Program, context: LaunchContext) -> HostAnswer:
    """Read the cart (where there is one to read) and its customer's profile, one after the other."""
    client = NewStoreClient(program, budget_s=BUDGET_S)
    cart = profile = None
    try:
        if context.cart_id:
            cart = client.get_cart(context.cart_id)
        profile_id = cart.customer_id if cart else context.profile_id
        if profile_id:
            profile = client.get_profile(profile_id)
    except NewStoreError as error:
        return HostAnswer(cart=cart, error=error)
    return HostAnswer(cart=cart, profile=profile)


def _contradiction(context: LaunchContext, associate: Associate, answer: HostAnswer) -> Problem | None:
    cart, error = answer.cart, answer.error
    if cart is None:
        if context.names_cart and isinstance(error, NewStoreRejected) and error.status == 404:
            return Problem(Refusal.CART_UNKNOWN, reference=error.request_id)
        return None
    if _differ(context.store_id, cart.store_id):
        return Problem(Refusal.CART_OTHER_STORE)
    known = associate.associate_id if associate.is_staff_id else context.associate_id
    if _differ(known, cart.associate_id):
        return Problem(Refusal.CART_OTHER_ASSOCIATE)
    email = _email(answer.profile)
    if _differ(context.profile_id, cart.customer_id) or _differ(context.customer_email.strip(), email):
        return Problem(Refusal.CART_OTHER_CUSTOMER)
    return None


def _differ(one: str, other: str) -> bool:
    """Whether both sides name one, and not the same."""
    return bool(one and other) and one.casefold() != other.casefold()


def _email(profile: Profile | None) -> str:
    # A tenant that keeps personal data elsewhere has a token in its place.
    return profile.email if profile and "@" in profile.email else ""


def _as_answered(program: Program, context: LaunchContext, answer: HostAnswer) -> LaunchContext:
    cart, profile = answer.cart, answer.profile
    loyalty_id = loyalty_id_in(profile, program) if profile else ""
    return replace(
        context,
        host_units=units_of(cart),
        store_id=(cart.store_id if cart else "") or context.store_id,
        profile_id=(cart.customer_id if cart else "") or context.profile_id,
        customer_email=_email(profile) or context.customer_email,
        loyalty_id=loyalty_id or context.loyalty_id,
    )


def _note(program: Program, error: NewStoreError) -> None:
    """Count that NewStore could not be asked; log it once in QUIET_S, not with each launch."""
    note_trouble(program, TroubleKind.NEWSTORE, mint_refusal(error).value)
    if cache.add(f"launch-unchecked-{program.slug}", time.time(), QUIET_S):
        log.warning(
            "launch_unchecked",
            program=program.slug,
            error=type(error).__name__,
            detail=error.detail,
            newstore_request_id=error.request_id,
        )
