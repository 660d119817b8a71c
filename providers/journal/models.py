"""The journal's one table: what we asked a vendor to change, and what became of it."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WriteKind(models.TextChoices):
    SPEND = "spend", _("spend")
    RELEASE = "release", _("spend given back")
    PART = "part", _("part of a spend given back")
    SALE = "sale", _("sale")
    RETURN = "return", _("return")
    CANCEL = "cancel", _("cancelled order")


class WriteState(models.TextChoices):
    PLANNED = "planned", _("not sent")
    SENT = "sent", _("sent, outcome not known")
    DONE = "done", _("done")
    UNDONE = "undone", _("done and taken back")
    VOID = "void", _("never happened")


OPEN = (WriteState.PLANNED, WriteState.SENT, WriteState.DONE)


class CouponOfVendor(models.Func):
    """The code of a coupon that the vendor made, NULL without one. Its literals stand in the SQL, as in the
    index."""

    template = "JSON_EXTRACT(%(expressions)s, '$.coupon')"
    arity = 1

    def __init__(self, expression: str = "detail", **extra: Any) -> None:
        super().__init__(expression, output_field=models.TextField(), **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="(%(expressions)s ->> 'coupon')", **extra)


class Write(models.Model):
    """One write to a vendor, named by our `key` within vendor, program and kind.

    Who the member is stands only in `member_ref`, as the vendor's reference. `detail` is what one vendor
    needs besides; it holds no personal data.
    """

    vendor = models.CharField(_("loyalty system"), max_length=20)
    program = models.SlugField(_("program"))
    kind = models.CharField(_("kind"), max_length=10, choices=WriteKind.choices)
    key = models.CharField(
        _("key"), max_length=255, help_text=_("Our key of the spend, or the id of the order or return.")
    )
    state = models.CharField(
        _("state"), max_length=10, choices=WriteState.choices, default=WriteState.PLANNED
    )
    # A release and a part belong to their spend and are deleted with it.
    parent = models.ForeignKey("self", models.CASCADE, related_name="children", null=True, blank=True)
    member_ref = models.CharField(_("member"), max_length=200, blank=True)
    item_kind = models.CharField(_("what"), max_length=10, blank=True, help_text=_("Of a spend: its kind."))
    item_id = models.CharField(_("item"), max_length=200, blank=True)
    points = models.IntegerField(_("points"), null=True, blank=True)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=4, null=True, blank=True)
    store = models.CharField(_("store"), max_length=200, blank=True)
    # Of a spend: the order that carried its code. Of a return or cancelled order: that order.
    order_id = models.CharField(_("order"), max_length=200, blank=True)
    vendor_ref = models.CharField(_("vendor's reference"), max_length=200, blank=True)
    # What of the vendor's no other open write of the program may have: the reward that was won, for example,
    # or the one hold of a member.
    exclusive_key = models.CharField(max_length=450, blank=True, editable=False)
    # What the vendor showed just before the write was sent; null until then.
    shown_before = models.JSONField(null=True, blank=True, editable=False)
    detail = models.JSONField(default=dict, blank=True, editable=False)
    # Points that are reserved, or a reward that is in a cart, until an order finishes the spend.
    waits_for_order = models.BooleanField(_("waits for its order"), default=False)
    noted_at = models.DateTimeField(_("noted"), default=timezone.now)
    sent_at = models.DateTimeField(_("last sent"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("order confirmed"), null=True, blank=True)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    # Of a write that is sent later, with others: when, and how often that was tried in vain.
    due_at = models.DateTimeField(_("due"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("write")
        verbose_name_plural = _("writes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "program", "kind", "key"], name="journal_one_write_per_key"
            ),
            models.UniqueConstraint(
                fields=["vendor", "program", "exclusive_key"],
                condition=~Q(exclusive_key="") & Q(state__in=OPEN),
                name="journal_one_write_per_exclusive_key",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False), name="journal_sent_has_a_time"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["release", "part"], parent__isnull=False)
                | (~Q(kind__in=["release", "part"]) & Q(parent__isnull=True)),
                name="journal_only_given_back_has_a_spend",
            ),
        ]
        indexes = [
            models.Index(
                fields=["vendor", "program", "member_ref", "noted_at", "id"], name="journal_newest_of_member"
            ),
            models.Index(fields=["vendor", "program", "order_id"], name="journal_of_order"),
            models.Index(fields=["vendor", "program", "vendor_ref"], name="journal_of_vendor_ref"),
            models.Index(fields=["changed_at"], name="journal_changed"),
            models.Index(fields=["sent_at"], condition=Q(state="sent"), name="journal_outcome_unknown"),
            models.Index(
                fields=["vendor", "program", "confirmed_at"],
                condition=Q(waits_for_order=True),
                name="journal_waits_for_order",
            ),
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="journal_due"),
            models.Index(fields=["noted_at", "id"], name="journal_noted"),
            models.Index(fields=["program", "noted_at", "id"], name="journal_of_program"),
            models.Index(CouponOfVendor(), name="journal_coupon"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key} ({self.get_state_display()})"


class BatchState(models.TextChoices):
    COLLECTED = "collected", _("to be delivered")
    ARRIVING = "arriving", _("arrived, not in its place")
    DELIVERED = "delivered", _("delivered, outcomes not known")
    CLOSED = "closed", _("all outcomes known")


class Batch(models.Model):
    """A file with writes, for a vendor to import. Its lines and content are fixed when it is collected."""

    vendor = models.CharField(_("loyalty system"), max_length=20)
    program = models.SlugField(_("program"))
    day = models.DateField(_("day"))
    number = models.PositiveIntegerField(_("number"), help_text=_("Of the day's files."))
    name = models.CharField(_("file"), max_length=200)
    state = models.CharField(
        _("state"), max_length=10, choices=BatchState.choices, default=BatchState.COLLECTED
    )
    # Holds what was sold to whom. Empty once the file is delivered.
    content = models.TextField(blank=True, editable=False)
    sha256 = models.CharField("SHA-256", max_length=64)
    collected_at = models.DateTimeField(_("collected"), default=timezone.now)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    due_at = models.DateTimeField(_("due"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("file of writes")
        verbose_name_plural = _("files of writes")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["vendor", "program", "day", "number"], name="journal_one_batch_per_number"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["collected", "arriving"]) | Q(delivered_at__isnull=False),
                name="journal_delivered_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["name"], name="journal_batch_name"),
            models.Index(fields=["sha256"], name="journal_batch_sha256"),
        ]

    def __str__(self) -> str:
        return self.name


class BatchLine(models.Model):
    """One write in a file. A write is in one file at most, unless that file's line was refused."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="lines")
    write = models.ForeignKey(Write, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField(_("line"))
    refusal = models.CharField(_("refused because"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("line of a file")
        verbose_name_plural = _("lines of files")
        ordering = ["-batch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="journal_one_line_per_position"),
            models.UniqueConstraint(
                fields=["write"], condition=Q(refusal=""), name="journal_write_in_one_batch"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=~Q(refusal=""), name="journal_line_refused")]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.position}"
