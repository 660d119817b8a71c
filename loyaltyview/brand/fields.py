"""What a retailer sets so that the pages look like theirs."""

import re
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from loyaltyview.brand.files import LOGO_NAME, TYPEFACE_NAME, Logo, logo_of

COLOR = "#1f5f4a"
COLOR_FORM = re.compile(r"#[0-9a-fA-F]{6}")
MOST_TIERS = 20
LONGEST_TIER = 60
LONGEST_WELCOME = 140
LARGEST_RADIUS = 24


class Header(models.TextChoices):
    """What the head of each page stands on."""

    PLAIN = "plain", _("The page's own surface")
    ACCENT = "accent", _("The program's colour")


def validate_tier_colors(value: Any) -> None:
    """Refuse anything but an object of tiers and colours."""
    for name, color in _items(value, MOST_TIERS):
        if not 0 < len(name) <= LONGEST_TIER or not name.isprintable():
            raise ValidationError(_("%(name)s cannot be the name of a tier."), params={"name": name[:60]})
        if not isinstance(color, str) or not COLOR_FORM.fullmatch(color):
            raise ValidationError(
                _("The colour of %(name)s must be written such as #b8860b."), params={"name": name}
            )


def validate_welcome(value: Any) -> None:
    """Refuse anything but an object of language codes and short sentences."""
    known = dict(settings.LANGUAGES)
    for language, sentence in _items(value, len(known)):
        if language not in known:
            raise ValidationError(
                _("%(code)s is not a language code such as en or fr."), params={"code": language[:60]}
            )
        if not isinstance(sentence, str) or not 0 < len(sentence.strip()) <= LONGEST_WELCOME:
            raise ValidationError(
                _("The sentence in %(code)s must have 1 to %(most)d characters."),
                params={"code": language, "most": LONGEST_WELCOME},
            )
        if not sentence.isprintable():
            raise ValidationError(_("Must not contain control characters."))


def _items(value: Any, most: int) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise ValidationError(_("Must be an object of names."))
    if len(value) > most:
        raise ValidationError(_("Must not have more than %(most)d entries."), params={"most": most})
    return list(value.items())


class BrandFields(models.Model):
    """The brand of a program. Logos and typeface are names of brand files."""

    color = models.CharField(
        _("colour"), max_length=7, default=COLOR, validators=[RegexValidator(rf"^{COLOR_FORM.pattern}$")]
    )
    header = models.CharField(
        _("header"), max_length=10, choices=Header.choices, default=Header.PLAIN, db_default=Header.PLAIN
    )
    radius = models.PositiveSmallIntegerField(
        _("corner radius"),
        default=12,
        db_default=12,
        validators=[MaxValueValidator(LARGEST_RADIUS)],
        help_text=_("Of cards and buttons, 0 to 24 pixels."),
    )
    logo = models.CharField(
        _("logo"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(rf"^{LOGO_NAME.pattern}$")],
    )
    logo_dark = models.CharField(
        _("logo for dark surfaces"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(rf"^{LOGO_NAME.pattern}$")],
    )
    typeface = models.CharField(
        _("typeface"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        validators=[RegexValidator(rf"^{TYPEFACE_NAME.pattern}$")],
    )
    tier_colors = models.JSONField(
        _("colours of tiers"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_tier_colors],
        help_text=_('The provider\'s names of tiers with a colour each, such as {"Gold": "#b8860b"}.'),
    )
    welcome = models.JSONField(
        _("welcome sentence"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_welcome],
        help_text=_('For the customer, by language, such as {"en": "Welcome to the Acme Club"}.'),
    )

    class Meta:
        abstract = True

    def light_logo(self) -> Logo | None:
        """Return the logo for light surfaces, or the only one there is."""
        return logo_of(self.logo) or logo_of(self.logo_dark)

    def dark_logo(self) -> Logo | None:
        """Return the logo for dark surfaces, or the only one there is."""
        return logo_of(self.logo_dark) or logo_of(self.logo)

    def welcome_in(self, language: str) -> str:
        """Return the welcome sentence in this language ("fr-ca" takes that of "fr"), "" without one."""
        sentence = self.welcome.get(language) or self.welcome.get(language.partition("-")[0]) or ""
        return str(sentence)
