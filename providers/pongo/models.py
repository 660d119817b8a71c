"""Our rows about Pongo beside the journal: the connection, subscriptions, pass codes."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.sealing import SealedTextField


class AccountState(models.TextChoices):
    NOT_CONNECTED = "not_connected", _("not connected")
    CONNECTED = "connected", _("connected")
    NEEDS_RECONNECT = "needs_reconnect", _("needs reconnect")


class Account(models.Model):
    """A program's connection: at most one merchant. Secrets are sealed. NEEDS_RECONNECT is the last result,
    not a switch: the token is still used."""

    program = models.SlugField(_("program"), unique=True)
    state = models.CharField(
        _("state"), max_length=20, choices=AccountState.choices, default=AccountState.NOT_CONNECTED
    )
    merchant_id = models.CharField(_("merchant id"), max_length=100, blank=True)
    merchant_name = models.CharField(_("merchant"), max_length=200, blank=True)
    # The address that issued the token: it is sent to no other.
    base_url = models.CharField(max_length=200, blank=True, editable=False)
    sealed_token = SealedTextField(blank=True, editable=False)
    sealed_signing_secret = SealedTextField(blank=True, editable=False)
    connected_at = models.DateTimeField(_("connected at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("token expires at"), null=True, blank=True)

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")

    def __str__(self) -> str:
        return f"{self.program}: {self.merchant_name or self.get_state_display()}"


class ConnectAttempt(models.Model):
    """One visit of an administrator to Pongo's form. Deleted when they are back, so `state` works once."""

    nonce = models.CharField(max_length=64, unique=True)
    program = models.SlugField()
    user_id = models.PositiveBigIntegerField()
    started_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.program} {self.started_at:%Y-%m-%d %H:%M}"


class Subscription(models.Model):
    """One event that Pongo sends us."""

    program = models.SlugField(_("program"))
    event = models.CharField(_("event"), max_length=50)
    webhook_id = models.CharField(_("id at Pongo"), max_length=100)

    class Meta:
        verbose_name = _("webhook subscription")
        verbose_name_plural = _("webhook subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["program", "event"], name="pongo_one_subscription_per_event")
        ]

    def __str__(self) -> str:
        return f"{self.program} {self.event}"


class PassCode(models.Model):
    """The customer of a pass code. Webhooks keep it current; it is used where the look-up by id finds
    nothing."""

    program = models.SlugField()
    customer_id = models.CharField(max_length=100)
    sealed_phone = SealedTextField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "customer_id"], name="pongo_one_pass_per_customer")
        ]

    def __str__(self) -> str:
        return self.customer_id
