"""What a receipt of what was applied adds up: cart before and after, new balance, points of this cart."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from loyaltyview.redemptions.models import Redemption
from loyaltyview.webview.applied_redemptions import Applied, cart_left, redemptions_in
from loyaltyview.webview.carts import cart_of, earning_cart, store_of
from loyaltyview.webview.member_data import verified
from loyaltyview.webview.models import Launch
from loyaltyview.webview.vendor_calls import call_now, shared
from providers.base import Capability, LoyaltyProvider
from providers.outbound import sharing
from providers.types import Cart, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class CartSums:
    """What the cart costs without what was applied, and with it."""

    before: Money
    after: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What the member has now, and what the cart will earn; None where it is not known."""

    balance: int | None
    earn: int | None


def cart_sums(launch: Launch, counted: Collection[Applied]) -> CartSums | None:
    """Return the cart before and after what `counted` take off it; None where they are in the total that the
    host sent already, or where there is no cart."""
    if not launch.has_cart or not counted:
        return None
    ids = {each.row.pk for each in counted}
    rows = redemptions_in(launch)
    whole = cart_of(launch, store_of(launch))
    before = cart_left(launch, whole, [row for row in rows if row.pk not in ids]).total
    after = cart_left(launch, whole, rows).total
    return CartSums(before=before, after=after) if before != after else None


def read_points(launch: Launch, provider: LoyaltyProvider) -> Points:
    """Ask the program for the new balance and what the cart earns, within the page's deadline."""
    rows = redemptions_in(launch)
    earning = _earning(launch, rows)
    calls: dict[str, Callable[[], Any]] = {"member": lambda: provider.get_member(launch.member_ref)}
    if earning and Capability.EARN_PREVIEW in provider.capabilities:
        calls["earn"] = lambda: provider.preview_earn(launch.member_ref, earning)
    with shared(launch, provider, sharing.PAGE_S):
        answers = call_now(provider, calls)
    member = answers["member"]
    if member.error or member.value is None:
        return Points(balance=None, earn=None)
    balance = verified(launch, member.value).balance.spendable
    return Points(balance=balance, earn=answers["earn"].value if "earn" in answers else None)


def _earning(launch: Launch, rows: Collection[Redemption]) -> Cart | None:
    whole = cart_of(launch, store_of(launch))
    return earning_cart(launch, whole, cart_left(launch, whole, rows), rows)
