"""A launch: one opening of the WebView for one cart. It is the associate's session, and it expires.
And what was answered in it about consents: that outlives it."""

import secrets
from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from loyaltyview.ops.encrypted import EncryptedTextField
from loyaltyview.programs.models import Program
from providers.outbound.parallel import Pending


def new_launch_id() -> str:
    """Return 128 random bits; the cookie's secret has another 256."""
    return secrets.token_urlsafe(16)


class Pages(dict[str, str]):
    """The addresses of a launch's pages by their names in `urls`, each built when it is first needed."""

    def __init__(self, launch_id: str) -> None:
        self.launch_id = launch_id

    def __missing__(self, name: str) -> str:
        before, after = _address_around_id(name, get_script_prefix())
        address = self[name] = f"{before}{self.launch_id}{after}"
        return address


@lru_cache(maxsize=100)
def _address_around_id(name: str, _prefix: str) -> tuple[str, str]:
    # Searching all addresses takes long, and they differ in the id alone.
    before, _id, after = reverse(name, kwargs={"launch_id": "LAUNCH-ID"}).partition("LAUNCH-ID")
    return before, after


class Launch(models.Model):
    """What the host app told us, checked, and which member was found since.

    `secret_hash` is the SHA-256 of the cookie: the URL alone opens nothing.
    `host_token` is echoed in the handoff, so it is stored encrypted. `customer_email` is encrypted too.
    """

    id = models.CharField(primary_key=True, max_length=32, default=new_launch_id, editable=False)
    program = models.ForeignKey(Program, models.CASCADE, related_name="launches")
    secret_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField(_("expires at"))

    associate_id = models.CharField(_("associate"), max_length=100, blank=True)
    # Whose cart it is, as NewStore says, where no associate stands behind the launch. It proves nobody: it
    # only keeps apart what the limits count.
    cart_associate_id = models.CharField(_("associate of the cart"), max_length=100, blank=True)
    device_id = models.CharField(_("device"), max_length=100, blank=True)
    store_id = models.CharField(_("store"), max_length=100, blank=True)

    host_token = EncryptedTextField(blank=True)
    # Empty for a launch from a customer's profile; its total is null then, or where the host did not say it.
    cart_id = models.CharField(_("cart"), max_length=100, blank=True)
    cart = models.JSONField(help_text=_("currency, total and items as the host sent them"))
    # Units of each product in NewStore's cart when it was last read; null where it did not say.
    host_units = models.JSONField(null=True, blank=True)
    selected_coupons = models.JSONField(default=list, blank=True)
    customer_email = EncryptedTextField(blank=True)
    # A keyed hash of the e-mail: finds the same customer's last launch without storing whom it was for.
    customer_key = models.CharField(max_length=64, blank=True)
    profile_id = models.CharField(max_length=100, blank=True)
    loyalty_id = models.CharField(max_length=200, blank=True)

    member_ref = models.CharField(_("member"), max_length=200, blank=True)
    is_customer = models.BooleanField(default=False, help_text=_("The member is the cart's own customer."))
    # Found by an earlier launch of the same customer: the vendor has not confirmed them for this one yet.
    is_member_assumed = models.BooleanField(default=False, db_default=False)
    # Only web processes of the former version use it; they may run on during an upgrade.
    last_known = models.JSONField(default=dict, blank=True, editable=False)
    # Colours and insets of the host app that differ from ours (views.theme); {} when it said none.
    theme = models.JSONField(default=dict, blank=True)
    # The app opened an address; what it injects into the page has not been read yet (views.host).
    is_host_awaited = models.BooleanField(default=False)
    # The page was opened from this cart again since: what this launch says of it is old.
    is_replaced = models.BooleanField(default=False)
    # What came of the last tap on several cards at once: the redemptions, and what did not work and why.
    last_tap = models.JSONField(default=dict, blank=True)

    # Of one request, not stored: whether it has read NewStore's cart, and the larger cart from before that.
    is_cart_read = False
    cart_before: dict[str, Any] | None = None

    # Not stored: where the current request comes from (`with_launch`), and the calls it waits for.
    caller = ""
    waits_for = Pending({})

    class Meta:
        verbose_name = _("launch")
        verbose_name_plural = _("launches")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["program", "member_ref", "-created_at"], name="launch_member"),
            models.Index(fields=["program", "customer_key", "-created_at"], name="launch_customer"),
            models.Index(fields=["program", "cart_id", "-created_at"], name="launch_cart"),
            models.Index(fields=["created_at"], name="launch_created"),
            models.Index(
                fields=["program", "loyalty_id", "-created_at"],
                condition=~models.Q(loyalty_id=""),
                name="launch_loyalty_id",
            ),
        ]

    def __str__(self) -> str:
        return self.cart_id or self.pk

    @cached_property
    def pages(self) -> Pages:
        """The addresses of its pages: `launch.pages["find"]`, in templates `launch.pages.find`."""
        return Pages(self.pk)

    @property
    def is_verified(self) -> bool:
        """Whether an associate stands behind this launch. Without one (identity "cart") only the cart's own
        customer may be shown, without name, contact and history (docs/decisions/0008)."""
        return bool(self.associate_id)

    @property
    def has_cart(self) -> bool:
        """Whether there is a cart to judge rewards against and to hand codes to."""
        return bool(self.cart_id and self.host_token) and self.cart["total"] is not None

    @staticmethod
    def lifetime() -> timedelta:
        return timedelta(minutes=settings.LAUNCH_MINUTES)


class MemberSnapshot(models.Model):
    """What a page read of a member, sealed: balance, tier, rewards and vouchers, whose codes are worth money.
    No name and no contact. `change` names the member's last change when the reads began."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    member_ref = models.CharField(_("member"), max_length=200)
    read_at = models.DateTimeField(_("read at"), db_index=True)
    change = models.CharField(max_length=64, blank=True)
    content = EncryptedTextField()

    class Meta:
        verbose_name = _("snapshot of a member")
        verbose_name_plural = _("snapshots of members")
        constraints = [
            models.UniqueConstraint(fields=["program", "member_ref"], name="one_snapshot_of_a_member")
        ]

    def __str__(self) -> str:
        return self.member_ref


class ConsentWay(models.TextChoices):
    ENROLMENT = "enrolment", _("with the enrolment")
    CHANGE = "change", _("changed later")


class ConsentResult(models.TextChoices):
    """ASKED is written before the program is called, so that the line exists if the process dies then."""

    ASKED = "asked", _("sent, no answer seen")
    WAITS = "waits", _("waits for the order")
    TAKEN = "taken", _("taken")
    KEPT = "kept", _("the program kept another answer")
    REFUSED = "refused", _("refused")
    NOT_SENT = "not_sent", _("did not reach the program")
    UNKNOWN = "unknown", _("outcome unknown")


class ConsentChange(models.Model):
    """One line of the trail of consents: who took which answer where, and what the program made of it. Only
    ever added to; the answers that hold are the program's. `before` is empty where it was not known."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("at"), default=timezone.now)
    # Empty as long as an enrolment has not said whom it is about.
    member_ref = models.CharField(_("member"), max_length=200, blank=True)
    consent = models.CharField(
        _("consent"), max_length=10, choices=[("email", _("email")), ("sms", _("SMS"))]
    )
    before = models.CharField(_("from"), max_length=10, blank=True)
    answer = models.CharField(_("to"), max_length=10)
    way = models.CharField(_("how"), max_length=10, choices=ConsentWay.choices)
    result = models.CharField(
        _("result"), max_length=10, choices=ConsentResult.choices, default=ConsentResult.ASKED
    )
    actor = models.CharField(_("who"), max_length=120)
    store_id = models.CharField(_("store"), max_length=100, blank=True)
    device_id = models.CharField(_("device"), max_length=100, blank=True)

    class Meta:
        verbose_name = _("change of a consent")
        verbose_name_plural = _("changes of consents")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["program", "member_ref"], name="consent_change_member"),
            models.Index(fields=["at", "id"], name="consent_change_at"),
            models.Index(fields=["program", "at", "id"], name="consent_change_program"),
            models.Index(fields=["actor"], name="consent_change_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.consent}: {self.before or '?'} -> {self.answer}"


class WaitingNewcomer(models.Model):
    """A customer who asked to be enrolled with the order that they pay, by their profile at NewStore. Deleted
    when they are a member, and after some days without an order."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    profile_id = models.CharField(max_length=100)
    # As `Launch.customer_key`, so that an erasure finds them.
    customer_key = models.CharField(max_length=64, blank=True)
    # Profile and consents as JSON.
    said = EncryptedTextField()
    # The lines of the trail (ConsentChange) that wait for the program's answer.
    consent_lines = models.JSONField(default=list)
    kept_at = models.DateTimeField(_("kept at"), default=timezone.now)

    class Meta:
        verbose_name = _("customer who waits for their order")
        verbose_name_plural = _("customers who wait for their order")
        constraints = [
            models.UniqueConstraint(fields=["program", "profile_id"], name="one_newcomer_per_profile")
        ]

    def __str__(self) -> str:
        return self.profile_id


class PinAttempts(models.Model):
    """How often a PIN was tried in vain for one member, over all launches and processes. The PIN itself is
    nowhere. `last_key` is the name of the last attempt (`pins.name_of`): the same form twice is one."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    member_ref = models.CharField(_("member"), max_length=200)
    count = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_key = models.CharField(max_length=64, blank=True)
    last_at = models.DateTimeField(_("last attempt"), default=timezone.now)

    class Meta:
        verbose_name = _("attempts to type a PIN")
        verbose_name_plural = _("attempts to type a PIN")
        constraints = [models.UniqueConstraint(fields=["program", "member_ref"], name="pins_of_one_member")]

    def __str__(self) -> str:
        return f"{self.member_ref}: {self.count}"
