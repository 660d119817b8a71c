"""Members, and the tiers that they can reach."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.types import Consent

CONSENTS = [
    (Consent.YES.value, _("yes")),
    (Consent.NO.value, _("no")),
    (Consent.NOT_ASKED.value, _("not asked")),
]
# What a card holds after its member was erased or merged into another card: nothing about a person.
EMPTY_PROFILE: dict[str, Any] = {
    "first_name": "",
    "last_name": "",
    "email": "",
    "phone": "",
    "birth_month": None,
    "birth_day": None,
    "birth_year": None,
    "consent_email": Consent.NOT_ASKED.value,
    "consent_sms": Consent.NOT_ASKED.value,
}


class Tier(models.Model):
    """A level, reached by lifetime points."""

    program = models.SlugField(_("program"))
    name = models.CharField(_("name"), max_length=50)
    threshold = models.PositiveIntegerField(_("from lifetime points"))
    multiplier = models.DecimalField(
        _("earn multiplier"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(1),
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("1.5: members of this tier earn half as many points again."),
    )
    benefits = models.TextField(
        _("benefits"),
        max_length=1000,
        blank=True,
        help_text=_("What the tier gives, one benefit a line. The page shows it to the associate."),
    )

    class Meta:
        verbose_name = _("tier")
        verbose_name_plural = _("tiers")
        ordering = ["program", "threshold"]
        constraints = [
            models.UniqueConstraint(fields=["program", "name"], name="house_one_tier_per_name"),
            models.UniqueConstraint(fields=["program", "threshold"], name="house_one_tier_per_threshold"),
            models.CheckConstraint(condition=Q(multiplier__gte=0), name="house_tier_never_takes"),
        ]

    def __str__(self) -> str:
        return self.name


def bare_id() -> models.Func:
    """Return the member id without blanks and dashes. Its literals stand in the SQL: SQLite uses an index on
    an expression only for the same text."""
    return models.Func(
        F("member_id"),
        template="REPLACE(REPLACE(%(expressions)s, '-', ''), ' ', '')",
        output_field=models.CharField(),
    )


def look_alike_id() -> models.Func:
    """Return the member id as `bare_id`, with O as 0 and I as 1."""
    bare = "REPLACE(REPLACE(%(expressions)s, '-', ''), ' ', '')"
    return models.Func(
        F("member_id"),
        template=f"REPLACE(REPLACE({bare}, 'O', '0'), 'I', '1')",
        output_field=models.CharField(),
    )


class Member(models.Model):
    """A customer. `member_id` stands on the card and is the `ref` of the provider interface.

    `spendable`, `reserved` and `lifetime_points` are sums over the ledger, kept beside it so that a balance
    is one read: the entries of a member add up to `spendable + reserved`, their `tier_points` to
    `lifetime_points`. Only `ledger` writes them.
    """

    program = models.SlugField(_("program"))
    member_id = models.CharField(_("member id"), max_length=70)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    email = models.EmailField(_("e-mail"), blank=True, help_text=_("In lower case."))
    phone = models.CharField(
        _("phone"),
        max_length=16,
        blank=True,
        validators=[RegexValidator(r"^\+[1-9][0-9]{6,14}$")],
        help_text=_("In international form, such as +16175550100."),
    )
    consent_email = models.CharField(
        _("may be written e-mails"), max_length=10, choices=CONSENTS, default=Consent.NOT_ASKED.value
    )
    consent_sms = models.CharField(
        _("may be written messages"), max_length=10, choices=CONSENTS, default=Consent.NOT_ASKED.value
    )
    birth_month = models.PositiveSmallIntegerField(
        _("month of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    birth_day = models.PositiveSmallIntegerField(
        _("day of birth"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(31)]
    )
    birth_year = models.PositiveSmallIntegerField(
        _("year of birth"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1900), MaxValueValidator(2100)],
        help_text=_("May stay empty."),
    )
    referral_code = models.CharField(_("referral code"), max_length=12, blank=True, editable=False)
    # This card was merged: its number stands for the other member from then on.
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        related_name="merged",
        null=True,
        blank=True,
        editable=False,
        verbose_name=_("merged into"),
    )
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now)
    spendable = models.IntegerField(_("spendable points"), default=0, editable=False)
    reserved = models.IntegerField(_("reserved points"), default=0, editable=False)
    lifetime_points = models.IntegerField(_("lifetime points"), default=0, editable=False)
    # No points of the member expire before this time; NULL: none expire. It may be too early, never too late.
    next_expiry_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["program", "member_id"]
        permissions = [("merge_members", _("Can merge two cards of one person"))]
        constraints = [
            models.UniqueConstraint(fields=["program", "member_id"], name="house_one_member_per_id"),
            models.UniqueConstraint(
                fields=["program", "email"], condition=~Q(email=""), name="house_one_member_per_email"
            ),
            models.UniqueConstraint(
                fields=["program", "phone"], condition=~Q(phone=""), name="house_one_member_per_phone"
            ),
            models.UniqueConstraint(
                fields=["program", "referral_code"],
                condition=~Q(referral_code=""),
                name="house_one_member_per_referral_code",
            ),
            models.CheckConstraint(
                condition=Q(birth_month=None, birth_day=None, birth_year=None)
                | Q(
                    birth_month__isnull=False,
                    birth_month__gte=1,
                    birth_month__lte=12,
                    birth_day__isnull=False,
                    birth_day__gte=1,
                    birth_day__lte=31,
                ),
                name="house_birthday_has_month_and_day",
                violation_error_message=_("A birthday needs its month and its day."),
            ),
            models.CheckConstraint(
                condition=Q(merged_into=None)
                | Q(email="", phone="", spendable=0, reserved=0, lifetime_points=0, birth_month=None),
                name="house_a_merged_card_has_nothing",
            ),
            models.CheckConstraint(condition=Q(email=Lower(F("email"))), name="house_email_in_lower_case"),
            models.CheckConstraint(
                condition=Q(member_id=Upper(F("member_id"))), name="house_member_id_in_upper_case"
            ),
            models.CheckConstraint(condition=Q(spendable__gte=0), name="house_spendable_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="house_reserved_not_negative"),
            models.CheckConstraint(condition=Q(lifetime_points__gte=0), name="house_lifetime_not_negative"),
        ]
        indexes = [
            models.Index(F("program"), bare_id(), name="house_member_bare_id"),
            models.Index(F("program"), look_alike_id(), name="house_member_look_alike_id"),
            # SQLite's statistics take the key's own index for useless: it is empty for nearly all members.
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="house_member_merged"
            ),
            # Finds beginnings of names, on PostgreSQL in any collation.
            models.Index(fields=["last_name"], opclasses=["varchar_pattern_ops"], name="house_member_name"),
            models.Index(
                fields=["program", "birth_month", "birth_day"],
                condition=Q(birth_month__isnull=False),
                name="house_member_birthday",
            ),
            models.Index(
                fields=["program", "next_expiry_at"],
                condition=Q(next_expiry_at__isnull=False),
                name="house_member_expiry",
            ),
        ]

    def __str__(self) -> str:
        return self.member_id

    def clean(self) -> None:
        super().clean()
        if self.birth_month and self.birth_day and not is_day(self.birth_month, self.birth_day):
            raise ValidationError({"birth_day": _("There is no such day.")})


def is_day(month: int, day: int, year: int = 2000) -> bool:
    """Return whether there is such a day. Without a year, 29 February is one."""
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def members_with(program: str, field: str, value: str) -> "models.QuerySet[Member]":
    """Return the members whose `field` is `value`, which is not empty. SQLite uses an index without the empty
    values only where the query leaves them out, too: else it reads all members."""
    return Member.objects.filter(program=program, **{field: value}).exclude(**{field: ""})


class Merge(models.Model):
    """Who merged which two cards, when and why, and what both had. Never changed afterwards, except that an
    erasure puts pseudonyms in."""

    program = models.SlugField(_("program"))
    survivor = models.ForeignKey(Member, models.PROTECT, related_name="+", verbose_name=_("survivor"))
    merged = models.OneToOneField(Member, models.PROTECT, related_name="merge", verbose_name=_("merged"))
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("why"), max_length=300)
    numbers = models.JSONField(
        _("moved"), default=dict, help_text=_("Points, vouchers and holds that moved.")
    )

    class Meta:
        verbose_name = _("merge of two cards")
        verbose_name_plural = _("merges of two cards")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["at", "id"], name="house_merge_at"),
            models.Index(fields=["actor"], name="house_merge_actor"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(survivor=F("merged")), name="house_merge_of_two"),
            models.CheckConstraint(condition=~Q(reason=""), name="house_merge_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.merged} > {self.survivor}"
