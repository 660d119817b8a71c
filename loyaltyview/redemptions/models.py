"""A redemption: one spend in one cart, our money-like record, and the trail of its transitions.

Amounts and discount are a copy of what the associate was shown. There is no personal data: the member is
the vendor's `ref`.
"""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyaltyview.programs.models import Program
from loyaltyview.work.models import WorkRow
from providers.sales import SpendKind


class State(models.TextChoices):
    """The states of a redemption. `states` has their meanings and the transitions between them.

    UNCERTAIN is committed before the vendor is called: a process that dies in the call leaves a row that says
    that the outcome is unknown. RELEASING is committed before the vendor is asked to release, for the same
    reason.
    """

    REQUESTED = "requested", _("requested")
    UNCERTAIN = "uncertain", _("checking with the program")
    SPENT = "spent", _("spent")
    REVEALED = "revealed", _("code shown")
    USED = "used", _("used in an order")
    SETTLED = "settled", _("settled")
    REFUSED = "refused", _("refused")
    RELEASING = "releasing", _("giving back")
    RELEASED = "released", _("given back")
    STUCK = "stuck", _("needs a person")


# In these states no second spend of the same member may start: the points could be spent twice.
OPEN = (State.REQUESTED, State.UNCERTAIN)
# The vendor has the points, and they were not given back.
HOLDING = (State.SPENT, State.REVEALED, State.USED, State.SETTLED)
FINAL = (State.SETTLED, State.REFUSED, State.RELEASED)
# The discount is in the cart, or may prove to be.
IN_CART = (*OPEN, *HOLDING)


class Redemption(WorkRow):
    """One spend of one member in one cart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: several others begin with it, and SQLite would prefer it to the right one.
    program = models.ForeignKey(Program, models.PROTECT, related_name="redemptions", db_index=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.REQUESTED)

    # The request. `fingerprint` is a hash of it, so that a key is not used for two things.
    key = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64)
    launch_id = models.CharField(max_length=64)
    profile_id = models.CharField(max_length=100, blank=True)
    cart = models.JSONField(help_text=_("The cart as it was shown."))
    cart_id = models.CharField(_("cart"), max_length=100)
    member_ref = models.CharField(_("member"), max_length=200)
    kind = models.CharField(_("kind"), max_length=10, choices=[(k.value, k.value) for k in SpendKind])
    item_id = models.CharField(_("reward or voucher"), max_length=200)
    title = models.CharField(_("title"), max_length=200)
    points = models.PositiveIntegerField(_("points"))
    discount = models.JSONField(help_text=_("The discount as it was shown."))
    saving = models.DecimalField(_("saving"), max_digits=13, decimal_places=3, default=Decimal(0))
    currency = models.CharField(max_length=3)
    is_final = models.BooleanField(
        _("cannot be undone"), default=False, help_text=_("The program does not take it back once spent.")
    )

    # The number, from 1, among the codes that the program allows of one reward in one cart: two tills cannot
    # have the same. Empty where it does not count: no limit, given back, refused, older than this column.
    cart_slot = models.PositiveSmallIntegerField(null=True, blank=True)

    # Who and where.
    associate_id = models.CharField(_("associate"), max_length=100, blank=True)
    store_id = models.CharField(_("store"), max_length=100, blank=True)
    device_id = models.CharField(_("device"), max_length=100, blank=True)

    # The outcome.
    code = models.CharField(_("code"), max_length=64, blank=True)
    code_expires_at = models.DateTimeField(_("code valid until"), null=True, blank=True)
    spend_number = models.PositiveSmallIntegerField(
        default=1, help_text=_("Raised when a late order makes us spend again.")
    )
    provider_ref = models.CharField(_("the provider's reference"), max_length=200, blank=True)
    is_held = models.BooleanField(default=False)
    memo = models.JSONField(default=dict, blank=True)
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    is_order_cancelled = models.BooleanField(_("order cancelled"), default=False)
    refusal = models.CharField(_("refused because"), max_length=40, blank=True)
    refusal_text = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField(_("requested at"))

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="one_redemption_per_key"),
            models.UniqueConstraint(
                fields=["program", "member_ref"],
                condition=Q(state__in=[s.value for s in OPEN]),
                name="one_open_spend_per_member",
            ),
            models.UniqueConstraint(
                fields=["program", "cart_id", "member_ref", "kind", "item_id", "cart_slot"],
                condition=Q(cart_slot__isnull=False),
                name="one_code_of_a_reward_per_slot",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["uncertain", "spent", "revealed", "used", "settled"]) | ~Q(code=""),
                name="no_spend_without_a_code",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["used", "settled"]) | ~Q(order_id=""), name="used_names_its_order"
            ),
            models.CheckConstraint(condition=~Q(state="refused") | ~Q(refusal=""), name="refused_says_why"),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="redemption_due"),
            models.Index(fields=["requested_at"], name="redemption_requested"),
            models.Index(fields=["requested_at"], condition=Q(state="stuck"), name="redemption_stuck"),
            models.Index(fields=["program", "cart_id"], name="redemption_cart"),
            models.Index(fields=["program", "order_id"], name="redemption_order"),
            models.Index(fields=["program", "provider_ref"], name="redemption_spend"),
            models.Index(fields=["program", "associate_id", "requested_at"], name="redemption_shift"),
            models.Index(fields=["program", "member_ref", "requested_at"], name="redemption_of_member"),
            models.Index(fields=["program", "requested_at"], name="redemption_program"),
            models.Index(fields=["store_id", "requested_at"], name="redemption_store"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_state_display()})"


class IssuedCode(models.Model):
    """A coupon code that NewStore made for a redemption. A renewed redemption has several. An order may carry
    any of them."""

    # As above: the constraint's index begins with it.
    program = models.ForeignKey(Program, models.PROTECT, related_name="+", db_index=False)
    redemption = models.ForeignKey(Redemption, models.CASCADE, related_name="codes")
    code = models.CharField(_("code"), max_length=64)
    issued_at = models.DateTimeField(_("issued at"))

    class Meta:
        verbose_name = _("issued code")
        verbose_name_plural = _("issued codes")
        constraints = [models.UniqueConstraint(fields=["program", "code"], name="one_redemption_per_code")]

    def __str__(self) -> str:
        return self.code


class Transition(models.Model):
    """One line of the trail. Lines are added, never changed."""

    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="transitions")
    at = models.DateTimeField(_("at"))
    from_state = models.CharField(_("from"), max_length=10, blank=True)
    to_state = models.CharField(_("to"), max_length=10)
    actor = models.CharField(_("who"), max_length=120)
    store_id = models.CharField(_("store"), max_length=100, blank=True)
    device_id = models.CharField(_("device"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.from_state} -> {self.to_state}"
