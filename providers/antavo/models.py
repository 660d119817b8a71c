"""What we keep beside Antavo's own records: Antavo has no idempotency key for claims, coupons and refunds.

A spend and a return are written before they are sent; what was there before them is part of the row, so
that afterwards anybody can tell whether they landed.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SpendState(models.TextChoices):
    SENT = "sent", _("sent, no answer yet")
    DONE = "done", _("done")
    CLOSED = "closed", _("never happened")
    RELEASED = "released", _("given back")


class SpendRecord(models.Model):
    """One spend by our key. CLOSED is final: a spend that has not begun by then never will."""

    program = models.SlugField(_("program"))
    key = models.CharField(_("key"), max_length=64)
    member_ref = models.CharField(_("member"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10)
    item_id = models.CharField(_("reward or coupon"), max_length=200)
    points = models.PositiveIntegerField(_("points"))
    state = models.CharField(_("state"), max_length=10, choices=SpendState.choices)
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)
    # Ids of the events (of the coupons, for an offer) that were there before it was sent.
    seen = models.JSONField(_("seen before"), default=list)
    # When points or a coupon were last sent back, as far as that is not known to be done.
    returning_at = models.DateTimeField(null=True, editable=False)
    provider_ref = models.CharField(_("Antavo's reference"), max_length=200, blank=True)
    coupon = models.CharField(_("coupon"), max_length=200, blank=True)
    amount = models.CharField(_("amount of a gift card"), max_length=20, blank=True)
    # Of reserved points: when its order was confirmed, and the checkout that burns them.
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    transaction_id = models.CharField(_("burned by checkout"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("spend")
        verbose_name_plural = _("spends")
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="antavo_one_spend_per_key"),
        ]
        indexes = [
            models.Index(fields=["program", "coupon"], name="antavo_spend_by_coupon"),
            models.Index(fields=["program", "state", "confirmed_at"], name="antavo_spend_confirmed"),
            models.Index(fields=["program", "transaction_id"], name="antavo_spend_by_checkout"),
        ]

    def __str__(self) -> str:
        return self.key


class RefundState(models.TextChoices):
    NEW = "new", _("new")
    SENT = "sent", _("sent, no answer yet")
    DONE = "done", _("done")


class RefundRecord(models.Model):
    """One return by its id. `refunds_before` are the refunds that the transaction had when it was sent."""

    program = models.SlugField(_("program"))
    return_id = models.CharField(_("return"), max_length=200)
    order_id = models.CharField(_("order"), max_length=200)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4, default=0)
    state = models.CharField(_("state"), max_length=10, choices=RefundState.choices, default=RefundState.NEW)
    refunds_before = models.PositiveIntegerField(_("refunds before"), default=0)
    points_before = models.IntegerField(_("points of these"), default=0)
    points = models.IntegerField(_("points"), null=True)
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        constraints = [
            models.UniqueConstraint(fields=["program", "return_id"], name="antavo_one_refund_per_return"),
        ]
        indexes = [models.Index(fields=["program", "order_id"], name="antavo_refund_by_order")]

    def __str__(self) -> str:
        return self.return_id


class QueuedCheckout(models.Model):
    """A checkout that waits to be sent in bulk, or whose answer is lost. `sent_at` is empty until it is known
    that it was sent."""

    program = models.SlugField(_("program"))
    transaction_id = models.CharField(_("order"), max_length=200)
    member_ref = models.CharField(_("member"), max_length=200)
    data = models.JSONField(_("data"))
    due_at = models.DateTimeField(_("due"), null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("waiting checkout")
        verbose_name_plural = _("waiting checkouts")
        constraints = [
            models.UniqueConstraint(
                fields=["program", "transaction_id"], name="antavo_one_checkout_per_order"
            ),
        ]
        indexes = [models.Index(fields=["program", "due_at"], name="antavo_checkout_due")]

    def __str__(self) -> str:
        return self.transaction_id
