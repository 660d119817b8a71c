"""Members, and the tiers that they can reach."""

from decimal import Decimal

from django.core.validators import MinValueValidator, RegexValidator
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
    joined_at = models.DateTimeField(_("joined at"), default=timezone.now)
    spendable = models.IntegerField(_("spendable points"), default=0, editable=False)
    reserved = models.IntegerField(_("reserved points"), default=0, editable=False)
    lifetime_points = models.IntegerField(_("lifetime points"), default=0, editable=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["program", "member_id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "member_id"], name="house_one_member_per_id"),
            models.UniqueConstraint(
                fields=["program", "email"], condition=~Q(email=""), name="house_one_member_per_email"
            ),
            models.UniqueConstraint(
                fields=["program", "phone"], condition=~Q(phone=""), name="house_one_member_per_phone"
            ),
            models.CheckConstraint(condition=Q(email=Lower(F("email"))), name="house_email_in_lower_case"),
            models.CheckConstraint(
                condition=Q(member_id=Upper(F("member_id"))), name="house_member_id_in_upper_case"
            ),
            models.CheckConstraint(condition=Q(spendable__gte=0), name="house_spendable_not_negative"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="house_reserved_not_negative"),
            models.CheckConstraint(condition=Q(lifetime_points__gte=0), name="house_lifetime_not_negative"),
        ]
        indexes = [models.Index(F("program"), bare_id(), name="house_member_bare_id")]

    def __str__(self) -> str:
        return self.member_id
