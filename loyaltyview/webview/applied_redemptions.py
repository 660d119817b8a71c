"""The redemptions applied in the launch's cart, what they leave to pay, and the handoff back to the app."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils.http import urlencode

from loyaltyview.newstore.deeplink import MOST_CODES, handoff_url
from loyaltyview.redemptions.codes import issued_of, known_codes
from loyaltyview.redemptions.models import FINAL, HOLDING, IN_CART, OPEN, Redemption, State
from loyaltyview.redemptions.offers import after
from loyaltyview.redemptions.release import is_final, is_undoable
from loyaltyview.redemptions.saga import reveal_codes
from loyaltyview.redemptions.serialization import discount_from_json
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import actor_of
from loyaltyview.work import clock
from loyaltyview.work.plain_sql import select
from providers.base import Capability, LoyaltyProvider
from providers.sales import OWN_CODE
from providers.types import Cart, Money

MOST_ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One redemption. `status` is live, expired, checking, returning, returned, refused, ordered or stuck;
    `left_s` and `share_left` (0..100) are what is left of its code's life."""

    row: Redemption
    saving: Money
    status: str
    can_undo: bool
    is_final: bool
    left_s: int
    share_left: int

    @property
    def own_code(self) -> str:
        """The code that the program itself shows the customer, "" without one: the till takes ours."""
        return str(self.row.memo.get(OWN_CODE, ""))


def redemptions_in(launch: Launch) -> list[Redemption]:
    """Return the redemptions of this launch's cart, newest first. Those of a customer who was in the cart
    before its member are left out unless the host has their code in it."""
    of_cart = {"program": launch.program_id, "cart_id": launch.cart_id}
    rows = select(Redemption, of_cart, order_by="-requested_at", limit=MOST_ROWS)
    others = {row.pk for row in rows if row.member_ref != launch.member_ref and row.launch_id != launch.pk}
    if launch.member_ref and others:
        gone = others - _redemptions_of(launch)
        rows = [row for row in rows if row.pk not in gone]
    for row in rows:
        row.program = launch.program  # rather than decrypted again for each
    return rows


def of_member(launch: Launch, rows: Iterable[Redemption]) -> list[Redemption]:
    """Return those of `rows` that belong to the launch's member; another member's are never shown."""
    return [row for row in rows if launch.member_ref and row.member_ref == launch.member_ref]


def cart_left(launch: Launch, cart: Cart, rows: Iterable[Redemption]) -> Cart:
    """Return what is left of `cart` (as the host sent it) after `rows`, the redemptions in it. A code that
    was in the cart at launch is in its total already, and so is the one that took its place."""
    in_total = _redemptions_of(launch)
    for row in sorted(rows, key=lambda row: row.requested_at):
        if row.state not in IN_CART:
            continue
        is_in_total = row.pk in in_total or row.currency != cart.total.currency
        saving = Money(amount=Decimal(0) if is_in_total else row.saving, currency=cart.total.currency)
        cart = after(cart, discount_from_json(row.discount), saving)
    return cart


def _redemptions_of(launch: Launch) -> set[UUID]:
    """Return the ids of the redemptions whose codes, renewed since or not, were in the cart at launch."""
    if not launch.selected_coupons:
        return set()
    codes = issued_of(launch.program_id, launch.selected_coupons)
    return set(codes.values_list("redemption_id", flat=True))


def is_full(launch: Launch, rows: Iterable[Redemption], *, gives_way: str = "") -> bool:
    """Return whether the cart has as many codes as one handoff carries, beside the one that `gives_way`."""
    live = {row.code for row in rows if row.state in IN_CART and status_of(row) != "expired"}
    return len((live | set(_standing_coupons(launch))) - {gives_way}) >= MOST_CODES


def redemption_of(launch: Launch, redemption_id: UUID) -> Redemption | None:
    """Return one redemption of this launch's cart and member; None for any other."""
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


def watch_query(shown: Iterable[Applied], provider: LoyaltyProvider) -> str:
    """Return the query string with which a page asks whether the program cancelled one of `shown`; "" where
    there is nothing to ask."""
    if Capability.CANCELS_SPENDS not in provider.capabilities:
        return ""
    return urlencode([("live", str(each.row.pk)) for each in shown if each.status == "live"])


def applied(row: Redemption, provider: LoyaltyProvider) -> Applied:
    """Return how `row` stands, in the words of the pages."""
    final = is_final(row, provider)
    ends_at = row.code_expires_at
    left_s = max(0, int((ends_at - clock.now()).total_seconds())) if ends_at else 0
    return Applied(
        row=row,
        saving=Money(amount=Decimal(row.saving), currency=row.currency),
        status=status_of(row),
        can_undo=is_undoable(row) and not final,
        is_final=final,
        left_s=left_s,
        share_left=min(100, 100 * left_s // (settings.CODE_LIFE_MINUTES * 60)),
    )


def status_of(row: Redemption) -> str:
    """Return how `row` stands as one of the words of `Applied.status`."""
    state = State(row.state)
    if state in OPEN:
        return "checking"
    if state is State.RELEASING:
        return "returning"
    if state is State.RELEASED:
        return "returned"
    if state is State.REFUSED:
        return "refused"
    if state is State.STUCK:
        return "stuck"
    if row.order_id:
        return "ordered"
    return "live" if row.code_expires_at and row.code_expires_at > clock.now() else "expired"


def foreign_codes(launch: Launch) -> tuple[str, ...]:
    """Return the coupons that were in the cart at launch and belong to no redemption of ours."""
    ours = known_codes(launch.program_id, launch.selected_coupons)
    return tuple(code for code in launch.selected_coupons if code not in ours)


def handoff_of(launch: Launch) -> str:
    """Return the deeplink with every code this cart should have, "" when there is none, or no cart that
    the app would take them for. The newest MOST_CODES: the app takes no more."""
    codes = _standing_coupons(launch) + reveal_codes(
        launch.program_id,
        launch.cart_id,
        actor_of(launch),
        member_ref=launch.member_ref,
        launch_id=launch.pk,
    )
    codes = list(dict.fromkeys(codes))[-MOST_CODES:]
    if not codes or not launch.cart_id or not launch.host_token:
        return ""
    return handoff_url(codes=codes, cart_id=launch.cart_id, token=launch.host_token)


def way_back(launch: Launch, shown: Iterable[Applied]) -> str:
    """Return the deeplink for a page that shows what is in the cart, "" where no code of it counts now."""
    return handoff_of(launch) if any(each.status == "live" for each in shown) else ""


def _standing_coupons(launch: Launch) -> list[str]:
    """Return the coupons that were in the cart at launch and still count. Codes of ours that were given back
    do not, and neither do those that were renewed: old and new together would take the discount twice for
    the same points."""
    selected: list[str] = launch.selected_coupons
    if not selected:
        return []
    standing = Q(redemption__state__in=[state.value for state in HOLDING], code=F("redemption__code"))
    ours = known_codes(launch.program_id, selected)
    dead = set(issued_of(launch.program_id, selected).exclude(standing).values_list("code", flat=True))
    # Ours in its own spelling: the handoff must not carry one code in two.
    return [ours.get(code, code) for code in selected if ours.get(code) not in dead]
