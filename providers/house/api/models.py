"""The keys of web shops, what they reported, and what they reserved. Each row names its program by slug."""

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.house.models import Hold


class Scope(models.TextChoices):
    """What a key allows."""

    MEMBERS_READ = "members:read", _("find members, read their profile")
    MEMBERS_WRITE = "members:write", _("enrol members, change their consents")
    POINTS_READ = "points:read", _("read balance, tier, rewards, vouchers and history")
    POINTS_SPEND = "points:spend", _("reserve, confirm and release rewards, points and vouchers")
    ORDERS_WRITE = "orders:write", _("report orders, returns and cancellations")


def check_scopes(scopes: object) -> None:
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(Scope.values):
        raise ValidationError(_("Choose at least one scope."))


class ApiKey(models.Model):
    """A key of one program. The key itself is shown once and never stored: `prefix` finds the row, `digest`
    is the SHA-256 of the whole key. The key is random, so it needs no slow hash."""

    program = models.SlugField(_("program"))
    name = models.CharField(_("name"), max_length=100, help_text=_("Who uses it, such as Web shop."))
    prefix = models.CharField(_("begins with"), max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(_("scopes"), default=list, validators=[check_scopes])
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"), default=600, validators=[MinValueValidator(1)]
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True, help_text=_("Empty: never."))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    last_used_at = models.DateTimeField(_("last used at"), null=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["program", "name", "pk"]

    def __str__(self) -> str:
        return self.name


class ReportKind(models.TextChoices):
    ORDER = "order", _("order")
    RETURN = "return", _("return")
    CANCELLATION = "cancellation", _("cancellation")


class Report(models.Model):
    """What a web shop reported under an id, and our answer: a repeat gets the same answer, and other content
    under the same id is refused. `digest` is that of the content; no personal data is kept."""

    program = models.SlugField(_("program"))
    kind = models.CharField(_("kind"), max_length=12, choices=ReportKind.choices)
    report_id = models.CharField(_("id"), max_length=100)
    digest = models.CharField(max_length=64)
    answer = models.JSONField(_("answer"), default=dict)
    reported_at = models.DateTimeField(_("reported at"), default=timezone.now, db_index=True)

    class Meta:
        verbose_name = _("report of a web shop")
        verbose_name_plural = _("reports of web shops")
        ordering = ["-reported_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "report_id"], name="house_api_one_report_per_id"
            )
        ]
        indexes = [models.Index(fields=["program", "reported_at", "id"], name="house_api_report_program")]

    def __str__(self) -> str:
        return f"{self.kind} {self.report_id}"


class Reservation(models.Model):
    """What a web cart reserved, by the shop's key. The hold says in which state it is. `closed_at` is set
    when it is confirmed, released or expired: the worker looks at the others only."""

    program = models.SlugField(_("program"))
    key = models.CharField(_("key of the cart"), max_length=64)
    hold = models.OneToOneField(Hold, models.PROTECT, related_name="reservation", verbose_name=_("hold"))
    # The discount as it was agreed: the reward may change before the order.
    discount = models.JSONField(_("discount"), default=dict)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))
    closed_at = models.DateTimeField(_("closed at"), null=True)
    has_expired = models.BooleanField(_("has expired"), default=False)

    class Meta:
        verbose_name = _("reservation of a web cart")
        verbose_name_plural = _("reservations of web carts")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="house_api_one_reservation_per_key"),
            models.CheckConstraint(
                condition=Q(has_expired=False) | Q(closed_at__isnull=False),
                name="house_api_expired_is_closed",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(closed_at=None), name="house_api_open"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="house_api_closed"),
            models.Index(fields=["created_at", "id"], name="house_api_reserved"),
            models.Index(fields=["program", "created_at", "id"], name="house_api_reserved_of"),
        ]

    def __str__(self) -> str:
        return self.key
