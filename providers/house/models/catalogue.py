"""Rewards for points, and vouchers that members own."""

import secrets
from decimal import ROUND_DOWN, Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from providers.currencies import decimals_of
from providers.house.models.members import Member, Tier
from providers.house.models.pictures import Picture
from providers.types import Discount, DiscountKind, Money

DISCOUNT_KINDS = [
    (DiscountKind.FIXED.value, _("amount off the cart")),
    (DiscountKind.PERCENT.value, _("percent off the cart")),
    (DiscountKind.PRODUCT.value, _("free product")),
    (DiscountKind.POINTS.value, _("points as money")),
    (DiscountKind.ONLINE_ONLY.value, _("only in the web shop")),
]


def new_voucher_id() -> str:
    return secrets.token_hex(8)


class DiscountFields(models.Model):
    """The discount of a reward or voucher, in the program's currency."""

    kind = models.CharField(_("discount"), max_length=12, choices=DISCOUNT_KINDS)
    amount = models.DecimalField(_("amount off"), max_digits=11, decimal_places=3, null=True, blank=True)
    percent = models.DecimalField(_("percent off"), max_digits=5, decimal_places=2, null=True, blank=True)
    skus = models.JSONField(
        _("products"), default=list, blank=True, help_text=_('Product ids, such as ["TOTE-01"].')
    )
    minimum = models.DecimalField(
        _("smallest cart"),
        max_digits=11,
        decimal_places=3,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                # NULL makes a comparison pass in a CHECK, so required fields are checked for NULL by name.
                condition=(
                    Q(kind__in=["product", "online_only"], amount=None, percent=None)
                    | Q(kind="fixed", amount__isnull=False, amount__gt=0, percent=None)
                    | Q(kind="percent", percent__isnull=False, percent__gt=0, percent__lte=100, amount=None)
                    | Q(kind="points", amount=None, percent=None)
                ),
                name="house_%(class)s_discount_is_complete",
                violation_error_message=_("An amount, or a percentage up to 100, as the discount needs it."),
            ),
        ]

    def clean(self) -> None:
        super().clean()
        is_list = isinstance(self.skus, list) and all(isinstance(sku, str) and sku for sku in self.skus)
        if not is_list or bool(self.skus) != (self.kind == DiscountKind.PRODUCT):
            raise ValidationError({"skus": _("A free product needs its product ids; others have none.")})

    def discount(self, currency: str) -> Discount:
        """Return it in the words of the provider interface."""

        def money(amount: Decimal | None) -> Money | None:
            if amount is None:
                return None
            # The columns have room for a finer unit than that of most currencies.
            unit = Decimal(1).scaleb(-decimals_of(currency))
            return Money(amount=amount.quantize(unit, ROUND_DOWN), currency=currency)

        return Discount(
            kind=DiscountKind(self.kind),
            amount=money(self.amount),
            percent=self.percent,
            skus=tuple(self.skus),
            minimum=money(self.minimum),
        )


class Reward(DiscountFields):
    """A reward for points. Points as money have a range and a value per point instead of a cost."""

    program = models.SlugField(_("program"))
    reward_id = models.SlugField(_("id"))
    title = models.CharField(_("title"), max_length=100)
    description = models.CharField(
        _("description"), max_length=300, blank=True, help_text=_("One sentence, below the title.")
    )
    terms = models.TextField(
        _("terms"),
        max_length=2000,
        blank=True,
        help_text=_("Shown when the associate opens them, with the lines that you write."),
    )
    picture = models.ForeignKey(
        Picture, models.SET_NULL, related_name="rewards", null=True, blank=True, verbose_name=_("picture")
    )
    is_active = models.BooleanField(_("active"), default=True)
    cost = models.PositiveIntegerField(_("cost in points"), null=True, blank=True)
    points_min = models.PositiveIntegerField(_("least points"), null=True, blank=True)
    points_max = models.PositiveIntegerField(_("most points"), null=True, blank=True)
    points_step = models.PositiveIntegerField(_("in steps of"), null=True, blank=True)
    value_per_point = models.DecimalField(
        _("value of one point"), max_digits=10, decimal_places=6, null=True, blank=True
    )
    tier = models.ForeignKey(
        Tier, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("from tier")
    )
    stock = models.PositiveIntegerField(_("stock"), null=True, blank=True, help_text=_("Empty: no limit."))
    limit_per_member = models.PositiveIntegerField(
        _("times per member"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta(DiscountFields.Meta):
        verbose_name = _("reward")
        verbose_name_plural = _("rewards")
        ordering = ["program", "cost", "reward_id"]
        constraints = [
            *DiscountFields.Meta.constraints,
            models.UniqueConstraint(fields=["program", "reward_id"], name="house_one_reward_per_id"),
            models.CheckConstraint(
                condition=Q(
                    ~Q(kind="points"),
                    cost__isnull=False,
                    cost__gt=0,
                    points_min=None,
                    points_max=None,
                    points_step=None,
                    value_per_point=None,
                )
                | Q(
                    Q(points_min__isnull=False, points_max__isnull=False, points_step__isnull=False),
                    kind="points",
                    cost=None,
                    points_min__gt=0,
                    points_max__gte=F("points_min"),
                    points_step__gt=0,
                    value_per_point__isnull=False,
                    value_per_point__gt=0,
                ),
                name="house_reward_has_a_price",
                violation_error_message=_("A cost, or for points as money: least, most, step and value."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def least_points(self) -> int:
        """The points that a member needs at least."""
        return self.cost or self.points_min or 0


class VoucherState(models.TextChoices):
    OPEN = "open", _("open")
    HELD = "held", _("held")
    USED = "used", _("used")


class Voucher(DiscountFields):
    """A voucher that a member owns and can use once, without points."""

    program = models.SlugField(_("program"))
    voucher_id = models.SlugField(_("id"), default=new_voucher_id)
    member = models.ForeignKey(Member, models.PROTECT, related_name="vouchers", verbose_name=_("member"))
    title = models.CharField(_("title"), max_length=100)
    description = models.CharField(
        _("description"), max_length=300, blank=True, help_text=_("One sentence, below the title.")
    )
    terms = models.TextField(
        _("terms"),
        max_length=2000,
        blank=True,
        help_text=_("Shown when the associate opens them, with the lines that you write."),
    )
    code = models.CharField(_("code"), max_length=50, blank=True)
    state = models.CharField(
        _("state"), max_length=5, choices=VoucherState.choices, default=VoucherState.OPEN
    )
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    class Meta(DiscountFields.Meta):
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        ordering = ["program", "expires_at", "voucher_id"]
        constraints = [
            *DiscountFields.Meta.constraints,
            models.UniqueConstraint(fields=["program", "voucher_id"], name="house_one_voucher_per_id"),
            models.UniqueConstraint(
                fields=["program", "code"], condition=~Q(code=""), name="house_one_voucher_per_code"
            ),
            models.CheckConstraint(condition=~Q(kind="points"), name="house_voucher_costs_no_points"),
        ]

    def __str__(self) -> str:
        return self.title
