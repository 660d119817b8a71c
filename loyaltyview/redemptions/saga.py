"""The way of a tap: store, mint, spend, reveal (docs/architecture.md 5).

NewStore and the vendor are called between commits, never within one. Each commit is one
`transitions.advance`. The lease on the row says whose turn it is. It outlasts every call. A row whose lease
has run out belongs to a process that died, and `recovery` takes it over.
"""

import time
from datetime import timedelta

import structlog
from django.conf import settings
from django.db.models import Q
from django.views.decorators.debug import sensitive_variables

from loyaltyview.newstore.coupons import MintedCode, mint_code
from loyaltyview.newstore.errors import NewStoreError
from loyaltyview.programs.models import Program, TroubleKind
from loyaltyview.programs.troubles import note_trouble
from loyaltyview.redemptions.commands import (
    Actor,
    AnotherTillRedeeming,
    InCartAlready,
    KeyReused,
    RedeemRequest,
    fingerprint_of,
)
from loyaltyview.redemptions.limits import limit_reached
from loyaltyview.redemptions.models import OPEN, IssuedCode, Redemption, State
from loyaltyview.redemptions.recovery import carry_on
from loyaltyview.redemptions.refusals import mint_refusal, vendor_refusal, vendor_text
from loyaltyview.redemptions.serialization import coupon_of, intent_of, requested_row
from loyaltyview.redemptions.stacking import refused_beside_others
from loyaltyview.redemptions.transitions import advance, record_spend, refresh, refuse, reveal
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import insert
from providers.errors import ProviderError
from providers.sales import SpendKind

log = structlog.get_logger(__name__)

FIRST_QUESTION_AFTER = timedelta(seconds=2)  # the worker's about an unknown outcome; the page asks by itself


def redeem(request: RedeemRequest) -> Redemption:
    """Carry out one tap as far as it goes now, and return the row: REVEALED, REFUSED (with `refusal`),
    UNCERTAIN, or the state in which another request is still working on it.

    The same key with the same parameters returns the same redemption; vendor trouble never raises.
    Raises KeyReused, InCartAlready, AnotherTillRedeeming. May take as long as NewStore and the vendor
    together.
    """
    row, is_ours = _store(request)
    if not is_ours:
        return repeat(row, request.actor)
    if refusal := limit_reached(row) or refused_beside_others(row):
        refuse(row, refusal, State.REQUESTED, request.actor)
    elif _mint(row, request.actor):
        _spend(row, request.actor, request.pin)
    return row


def _store(request: RedeemRequest) -> tuple[Redemption, bool]:
    """Commit the row before anything happens. Returns it and whether this call made it."""
    row = requested_row(request)
    if insert([row], may_be_there=True):
        return row, True
    same_key = Redemption.objects.filter(program=request.program, key=request.key).first()
    if same_key is None and row.cart_slot and _is_slot_taken(row):
        raise InCartAlready
    if same_key is None:
        raise AnotherTillRedeeming
    if same_key.fingerprint != row.fingerprint:
        raise KeyReused
    return same_key, False


def _is_slot_taken(row: Redemption) -> bool:
    """Return whether another redemption has the slot of `row`. One that is still open does not count: it may
    be refused, and then the slot is free again."""
    same_slot = Redemption.objects.filter(
        program=row.program,
        cart_id=row.cart_id,
        member_ref=row.member_ref,
        kind=row.kind,
        item_id=row.item_id,
        cart_slot=row.cart_slot,
    )
    return same_slot.exclude(state__in=[state.value for state in OPEN]).exists()


def _mint(row: Redemption, actor: Actor) -> bool:
    """Get a code, and commit UNCERTAIN with it: a process that dies in the vendor's call cannot say any more
    what came of it. Returns whether the vendor is to be called."""
    try:
        minted = mint(row)
    except NewStoreError as error:
        log.warning(
            "mint_failed", redemption=str(row.id), detail=error.detail, newstore_request_id=error.request_id
        )
        refusal = mint_refusal(error)
        note_trouble(row.program, TroubleKind.NEWSTORE, refusal.value)
        # NewStore's support asks for its request id.
        reference = f"(NewStore {error.request_id})" if error.request_id else ""
        refuse(row, refusal, State.REQUESTED, actor, reference)
        return False
    issued = IssuedCode(program=row.program, redemption=row, code=minted.code, issued_at=clock.now())
    return advance(
        row, State.UNCERTAIN, allowed=[State.REQUESTED], actor=actor, needs_lease=True,
        also=[issued], code=minted.code, code_expires_at=minted.expires_at,
    )  # fmt: skip


def mint(row: Redemption) -> MintedCode:
    """Make a coupon at NewStore for the discount of `row`. Raises NewStoreError."""
    return mint_code(row.program, coupon_of(row))


@sensitive_variables("pin")
def _spend(row: Redemption, actor: Actor, pin: str) -> None:
    """Call the vendor, and commit what it says: revealed, refused, or to be asked about."""
    try:
        spend = row.program.provider().spend(intent_of(row, pin))
    except ProviderError as error:
        log.warning("spend_failed", redemption=str(row.id), error=type(error).__name__, detail=error.detail)
        refusal = vendor_refusal(error)
        if refusal.may_have_spent:
            _leave_open(row, f"{type(error).__name__}: {error.detail}")
        else:
            refuse(row, refusal, State.UNCERTAIN, actor, vendor_text(error))
        return
    record_spend(row, spend, State.REVEALED, actor, via=[State.SPENT])


def _leave_open(row: Redemption, error: str) -> None:
    """The outcome stays unknown: give the lease back, so that page and worker can ask."""
    Redemption.objects.filter(pk=row.pk, state=State.UNCERTAIN, lease_until=row.lease_until).update(
        lease_until=None, due_at=clock.now() + FIRST_QUESTION_AFTER, last_error=error[:500]
    )
    refresh(row)


def find_tap(
    program: Program,
    *,
    launch_id: str,
    member_ref: str,
    key: str,
    kind: SpendKind,
    item_id: str,
    points: int,
) -> Redemption | None:
    """Return the redemption that this form started before, None when it is new. A page asks this before
    it judges the form: the first tap may already have spent the points that the second would need.
    Raises KeyReused when the key was sent with other parameters.
    """
    same_key = Redemption.objects.filter(program=program, key=key)
    fingerprint = same_key.values_list("fingerprint", flat=True).first()
    if fingerprint is None:
        return None
    if fingerprint != fingerprint_of(launch_id, member_ref, kind, item_id, points):
        raise KeyReused
    return same_key.get()


def repeat(row: Redemption, actor: Actor) -> Redemption:
    """Answer the same tap again: wait briefly for the request that works on it, and take over when its
    process is gone. Returns the row as it stands then."""
    deadline = time.monotonic() + settings.PAGE_DEADLINE_S
    pause_s = 0.02
    while row.state in OPEN and time.monotonic() < deadline:
        if row.lease_until is None or row.lease_until < clock.now():
            return carry_on(row.pk, actor)
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.25)
        refresh(row)
    return row


def reveal_codes(
    program_id: int, cart_id: str, actor: Actor, *, member_ref: str = "", launch_id: str = ""
) -> list[str]:
    """Return the codes of this cart that are spent and not expired, oldest first. This reveals a code that
    nobody has seen yet, where the worker found out about its spend. With a member only that member's codes
    and those of this launch: the cart may have been another customer's before."""
    whose = Q(member_ref=member_ref) | Q(launch_id=launch_id) if member_ref else Q()
    rows = Redemption.objects.filter(
        whose,
        program_id=program_id,
        cart_id=cart_id,
        state__in=[State.SPENT.value, State.REVEALED.value],
        code_expires_at__gt=clock.now(),
    ).order_by("requested_at")
    return [row.code for row in rows if row.state == State.REVEALED or reveal(row, actor)]
