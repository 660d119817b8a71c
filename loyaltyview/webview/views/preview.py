"""While the associate chooses: what the chosen cards save together, in the words of the page."""

from decimal import Decimal
from typing import Any

from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from loyaltyview.redemptions.models import IN_CART
from loyaltyview.redemptions.stacking import StackingRule
from loyaltyview.webview import formats
from loyaltyview.webview.applied_redemptions import cart_left, of_member, redemptions_in
from loyaltyview.webview.carts import cart_of, store_of
from loyaltyview.webview.choice import (
    Item,
    Obstacle,
    Start,
    Taken,
    count,
    obstacle_of,
    read_offers,
    with_units,
)
from loyaltyview.webview.member_offers import PointsChoice
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import with_launch
from loyaltyview.webview.taps import points_in, unit_in
from providers.types import Cart, Money


@with_launch
@require_POST
def preview_choice(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Answer with JSON: `button` and `fine` for all that is chosen, and by the value of its box what each
    card says. 204 for a page that is out of date. Nothing is spent, and the vendor is not asked."""
    try:
        items, spendable = read_offers(launch, request.POST.get("offers", ""))
    except BadSignature:
        return HttpResponse(status=204)
    rows = redemptions_in(launch)
    cart = cart_left(launch, cart_of(launch, store_of(launch)), rows)
    start = Start(
        cart=cart,
        spendable=spendable,
        rule=StackingRule.of(launch.program),
        codes_in_cart=sum(row.state in IN_CART for row in of_member(launch, rows)),
    )
    items = with_units(items, {item.pick: unit_in(request.POST, item.pick) for item in items}, cart)
    picks = request.POST.getlist("chosen")
    chosen = [item for item in items if item.pick in picks]
    wanted = {item.pick: points_in(request.POST, item.pick) for item in items}
    if not chosen:
        return HttpResponse(status=204)
    try:
        taken = count(chosen, wanted, start)
    except Obstacle as obstacle:
        cards: dict[str, Any] = {item.pick: {"obstacle": str(obstacle)} for item in chosen}
        answer = {"button": _("Apply all that is chosen"), "fine": "", "cards": cards}
    else:
        cards = {pick: _stepper(each, each.choice) for pick, each in taken.items() if each.choice}
        answer = {"button": _button(taken, cart), "fine": _fine(chosen, taken), "cards": cards}
    for item in items:
        if item not in chosen:
            cards[item.pick] = {"obstacle": obstacle_of(item, chosen, wanted, start)}
    return JsonResponse(answer)


def _stepper(taken: Taken, choice: PointsChoice) -> dict[str, Any]:
    """Return what the card of points as money says: `most` is the largest number that can be chosen now."""
    if taken.saving is None:
        return {"most": choice.maximum}
    saving, points = formats.money(taken.saving), formats.points(taken.points)
    return {
        "most": choice.maximum,
        "points": taken.points,
        "used": points,
        "saving": f"\N{MINUS SIGN}{saving}",
        "button": _("Apply %(saving)s off, %(points)s") % {"saving": saving, "points": points},
    }


def _button(taken: dict[str, Taken], cart: Cart) -> str:
    savings = [each.saving for each in taken.values()]
    if None in savings:
        return _("Apply all that is chosen")
    total = sum((saving.amount for saving in savings if saving), Decimal(0))
    saved = formats.money(Money(amount=total, currency=cart.total.currency))
    text = ngettext("Apply %(n)d reward, save %(saving)s", "Apply %(n)d rewards, save %(saving)s", len(taken))
    return text % {"n": len(taken), "saving": saved}


def _fine(chosen: list[Item], taken: dict[str, Taken]) -> str:
    """Return what all of it costs, and whether it can be undone."""
    finals = sum(item.is_final for item in chosen)
    if not finals:
        text = _("%(points)s. Can be undone on the next page")
    elif finals < len(chosen):
        text = _("%(points)s. Not all of it can be undone")
    else:
        text = _("%(points)s. Cannot be undone")
    return text % {"points": formats.points(sum(each.points for each in taken.values()))}
