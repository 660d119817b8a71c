"""What Yotpo cannot tell us again: which redemptions are ours, which refunds we sent, who is brand new.

A member is named by the `ref` (`refs.py`): an id of the shop, or a keyed hash of the e-mail. The
e-mail itself stands, sealed, in `EmailRef` alone.
"""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.sealing import SealedTextField


class SpendState(models.TextChoices):
    """ASKED is committed before the vendor is called. VOID is final: that key spent nothing and will not."""

    ASKED = "asked", _("asked, not answered")
    HELD = "held", _("points wait for the order")
    TAKEN = "taken", _("points taken")
    RELEASED = "released", _("given back")
    VOID = "void", _("nothing spent")


class Spend(models.Model):
    """One redemption at Yotpo. Once `confirmed_at` is set, an order carried the code. Held points go with the
    order that names the code to Yotpo, which is sent at `order_sent_at` or shortly after."""

    program = models.SlugField(_("program"))
    key = models.CharField(max_length=64)
    state = models.CharField(_("state"), max_length=10, choices=SpendState.choices, default=SpendState.ASKED)
    member_ref = models.CharField(_("member"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10)
    option_id = models.CharField(_("redemption option"), max_length=40)
    is_custom = models.BooleanField(_("custom coupon"), default=False)
    is_delayed = models.BooleanField(_("deducted with the order"), default=False)
    points = models.PositiveIntegerField(_("points"))
    code = models.CharField(_("code"), max_length=100, blank=True)
    redemption_id = models.CharField(_("redemption id"), max_length=40, blank=True)
    asked_at = models.DateTimeField(_("asked at"))
    # The codes in the member's history just before Yotpo was asked; null until then. False: not known.
    codes_before = models.JSONField(null=True, blank=True, editable=False)
    # When the points were last sent back to the member, as far as that is not known to be done.
    returning_at = models.DateTimeField(null=True, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("used in an order at"), null=True, blank=True)
    order_sent_at = models.DateTimeField(_("order sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="yotpo_one_spend_per_key"),
            models.CheckConstraint(
                condition=~Q(state__in=["held", "taken"]) | ~Q(code=""), name="yotpo_spent_has_a_code"
            ),
        ]
        indexes = [
            models.Index(
                fields=["program", "member_ref"], condition=Q(state="held"), name="yotpo_held_of_member"
            ),
            models.Index(fields=["program", "code"], name="yotpo_spend_of_code"),
        ]

    def __str__(self) -> str:
        return f"{self.option_id} ({self.get_state_display()})"


class PartRelease(models.Model):
    """A part of a confirmed redemption's points that was given back. Committed before it is sent, so that the
    parts together never exceed the redemption."""

    spend = models.ForeignKey(Spend, models.CASCADE, related_name="parts")
    key = models.CharField(max_length=200)
    points = models.PositiveIntegerField(_("points"))
    # When it was last sent, as far as that is not known to be done.
    returning_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("part given back")
        verbose_name_plural = _("parts given back")
        constraints = [models.UniqueConstraint(fields=["spend", "key"], name="yotpo_one_part_per_key")]

    def __str__(self) -> str:
        return self.key


class SentOrder(models.Model):
    """The one sending of an order. Committed before it is sent (`begun_at`: last); `sent_at` says that Yotpo
    received it, and that it is never sent again: Yotpo does not say what a second order of one id does."""

    program = models.SlugField(_("program"))
    order_id = models.CharField(_("order"), max_length=100)
    begun_at = models.DateTimeField(_("begun at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(fields=["program", "order_id"], name="yotpo_one_sending_per_order")
        ]

    def __str__(self) -> str:
        return self.order_id


class Refund(models.Model):
    """A refund of an order. Committed before it is sent, so that all of an order's refunds together never
    exceed the order; `sent_at` says that Yotpo received it."""

    program = models.SlugField(_("program"))
    order_id = models.CharField(_("order"), max_length=100)
    refund_id = models.CharField(_("refund"), max_length=200)
    amount_cents = models.PositiveBigIntegerField(_("amount in cents"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [
            models.UniqueConstraint(fields=["program", "refund_id"], name="yotpo_one_row_per_refund")
        ]
        indexes = [models.Index(fields=["program", "order_id"], name="yotpo_refunds_of_order")]

    def __str__(self) -> str:
        return self.refund_id


class Enrolment(models.Model):
    """A member we enrolled and whom Yotpo's look-up may not know for a while."""

    program = models.SlugField(_("program"))
    member_ref = models.CharField(_("member"), max_length=200)
    enrolled_at = models.DateTimeField(_("enrolled at"))

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints = [
            models.UniqueConstraint(fields=["program", "member_ref"], name="yotpo_one_row_per_enrolment")
        ]

    def __str__(self) -> str:
        return self.member_ref


class RefKey(models.Model):
    """The key of a program's hashes of e-mails. Made once and never changed: stored refs depend on it."""

    program = models.SlugField(unique=True)
    sealed_key = SealedTextField(editable=False)

    def __str__(self) -> str:
        return self.program


class EmailRef(models.Model):
    """Which e-mail a ref stands for: a member whom the shop knows by no id. `seen_at` is the day it was last
    used."""

    program = models.SlugField()
    ref = models.CharField(max_length=200)
    sealed_email = SealedTextField(editable=False)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "ref"], name="yotpo_one_email_per_ref"),
        ]

    def __str__(self) -> str:
        return self.ref
