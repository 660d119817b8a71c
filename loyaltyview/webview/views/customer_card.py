"""The card that the associate turns to the customer: points, tier, what this cart saves, in their language.
Nothing on it is the associate's: no name, no contact, no form, no way into the shift.

It asks the vendor for no more than the member page did: what was painted last, else the reads of that page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel import Locale
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe

from loyaltyview.webview.applied_redemptions import Applied
from loyaltyview.webview.languages import offered_by
from loyaltyview.webview.member_context import LastTap, Page
from loyaltyview.webview.member_data import MemberData
from loyaltyview.webview.models import Launch
from loyaltyview.webview.responses import address_of, go, is_htmx
from loyaltyview.webview.sessions import with_launch
from providers.errors import ProviderError
from providers.types import Money

MOST_OFFERS = 4
SHOWN = ("program", "member", "way", "earn", "as_of", "is_live", "minutes_ago")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A language that the card can be in, by the name that its speakers give it."""

    code: str
    name: str
    is_chosen: bool


@with_launch
@require_safe
def customer_card(request: HttpRequest, launch: Launch) -> HttpResponse:
    """A page of its own, or with htmx a cover over the member page. `in` is the language of the card."""
    data = _read(request, launch) if launch.member_ref else None
    if data is None:
        return go(request, address_of("member", launch))  # which says why
    page, member = data
    offered, wanted = offered_by(launch.program), request.GET.get("in", "").lower()
    language = wanted if wanted in offered else translation.get_language() or offered[0]
    with translation.override(language):
        template = "webview/customer_card.html#content" if is_htmx(request) else "webview/customer_card.html"
        response = render(request, template, _context(page, member, offered, language))
    response["Content-Language"] = language
    return response


def _read(request: HttpRequest, launch: Launch) -> tuple[Page, MemberData] | None:
    page = Page(request, launch, LastTap())
    try:
        data = page.reads.painted() or page.reads.read(patience_s=settings.PAGE_DEADLINE_S, is_last=True)
    except ProviderError:
        return None
    return (page, data) if data else None


def _context(page: Page, data: MemberData, offered: Sequence[str], language: str) -> dict[str, Any]:
    """Return what the card shows, and nothing else of the member page."""
    full = page.member_context(data)
    return {
        **{name: full[name] for name in SHOWN},
        "offers": [card.offer for card in full["deck"].now[:MOST_OFFERS]],
        "welcome": page.launch.program.welcome_in(language),
        "saved": _saved(full["applied"]),
        "languages": [
            Choice(code=code, name=_own_name(code), is_chosen=code == language) for code in offered
        ],
        "card": page.launch.pages["card"],
        "back": page.launch.pages["member"],
        "is_cover": is_htmx(page.request),
    }


def _saved(applied: Sequence[Applied]) -> Money | None:
    """Return what the codes in the cart save; None without one."""
    savings = [each.saving for each in applied if each.status in ("live", "ordered")]
    if not savings:
        return None
    return Money(amount=sum((each.amount for each in savings), Decimal()), currency=savings[0].currency)


def _own_name(code: str) -> str:
    name = Locale.parse(code, sep="-").display_name or code
    return name[:1].upper() + name[1:]
