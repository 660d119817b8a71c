"""The ledger: entries that are never changed, and the holds that come before a spend.

Entries are protected three times: here (`save`, `delete`, every bulk call of the query set), by a trigger in
the database (`triggers`), and by foreign keys that protect their targets.
"""

from typing import Any, NoReturn

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.house.models.members import Member
from providers.sales import SpendKind

# What a hold is for. The house program has no offers that are always on.
HELD = (SpendKind.REWARD, SpendKind.VOUCHER, SpendKind.POINTS)


class LedgerIsFinal(Exception):
    """An attempt to change or delete an entry. A mistake is corrected by another entry."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise LedgerIsFinal

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerIsFinal

    def delete(self) -> NoReturn:
        raise LedgerIsFinal

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise LedgerIsFinal


class EntryKind(models.TextChoices):
    EARN = "earn", _("earned")
    SPEND = "spend", _("spent")
    RELEASE = "release", _("given back")
    RETURN = "return", _("taken back for a return")
    CANCEL = "cancel", _("taken back for a cancelled order")
    ADJUST = "adjust", _("adjusted")
    EXPIRE = "expire", _("expired")
    MERGE = "merge", _("moved by a merge of two cards")


class Entry(models.Model):
    """One line of a member's account.

    `reference` names the cause of the line ("earn:<order id>", "spend:<key>"). It is unique, so a repeated
    call finds its line instead of writing a second one. Lines of 0 points exist for the same reason: they
    show that an order or return has been handled.
    """

    program = models.SlugField(_("program"))
    member = models.ForeignKey(Member, models.PROTECT, related_name="entries", verbose_name=_("member"))
    kind = models.CharField(_("kind"), max_length=10, choices=EntryKind.choices)
    points = models.IntegerField(_("points"), help_text=_("Signed: what it did to the balance."))
    tier_points = models.IntegerField(default=0, help_text=_("Signed: what it did to the lifetime points."))
    shortfall = models.IntegerField(
        _("shortfall"),
        default=0,
        help_text=_(
            "Points that should have been taken back, but were on hold or spent. "
            "Negative: taken when those points came back."
        ),
    )
    reference = models.CharField(_("reference"), max_length=200)
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    # What an order earned on, or what a return took from that: the shares of later returns need both.
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4, null=True, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    # Points of an order under a rule of inactivity: they expire this long after the member's last activity.
    inactivity_months = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    # An order: the factor of each product, where they differ. A return of such an order: the money of each.
    by_product = models.JSONField(null=True, blank=True, editable=False)
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-at", "-id"]
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(fields=["program", "reference"], name="house_one_entry_per_reference"),
            models.CheckConstraint(
                condition=Q(kind__in=["adjust", "merge"])
                | Q(kind__in=["earn", "release"], points__gte=0)
                | Q(kind__in=["spend", "return", "cancel", "expire"], points__lte=0),
                name="house_entry_sign_fits_kind",
            ),
            models.CheckConstraint(
                condition=Q(shortfall=0)
                | Q(kind__in=["return", "cancel"], shortfall__gt=0)
                | Q(kind__in=["return", "cancel"], shortfall__lt=0, shortfall=F("points")),
                name="house_shortfall_is_owed_or_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-at"], name="house_entry_history"),
            models.Index(fields=["program", "order_id"], name="house_entry_order"),
            models.Index(fields=["at", "id"], name="house_entry_at"),
            models.Index(fields=["program", "at", "id"], name="house_entry_program"),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.get_kind_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise LedgerIsFinal
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise LedgerIsFinal


class HoldState(models.TextChoices):
    """HELD -> CAPTURED -> RELEASED, or HELD -> RELEASED. VOID is a tombstone: a spend with that key never
    happened and never will."""

    HELD = "held", _("held")
    CAPTURED = "captured", _("captured")
    RELEASED = "released", _("released")
    VOID = "void", _("void")


class Hold(models.Model):
    """One spend by its key. While HELD, its points are in the member's `reserved`."""

    program = models.SlugField(_("program"))
    key = models.CharField(_("spend key"), max_length=100)
    state = models.CharField(_("state"), max_length=10, choices=HoldState.choices)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="holds", null=True, blank=True, verbose_name=_("member")
    )
    kind = models.CharField(_("kind"), max_length=10, blank=True, choices=[(k.value, k.value) for k in HELD])
    item_id = models.CharField(_("reward or voucher"), max_length=100, blank=True)
    title = models.CharField(_("title"), max_length=200, blank=True)
    points = models.PositiveIntegerField(_("points"), default=0)
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    # The newest ledger entry when the hold was made: a later shortfall is taken from its points first.
    newest_entry = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="house_one_hold_per_key"),
            models.CheckConstraint(
                condition=Q(state="void", member=None, points=0)
                | Q(~Q(state="void"), member__isnull=False, kind__in=[k.value for k in HELD]),
                name="house_only_a_void_hold_is_nobodys",
            ),
        ]
        indexes = [
            models.Index(fields=["member", "item_id"], name="house_hold_limit"),
            models.Index(fields=["program", "order_id"], name="house_hold_order"),
            models.Index(fields=["created_at", "id"], name="house_hold_created"),
            models.Index(fields=["program", "created_at", "id"], name="house_hold_program"),
        ]

    def __str__(self) -> str:
        return f"{self.title or self.key} ({self.get_state_display()})"
