"""What we told the engine, one row each, written before it is sent.

The engine drops no duplicates and its events carry no idempotency key of their own, so these rows are what
makes a repetition harmless: a row that may have been sent is looked for at the vendor before anything else.
"""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ReportKind(models.TextChoices):
    SPEND = "spend", _("spend")
    REFUND = "refund", _("points given back")
    SALE = "sale", _("sale")
    RETURN = "return", _("return")
    CANCEL = "cancel", _("cancelled order")


# The kinds that take back what an order earned.
TAKING = (ReportKind.RETURN, ReportKind.CANCEL)


class ReportState(models.TextChoices):
    NEW = "new", _("not sent")
    SENDING = "sending", _("sent, not confirmed")
    DONE = "done", _("confirmed")
    VOID = "void", _("never happened")


class Report(models.Model):
    """One spend, refund, sale or return. No personal data: the member is the vendor's id."""

    program = models.SlugField()
    kind = models.CharField(_("kind"), max_length=10, choices=ReportKind.choices)
    reference = models.CharField(
        _("reference"), max_length=200, help_text=_("Our key of the spend, or the id of the order or return.")
    )
    order_id = models.CharField(_("order"), max_length=200, blank=True)
    member_ref = models.CharField(_("member"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=ReportState.choices, default=ReportState.NEW)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    # What the engine showed just before the spend was sent; null until then.
    shown_before = models.JSONField(null=True, blank=True, editable=False)
    vendor_ref = models.CharField(
        _("the engine's id"), max_length=200, blank=True, help_text=_("Of the event or the benefit.")
    )
    points = models.IntegerField(_("points"), null=True, blank=True)
    # Of a return or cancelled order: what it could not take and nobody has paid yet, and what refunds paid.
    owed = models.PositiveIntegerField(_("points owed"), default=0)
    paid = models.PositiveIntegerField(_("owed points that refunds paid"), default=0)
    # Of a refund: what it paid for returns instead of giving it back.
    withheld = models.PositiveIntegerField(_("points withheld"), default=0)
    net = models.DecimalField(_("amount"), max_digits=14, decimal_places=3, null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "kind", "reference"], name="whitelabel_told_once"),
            models.UniqueConstraint(
                fields=["program", "vendor_ref"],
                condition=Q(kind="spend", state__in=["sending", "done"]) & ~Q(vendor_ref=""),
                name="whitelabel_one_spend_per_benefit",
            ),
        ]
        indexes = [models.Index(fields=["program", "order_id"], name="whitelabel_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.reference}"
