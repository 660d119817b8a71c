"""What the app injects into our pages and did not send in the address: the cart's items, its codes, colours.
The first page sends it once (`static/js/host.js`); no page waits for it."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from loyaltyview.newstore.context import LaunchContext
from loyaltyview.newstore.errors import LaunchError
from loyaltyview.newstore.launch import Keys, keys_of, read_posted
from loyaltyview.webview.color_styles import host_css
from loyaltyview.webview.models import Launch
from loyaltyview.webview.sessions import cart_json, theme_json, with_launch


@with_launch
@require_POST
def read_host_context(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Store what is new in the posted `context`; only the first one of a launch counts. Answers 204, or JSON
    with the addresses to load again: `content` of the member page, `theme`; "" for what is unchanged."""
    keys = keys_of(launch.program)
    try:
        context = read_posted(request.POST.get("context", ""), _as_query(launch, keys), keys)
    except LaunchError:
        columns: dict[str, Any] = {}
    else:
        columns = new_columns(context, launch)
    was_first = Launch.objects.filter(pk=launch.pk, is_host_awaited=True).update(
        is_host_awaited=False, **columns
    )
    if not was_first or not columns:
        return HttpResponse(status=204)
    return JsonResponse(
        {
            "content": reverse("content", args=[launch.pk]) if columns.keys() - {"theme"} else "",
            "theme": reverse("host-theme", args=[launch.pk]) if "theme" in columns else "",
        }
    )


@with_launch
@require_safe
def host_theme(request: HttpRequest, launch: Launch) -> HttpResponse:
    """Answer with the colours and insets of the app, for a page that was open when the app sent them."""
    return HttpResponse(host_css(launch), content_type="text/css; charset=utf-8")


def new_columns(context: LaunchContext, launch: Launch) -> dict[str, Any]:
    """Return the columns of `launch` that `context` fills, {} for another cart. Customer, associate and the
    cart's known values stay: they were checked when the launch was opened."""
    if context.cart_id != launch.cart_id:
        return {}
    columns: dict[str, Any] = {}
    posted = cart_json(context)
    # "0" is a total.
    cart = {name: value or posted[name] for name, value in launch.cart.items()}
    if cart != launch.cart:
        columns["cart"] = cart
    if context.selected_coupons and not launch.selected_coupons:
        columns["selected_coupons"] = list(context.selected_coupons)
    if (theme := theme_json(context.theme)) and not launch.theme:
        columns["theme"] = theme
    return columns


def _as_query(launch: Launch, keys: Keys) -> dict[str, str]:
    """Return the launch as a query string: what the app need not send again."""
    said = {
        "cart_id": launch.cart_id,
        "cart_total": launch.cart["total"],
        "customer_email": launch.customer_email,
        "profile_id": launch.profile_id,
    }
    cart = {keys[name][0]: value for name, value in said.items() if value and keys[name]}
    return {"token": launch.host_token, "cart": json.dumps(cart)}
