"""Vouchers and points that a program gives by itself: for a birthday, and for a friend who was referred."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.house.models.campaigns import Campaign
from providers.house.models.catalogue import Voucher
from providers.house.models.members import Member

MOST_DAYS = 60


class BirthdayRule(models.Model):
    """Which voucher a member gets for their birthday, and when. Its discount and texts are the campaign's."""

    program = models.SlugField(_("program"), unique=True)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        related_name="+",
        verbose_name=_("voucher"),
        help_text=_("The campaign whose voucher members get. It needs no codes."),
    )
    days_before = models.PositiveSmallIntegerField(
        _("days before"), default=7, validators=[MaxValueValidator(MOST_DAYS)]
    )
    days_after = models.PositiveSmallIntegerField(
        _("days after"),
        default=21,
        validators=[MaxValueValidator(MOST_DAYS)],
        help_text=_("The voucher is valid from the days before the birthday to the days after it."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("birthday reward")
        verbose_name_plural = _("birthday rewards")
        constraints = [
            models.CheckConstraint(
                condition=Q(days_before__lte=MOST_DAYS, days_after__lte=MOST_DAYS),
                name="house_birthday_within_60_days",
            )
        ]

    def __str__(self) -> str:
        return self.program


class BirthdayGift(models.Model):
    """The voucher for one birthday. `year` is the year of the birthday: one gift per member and year."""

    member = models.ForeignKey(Member, models.PROTECT, related_name="birthday_gifts")
    year = models.PositiveSmallIntegerField()
    birthday = models.DateField()
    voucher = models.OneToOneField(Voucher, models.PROTECT, related_name="birthday_gift")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "year"], name="house_one_birthday_gift_a_year")
        ]

    def __str__(self) -> str:
        return str(self.year)


class ReferralRule(models.Model):
    """What a member and the friend whom they refer get at the friend's first order of at least `minimum`."""

    program = models.SlugField(_("program"), unique=True)
    is_active = models.BooleanField(_("active"), default=True)
    minimum = models.DecimalField(
        _("smallest first order"),
        max_digits=11,
        decimal_places=3,
        default=Decimal(0),
        validators=[MinValueValidator(Decimal(0))],
    )
    referrer_points = models.PositiveIntegerField(_("points for the referrer"), default=0)
    referrer_campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("voucher for the referrer"),
        help_text=_("The campaign whose voucher they get. It needs no codes."),
    )
    friend_points = models.PositiveIntegerField(_("points for the friend"), default=0)
    friend_campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("voucher for the friend"),
    )
    per_year = models.PositiveIntegerField(
        _("rewards per referrer and year"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    days_to_enter = models.PositiveSmallIntegerField(
        _("days to enter a code later"),
        default=14,
        help_text=_("After a member has joined, and before their first order. 0: only at enrolment."),
    )

    class Meta:
        verbose_name = _("referral reward")
        verbose_name_plural = _("referral rewards")
        constraints = [
            models.CheckConstraint(condition=Q(minimum__gte=0), name="house_referral_minimum_not_negative")
        ]

    def __str__(self) -> str:
        return self.program


class ReferralState(models.TextChoices):
    """OPEN -> DUE (the order came) -> REWARDED -> REVOKED (the order is back) -> TAKEN_BACK."""

    OPEN = "open", _("waits for the first order")
    DUE = "due", _("to be rewarded")
    REWARDED = "rewarded", _("rewarded")
    REVOKED = "revoked", _("to be taken back")
    TAKEN_BACK = "taken_back", _("taken back")


class Referral(models.Model):
    """A member who joined with another member's code. A friend is referred once."""

    program = models.SlugField(_("program"))
    friend = models.OneToOneField(Member, models.PROTECT, related_name="referral", verbose_name=_("friend"))
    referrer = models.ForeignKey(Member, models.PROTECT, related_name="referrals", verbose_name=_("referrer"))
    state = models.CharField(
        _("state"), max_length=10, choices=ReferralState.choices, default=ReferralState.OPEN
    )
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    entered_at = models.DateTimeField(_("entered at"), default=timezone.now)
    rewarded_at = models.DateTimeField(_("rewarded at"), null=True, blank=True)
    is_above_limit = models.BooleanField(
        _("above the limit"), default=False, help_text=_("The referrer got nothing: too many in this year.")
    )

    class Meta:
        verbose_name = _("referral")
        verbose_name_plural = _("referrals")
        ordering = ["-entered_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(friend=F("referrer")), name="house_referral_of_another"),
            models.CheckConstraint(
                condition=Q(state="open", order_id="") | Q(~Q(state="open"), ~Q(order_id="")),
                name="house_referral_is_due_by_an_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["program"], condition=Q(state__in=["due", "revoked"]), name="house_referral_under_way"
            ),
            models.Index(
                fields=["program", "order_id"], condition=~Q(order_id=""), name="house_referral_order"
            ),
            models.Index(fields=["referrer", "rewarded_at"], name="house_referral_limit"),
            models.Index(fields=["entered_at", "id"], name="house_referral_entered"),
            models.Index(fields=["program", "entered_at", "id"], name="house_referral_program"),
        ]

    def __str__(self) -> str:
        return f"{self.referrer_id} > {self.friend_id}"
