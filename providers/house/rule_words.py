"""The rule of earning in words, for administrators."""

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from providers.house.models import EarnRule, Multiplier, Tier


def multiplier_in_words(multiplier: Multiplier) -> str:
    """Return a sentence such as "2 times the points for shoes, from May 1 to May 31, in boston-1."."""
    if multiplier.factor:
        what = _("%(factor)s times the points") % {"factor": _plain(multiplier.factor)}
    else:
        what = _("No points")
    parts = [
        what,
        _("for %(category)s") % {"category": multiplier.category} if multiplier.category else "",
        _("for members from %(tier)s upwards") % {"tier": multiplier.tier} if multiplier.tier else "",
        _period(multiplier),
        _("in %(stores)s") % {"stores": ", ".join(multiplier.stores)} if multiplier.stores else "",
    ]
    sentence = ", ".join(part for part in parts if part)
    return f"{sentence}." if multiplier.is_active else _("Not active: %(what)s.") % {"what": sentence}


def rule_in_words(rule: EarnRule) -> list[str]:
    """Return the sentences that say what a purchase earns, and when its points expire."""
    sentences = [_("Points for each unit of money: %(points)s.") % {"points": _plain(rule.points_per_unit)}]
    sentences += [multiplier_in_words(each) for each in rule.multipliers.filter(is_active=True)]
    if len(sentences) > 1:
        sentences.append(
            _("Where several fit an item, 0 wins, else the highest; they are not multiplied with each other.")
        )
    for tier in Tier.objects.filter(program=rule.program).exclude(multiplier=1):
        sentences.append(
            _("%(tier)s: the result times %(factor)s.") % {"tier": tier, "factor": _plain(tier.multiplier)}
        )
    return [*sentences, _expiry(rule)]


def _period(multiplier: Multiplier) -> str:
    days = {
        "first": date_format(multiplier.starts_on) if multiplier.starts_on else "",
        "last": date_format(multiplier.ends_on) if multiplier.ends_on else "",
    }
    if days["first"] and days["last"]:
        return _("from %(first)s to %(last)s") % days
    if days["first"]:
        return _("from %(first)s on") % days
    return _("until %(last)s") % days if days["last"] else ""


def _expiry(rule: EarnRule) -> str:
    if months := rule.inactivity_months:
        return ngettext(
            "New points expire %(n)d month after the member's last purchase or redemption.",
            "New points expire %(n)d months after the member's last purchase or redemption.",
            months,
        ) % {"n": months}
    if rule.expires_on:
        return _("New points expire at the end of %(day)s (month-day) of the year after the purchase.") % {
            "day": rule.expires_on
        }
    if months := rule.expiry_months:
        return ngettext(
            "New points expire %(n)d month after the purchase.",
            "New points expire %(n)d months after the purchase.",
            months,
        ) % {"n": months}
    return _("New points do not expire.")


def _plain(number: object) -> str:
    """Return 2.50 as "2.5", and 2.00 as "2"."""
    text = f"{number}"
    return text.rstrip("0").rstrip(".") if "." in text else text
