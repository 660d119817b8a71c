"""Filters and tags of the associate's pages: money, points, dates in the page's language; the drawn icons;
the key of a form; parts of a page that are kept."""

import re
import secrets
from datetime import datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template import Context
from django.templatetags.static import static
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from loyaltyview.brand.files import Logo
from loyaltyview.programs.models import Program
from loyaltyview.redemptions.offers import Offer
from loyaltyview.webview import brand_styles, formats, wording
from loyaltyview.webview import first_styles as styles
from loyaltyview.webview.kept import parse_kept
from providers.texts import shown_lines
from providers.types import Birthday, Money

# In a request's META: from what the keys of the forms in its answer are made.
KEYS_OF_ANSWER = "loyaltyview.keys_of_answer"
REFERENCE = re.compile(r"\s*\((NewStore \S+)\)$")

register = template.Library()
register.tag("kept", parse_kept)


@register.filter
def money(value: Money) -> str:
    return formats.money(value)


@register.filter
def money_short(value: Money) -> str:
    return formats.money_short(value)


@register.filter
def number(value: int | Decimal) -> str:
    return formats.number(value)


@register.filter
def signed(value: int) -> str:
    """Show points with their sign: "+120", "-50"."""
    return f"{'+' if value > 0 else ''}{formats.number(value)}"


@register.filter
def plain(value: Decimal | None) -> str:
    """Return "12.50" in every language, for scripts and forms; "" for None."""
    return "" if value is None else format(value, "f")


@register.filter
def points(value: int) -> str:
    return formats.points(value)


@register.filter
def day(value: datetime, program: Program) -> str:
    """Show the day of a time in the program's time zone, UTC where it names none."""
    return formats.day(value, ZoneInfo(program.time_zone or "UTC"))


@register.filter
def month(value: datetime | None, program: Program) -> str:
    """Show the month of a time in the program's time zone, UTC where it names none; "" for none."""
    return formats.month(value, ZoneInfo(program.time_zone or "UTC")) if value else ""


@register.filter
def birthday(value: Birthday | None) -> str:
    return formats.birthday(value) if value else ""


@register.filter
def expiry(value: datetime | None, program: Program) -> str:
    """Show until when a voucher can be used: "Expires on Nov 30"; "" for one that does not expire."""
    return "" if value is None else _("Expires on %(day)s") % {"day": day(value, program)}


@register.filter
def lines(value: str) -> str:
    """Show a vendor's text of several lines without invisible marks and empty lines."""
    return shown_lines(value)


@register.filter
def drawing(offer: Offer) -> str:
    """Return the symbol that stands for an offer without a picture."""
    return wording.drawing(offer)


@register.filter
def state_word(status: str) -> str:
    return wording.state_word(status)


@register.filter
def reference_apart(sentence: str) -> SafeString:
    """Put the reference for NewStore's support, where the sentence ends with one, on a line of its own."""
    found = REFERENCE.search(sentence)
    if not found:
        return conditional_escape(sentence)
    return format_html('{} <bdi class="reference">{}</bdi>', sentence[: found.start()], found[1])


@register.simple_tag
def clock(value: datetime) -> SafeString:
    """Render a time of day; static/js/app.js shows it in the device's own zone."""
    return format_html(
        '<time datetime="{}" data-clock>{}</time>', value.isoformat(timespec="seconds"), formats.clock(value)
    )


@register.simple_tag(takes_context=True)
def new_key(context: Context, form: str) -> str:
    """Return what makes a `form` idempotent: another one on each page. The frame of an answer and the content
    that takes its place have the same: taps on both are one tap."""
    secret = context["request"].META.setdefault(KEYS_OF_ANSWER, secrets.token_urlsafe(16))
    return sha256(f"{secret}|{form}".encode()).hexdigest()[:32]


@register.simple_tag(takes_context=True)
def first_styles(context: Context) -> SafeString:
    """Render the styles that the member page needs for its first paint."""
    return styles.first_styles(context["request"])


@register.simple_tag(takes_context=True)
def late_styles(context: Context) -> SafeString:
    """Render the rest of them, behind the content."""
    return styles.late_styles(context["request"])


@register.simple_tag(takes_context=True)
def colors(context: Context) -> SafeString:
    """Render the colours of the page's program and of the host app."""
    return styles.colors(context["request"], context["program"], context.get("launch"))


@register.simple_tag(takes_context=True)
def logos(context: Context) -> dict[str, Logo | None]:
    """Return the program's logo for a `light` and for a `dark` screen; None where it has none."""
    light, dark = brand_styles.logos(context["program"])
    return {"light": light, "dark": dark}


@register.simple_tag
def curtain_after_s() -> int:
    """Return after how many idle seconds a page hides who the customer is; 0 for never."""
    return int(settings.CURTAIN_AFTER_S)


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """Draw the symbol `name` of static/icons.svg; the words beside it say what it means."""
    return format_html(
        '<svg class="icon" width="20" height="20" aria-hidden="true" focusable="false">'
        '<use href="{}#{}"></use></svg>',
        static("icons.svg"),
        name,
    )
