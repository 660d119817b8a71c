"""The rule of earning of a program, the multipliers on it, and the product categories that they name."""

import re
from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.house.models.members import Tier

ANY = "*"  # at the end of a product id: every id that begins like this
DAY_OF_YEAR = re.compile(r"[0-9]{2}-[0-9]{2}")
COMMON_YEAR = 2025  # without a 29 February
MOST_MONTHS = 1200


def is_list_of_texts(value: object) -> bool:
    """Return whether `value` is a list of texts that are not empty."""
    return isinstance(value, list) and all(isinstance(text, str) and text.strip() for text in value)


def validate_day_of_year(text: str) -> None:
    """Refuse what is not a day of every year, such as 03-31."""
    if DAY_OF_YEAR.fullmatch(text):
        try:
            date.fromisoformat(f"{COMMON_YEAR}-{text}")
        except ValueError:
            pass
        else:
            return
    raise ValidationError(_("Write month and day of every year, such as 03-31 for 31 March."))


class EarnRule(models.Model):
    """How a program earns: points per unit of its currency, rounded down once per order; and when points
    expire. A change of the expiry holds for points that are earned after it."""

    program = models.SlugField(_("program"), unique=True)
    points_per_unit = models.DecimalField(
        _("points per unit of money"),
        max_digits=9,
        decimal_places=4,
        validators=[MinValueValidator(Decimal(0))],
    )
    expiry_months = models.PositiveSmallIntegerField(
        _("months after the purchase"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_MONTHS)],
        help_text=_("Such as 24: points of a purchase expire two years after it."),
    )
    inactivity_months = models.PositiveSmallIntegerField(
        _("months without activity"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_MONTHS)],
        help_text=_(
            "Such as 12: points of purchases expire when the member neither buys nor redeems for a year. "
            "Points that you give by hand count as activity."
        ),
    )
    expires_on = models.CharField(
        _("day of the next year"),
        max_length=5,
        blank=True,
        validators=[validate_day_of_year],
        help_text=_(
            "Month and day, such as 03-31: points of a year expire at the end of 31 March of the next year."
        ),
    )

    class Meta:
        verbose_name = _("earning rule")
        verbose_name_plural = _("earning rules")
        constraints = [
            models.CheckConstraint(condition=Q(points_per_unit__gte=0), name="house_earning_never_takes"),
            models.CheckConstraint(
                condition=Q(inactivity_months=None, expires_on="")
                | Q(expiry_months=None, expires_on="")
                | Q(expiry_months=None, inactivity_months=None),
                name="house_points_expire_in_one_way",
                violation_error_message=_("Points expire in one way: fill only one of the three fields."),
            ),
        ]

    def __str__(self) -> str:
        return self.program


class Category(models.Model):
    """Products that multipliers name together. NewStore's items carry product ids only, so the program keeps
    its own list."""

    program = models.SlugField(_("program"))
    name = models.CharField(_("name"), max_length=50)
    products = models.JSONField(
        _("products"),
        default=list,
        help_text=_('Product ids, such as ["TOTE-01", "SHOE-*"]. A star at the end stands for any ending.'),
    )

    class Meta:
        verbose_name = _("product category")
        verbose_name_plural = _("product categories")
        ordering = ["program", "name"]
        constraints = [
            models.UniqueConstraint(fields=["program", "name"], name="house_one_category_per_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not is_list_of_texts(self.products) or not self.products:
            raise ValidationError({"products": _("Name at least one product id, in a list.")})
        if wrong := next((each for each in self.products if not _is_pattern(each)), None):
            text = _("%(text)s: a star may only stand at the end, after at least one character.")
            raise ValidationError({"products": text % {"text": wrong}})


def _is_pattern(text: str) -> bool:
    return ANY not in text or (text.index(ANY) == len(text) - 1 and len(text) > 1)


class Multiplier(models.Model):
    """A factor on the points of some purchases: in a period, for a category, for a tier, in some stores.

    docs/decisions/0047-the-highest-multiplier-of-a-line.md says how several combine. Both days are inclusive
    and count in the program's time zone.
    """

    rule = models.ForeignKey(
        EarnRule, models.CASCADE, related_name="multipliers", verbose_name=_("earning rule")
    )
    name = models.CharField(_("name"), max_length=50, help_text=_("Such as Double points in May."))
    factor = models.DecimalField(
        _("factor"),
        max_digits=5,
        decimal_places=2,
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text=_("2 doubles the points. 0: such purchases earn nothing, whatever else applies."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    starts_on = models.DateField(_("first day"), null=True, blank=True)
    ends_on = models.DateField(_("last day"), null=True, blank=True)
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        related_name="multipliers",
        null=True,
        blank=True,
        verbose_name=_("category"),
        help_text=_("Empty: all products."),
    )
    tier = models.ForeignKey(
        Tier,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("tier"),
        help_text=_("For members from this tier upwards. Empty: for all."),
    )
    stores = models.JSONField(
        _("stores"),
        default=list,
        blank=True,
        help_text=_(
            'What the program\'s stores have as "Provider store", such as ["boston-1"]. Empty: all stores.'
        ),
    )

    class Meta:
        verbose_name = _("multiplier")
        verbose_name_plural = _("multipliers")
        ordering = ["rule", "starts_on", "name"]
        constraints = [
            models.UniqueConstraint(fields=["rule", "name"], name="house_one_multiplier_per_name"),
            models.CheckConstraint(
                condition=Q(factor__gte=0, factor__lte=100), name="house_multiplier_has_a_factor"
            ),
            models.CheckConstraint(
                condition=Q(starts_on=None) | Q(ends_on=None) | Q(starts_on__lte=F("ends_on")),
                name="house_multiplier_starts_before_it_ends",
                violation_error_message=_("The last day is before the first one."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not isinstance(self.stores, list) or (self.stores and not is_list_of_texts(self.stores)):
            raise ValidationError({"stores": _('Write a list of store ids, such as ["boston-1"].')})
        for name in ("category", "tier"):
            chosen = getattr(self, name)
            if chosen and self.rule_id and chosen.program != self.rule.program:
                raise ValidationError({name: _("It belongs to another program.")})
        if not (self.starts_on or self.ends_on or self.category_id or self.tier_id or self.stores):
            text = _(
                "It would count for every purchase: change the points per unit of the earning rule instead."
            )
            raise ValidationError(text)
        if self.is_active and self.rule_id and (other := self._rival()):
            text = _(
                "“%(name)s” counts for the same purchases on some of these days, so one of the two would "
                "never count. Change the days, the category, the tier or the stores of one."
            )
            raise ValidationError(text % {"name": other.name})

    def _rival(self) -> "Multiplier | None":
        """Return another active multiplier of the same category and tier that shares a store and a day."""
        others = Multiplier.objects.filter(
            rule=self.rule, is_active=True, category=self.category, tier=self.tier
        ).exclude(pk=self.pk)
        if self.starts_on:
            others = others.filter(Q(ends_on=None) | Q(ends_on__gte=self.starts_on))
        if self.ends_on:
            others = others.filter(Q(starts_on=None) | Q(starts_on__lte=self.ends_on))
        return next((each for each in others if self._shares_a_store(each)), None)

    def _shares_a_store(self, other: "Multiplier") -> bool:
        return not self.stores or not other.stores or not set(self.stores).isdisjoint(other.stores)
