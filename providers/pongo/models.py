"""What we keep about Pongo: the connection, spends and the rewards they took, orders sent, pass codes."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.sealing import SealedTextField


class AccountState(models.TextChoices):
    NOT_CONNECTED = "not_connected", _("not connected")
    CONNECTED = "connected", _("connected")
    NEEDS_RECONNECT = "needs_reconnect", _("needs reconnect")


class Account(models.Model):
    """A program's connection: at most one merchant. Secrets are sealed. NEEDS_RECONNECT is what we last
    saw, not a switch: the token is tried all the same."""

    program = models.SlugField(_("program"), unique=True)
    state = models.CharField(
        _("state"), max_length=20, choices=AccountState.choices, default=AccountState.NOT_CONNECTED
    )
    merchant_id = models.CharField(_("merchant id"), max_length=100, blank=True)
    merchant_name = models.CharField(_("merchant"), max_length=200, blank=True)
    # Where the token was given out: it is sent nowhere else.
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
    """One walk of an administrator to Pongo's form. Deleted when he is back, so `state` works once."""

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


class SpendingState(models.TextChoices):
    STARTED = "started", _("started")  # the write may be under way
    TAKEN = "taken", _("in a cart")
    CONFIRMED = "confirmed", _("in an order that was not sent yet")
    USED = "used", _("used")
    RELEASED = "released", _("left with the customer")
    VOID = "void", _("never happened")  # and never will: the key is closed


HOLDING = (SpendingState.TAKEN, SpendingState.CONFIRMED, SpendingState.USED)


class Spending(models.Model):
    """One spend, and the won reward (`hash`) that it took: no other spend can take the same.

    `hashes_before` is what the customer owned when we bought; null until just before buying.
    """

    program = models.SlugField(_("program"))
    key = models.CharField(_("key"), max_length=100)
    state = models.CharField(_("state"), max_length=10, choices=SpendingState.choices)
    member_ref = models.CharField(_("customer"), max_length=100)
    kind = models.CharField(_("kind"), max_length=10)
    item_id = models.CharField(_("item"), max_length=100)
    reward_id = models.CharField(_("reward"), max_length=100, blank=True)
    hash = models.CharField(_("hash"), max_length=100, blank=True)
    coupon_code = models.CharField(_("Pongo's coupon code"), max_length=100, blank=True)
    points = models.IntegerField(_("points"))
    saving_minor = models.BigIntegerField(_("saving in cents"), default=0)
    skus = models.JSONField(_("free products"), default=list, blank=True)
    store_slug = models.CharField(_("store"), max_length=100, blank=True)
    hashes_before = models.JSONField(null=True, blank=True, editable=False)
    # When the purchase was sent; null until then.
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed at"), auto_now=True)

    class Meta:
        verbose_name = _("spend")
        verbose_name_plural = _("spends")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="pongo_one_spend_per_key"),
            models.UniqueConstraint(
                fields=["program", "hash"],
                condition=Q(state__in=["started", "taken", "confirmed", "used"]) & ~Q(hash=""),
                name="pongo_one_spend_per_won_reward",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward_id or self.item_id} {self.get_state_display()}"


class OrderState(models.TextChoices):
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    VOIDED = "voided", _("taken back")


class SentOrder(models.Model):
    """An order that Pongo knows, or may know. `points` is what it said at first, null where it did not."""

    program = models.SlugField(_("program"))
    order_id = models.CharField(_("order"), max_length=100)
    store_slug = models.CharField(_("store"), max_length=100)
    state = models.CharField(
        _("state"), max_length=10, choices=OrderState.choices, default=OrderState.SENDING
    )
    points = models.IntegerField(_("points"), null=True)
    sent_at = models.DateTimeField(_("last sent at"), default=timezone.now)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-sent_at"]
        constraints = [models.UniqueConstraint(fields=["program", "order_id"], name="pongo_one_order_per_id")]

    def __str__(self) -> str:
        return self.order_id


class Refund(models.Model):
    """Goods that came back. Pongo takes points back for whole orders only: a part is noted here, and its
    event ends on the worklist."""

    program = models.SlugField(_("program"))
    return_id = models.CharField(_("return"), max_length=200)
    order_id = models.CharField(_("order"), max_length=100)
    net = models.DecimalField(_("amount"), max_digits=14, decimal_places=4)
    is_taken_back = models.BooleanField(_("taken back at Pongo"), default=False)
    noted_at = models.DateTimeField(_("noted at"), default=timezone.now)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-noted_at"]
        constraints = [
            models.UniqueConstraint(fields=["program", "return_id"], name="pongo_one_refund_per_return")
        ]

    def __str__(self) -> str:
        return self.return_id


class PassCode(models.Model):
    """Whose pass a code is: kept current by webhooks, asked where the look-up by id finds nothing."""

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
