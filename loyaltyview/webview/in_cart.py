"""What is applied in the launch's cart already, and the handoff that carries all of it back."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from loyaltyview.newstore.deeplink import MOST_CODES, handoff_url
from loyaltyview.redemptions.models import FINAL, HOLDING, IssuedCode, Redemption, State
from loyaltyview.redemptions.recovery import WAITING
from loyaltyview.redemptions.release import can_release
from loyaltyview.redemptions.saga import live_codes
from loyaltyview.redemptions.shift import is_undoable
from loyaltyview.webview.models import Launch
from providers.base import LoyaltyProvider
from providers.types import Money, SpendKind

MOST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One redemption of this cart. `status` is live, expired, checking, returning, ordered or stuck."""

    row: Redemption
    saving: Money
    status: str
    can_undo: bool


def redemptions_of(launch: Launch) -> list[Redemption]:
    """Return the redemptions of this launch's cart and member, newest first."""
    rows = Redemption.objects.select_related("program").filter(
        program_id=launch.program_id, cart_id=launch.cart_id, member_ref=launch.member_ref
    )
    return list(rows[:MOST_ROWS])


def redemption_of(launch: Launch, redemption_id: UUID) -> Redemption | None:
    """Return one redemption of this launch's cart and member; another cart's does not exist here."""
    if not launch.member_ref:
        return None
    return (
        Redemption.objects.select_related("program")
        .filter(
            pk=redemption_id,
            program_id=launch.program_id,
            cart_id=launch.cart_id,
            member_ref=launch.member_ref,
        )
        .first()
    )


def applied_in(rows: list[Redemption], provider: LoyaltyProvider) -> tuple[Applied, ...]:
    """Return those of `rows` that are in the cart or on their way."""
    return tuple(applied(row, provider) for row in rows if State(row.state) not in FINAL)


def applied(row: Redemption, provider: LoyaltyProvider) -> Applied:
    """Return how `row` stands, in the words of the pages."""
    return Applied(
        row=row,
        saving=Money(amount=Decimal(row.saving), currency=row.currency),
        status=_status(row),
        can_undo=is_undoable(row) and can_release(provider, SpendKind(row.kind)),
    )


def _status(row: Redemption) -> str:
    state = State(row.state)
    if state in WAITING:
        return "checking"
    if state is State.RELEASING:
        return "returning"
    if state is State.RELEASED:
        return "returned"
    if state is State.STUCK:
        return "stuck"
    if row.order_id:
        return "ordered"
    return "live" if row.code_expires_at and row.code_expires_at > timezone.now() else "expired"


def foreign_codes(launch: Launch) -> tuple[str, ...]:
    """Return the coupons that were in the cart at launch and are none of our redemptions'."""
    ours = set(
        IssuedCode.objects.filter(program_id=launch.program_id, code__in=launch.selected_coupons).values_list(
            "code", flat=True
        )
    )
    return tuple(code for code in launch.selected_coupons if code not in ours)


def handoff_of(launch: Launch) -> str:
    """Return the deeplink with every code this cart should have, "" when there is none.

    Codes of ours that were given back or ran out stay behind: the app would refuse them one by one.
    """
    selected: list[str] = launch.selected_coupons
    dead = set(
        IssuedCode.objects.filter(program_id=launch.program_id, code__in=selected)
        .exclude(redemption__state__in=[state.value for state in HOLDING])
        .values_list("code", flat=True)
    )
    codes = [code for code in selected if code not in dead] + live_codes(launch.program_id, launch.cart_id)
    codes = list(dict.fromkeys(codes))[-MOST_CODES:]
    if not codes:
        return ""
    return handoff_url(codes=codes, cart_id=launch.cart_id, token=launch.host_token)
