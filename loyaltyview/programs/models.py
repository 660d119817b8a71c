"""A retailer's loyalty program: one NewStore tenant, one vendor account, its stores and its erasures."""

import secrets

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from loyaltyview.brand.fields import BrandFields
from loyaltyview.ops.encrypted import EncryptedJSONField, EncryptedTextField
from loyaltyview.programs.earn_base import EarnOn
from loyaltyview.programs.provider_settings import restored
from loyaltyview.programs.rules import (
    KINDS_TOGETHER,
    validate_channels,
    validate_coupon_api,
    validate_data_query,
    validate_kinds_together,
    validate_languages,
    validate_launch_keys,
    validate_product_names,
    validate_time_zone,
)
from providers.base import LoyaltyProvider, ProviderConfig
from providers.registry import PROVIDERS, provider_class


def default_languages() -> list[str]:
    return ["en"]


def default_report_channels() -> list[str]:
    return ["store"]


def default_kinds_together() -> list[str]:
    return list(KINDS_TOGETHER)


def new_lookup_key() -> str:
    return secrets.token_urlsafe(32)


def provider_kinds() -> list[tuple[str, str]]:
    """Return the choices; a function, so that a new vendor needs no migration."""
    return [(kind, kind) for kind in PROVIDERS]


class Identity(models.TextChoices):
    """How a launch proves who the associate is (docs/architecture.md 6)."""

    REQUIRED = "required", _("Verified associate required")
    CART = "cart", _("Without an associate, the cart's own customer decides")


class ReturnPolicy(models.TextChoices):
    """What a return gives back of the points or voucher that were spent in its order
    (docs/decisions/0002)."""

    NONE = "none", _("Nothing")
    PRO_RATA = "pro_rata", _("Points in proportion to the goods, a voucher when everything is back")
    FULL = "full", _("Everything, with the first return")


class Program(BrandFields):
    """Everything about one program. Secrets are encrypted at rest and never shown again."""

    slug = models.SlugField(_("slug"), unique=True, help_text=_("Stands in the addresses."))
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)
    currency = models.CharField(_("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    country = models.CharField(
        _("country"),
        max_length=2,
        validators=[RegexValidator(r"^[A-Z]{2}$")],
        help_text=_("Default region of phone numbers, such as FR."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=50,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Of stores that name none, and of dates without a time. Such as Europe/Paris."),
    )
    languages = models.JSONField(
        _("languages"),
        default=default_languages,
        validators=[validate_languages],
        help_text=_("Language codes, the preferred one first, such as fr, en."),
    )
    identity = models.CharField(
        _("identity"), max_length=10, choices=Identity.choices, default=Identity.REQUIRED
    )
    report_channels = models.JSONField(
        _("reported channels"),
        default=default_report_channels,
        blank=True,
        validators=[validate_channels],
        help_text=_("Orders of these channels earn points."),
    )
    earn_on = models.CharField(
        _("points are earned on"),
        max_length=12,
        choices=EarnOn.choices,
        default=EarnOn.PRICE,
        help_text=_(
            "As the shop shows them: what the customer pays where prices contain tax, the price before tax "
            "elsewhere."
        ),
    )
    return_policy = models.CharField(
        _("a return gives back"),
        max_length=10,
        choices=ReturnPolicy.choices,
        default=ReturnPolicy.PRO_RATA,
        help_text=_(
            "Of the points or the voucher that were spent in its order. What the provider cannot give back "
            "waits among the returns for a person."
        ),
    )

    associate_hour_limit = models.PositiveIntegerField(
        _("redemptions per associate and hour"),
        default=0,
        help_text=_(
            "The next redemption is refused at the till. Undone and refused ones do not count. 0: no limit"
        ),
    )
    member_day_limit = models.PositiveIntegerField(
        _("redemptions per member and day"),
        default=0,
        help_text=_("In the last 24 hours. Undone and refused ones do not count. 0: no limit"),
    )

    codes_per_reward = models.PositiveSmallIntegerField(
        _("codes of one reward per cart"),
        default=1,
        help_text=_("How often the same reward may be applied in one cart. 0: no limit"),
    )
    codes_per_cart = models.PositiveSmallIntegerField(
        _("codes per cart"),
        default=0,
        help_text=_("How many rewards, vouchers and other codes a member may use in one cart. 0: no limit"),
    )
    kinds_together = models.JSONField(
        _("used together in one cart"),
        default=default_kinds_together,
        blank=True,
        validators=[validate_kinds_together],
        help_text=_("What is not chosen here is refused beside the other in one cart."),
    )

    product_names = models.JSONField(
        _("names of products"),
        default=dict,
        db_default={},
        blank=True,
        validators=[validate_product_names],
        help_text=_('Shown in place of a product id, such as {"TOTE-01": "Canvas tote"}.'),
    )

    newstore_tenant = models.CharField(_("NewStore tenant"), max_length=100)
    newstore_api_url = models.URLField(_("NewStore API address"))
    newstore_identity_url = models.URLField(_("NewStore identity address"))
    newstore_client_id = models.CharField(_("NewStore client id"), max_length=200)
    newstore_client_secret = EncryptedTextField(_("NewStore client secret"), blank=True)
    newstore_event_key = EncryptedTextField(_("NewStore event key"), blank=True)
    newstore_event_key_previous = EncryptedTextField(
        _("former NewStore event key"), blank=True, help_text=_("Still accepted while keys are changed.")
    )
    newstore_audience = models.CharField(_("NewStore token audience"), max_length=200, blank=True)
    loyalty_attribute = models.CharField(_("loyalty attribute"), max_length=100, default="loyalty_id")
    newstore_reward_attribute = models.CharField(
        _("reward attribute"),
        max_length=100,
        blank=True,
        help_text=_("Extended attribute of orders and items that names the codes of redeemed rewards."),
    )
    newstore_launch_keys = models.JSONField(
        _("names in the launch"),
        default=dict,
        blank=True,
        validators=[validate_launch_keys],
        help_text=_('What the app calls our values, such as {"cart_total": "total"}.'),
    )
    newstore_check_carts = models.BooleanField(
        _("check carts"), default=True, help_text=_("Ask NewStore whose cart a launch is for.")
    )
    newstore_lookup_associates = models.BooleanField(
        _("look associates up"), default=False, help_text=_("Needs the scope iam:users:read.")
    )
    newstore_disable_codes = models.BooleanField(
        _("disable codes"),
        default=False,
        help_text=_("Switch a code off after its use or release; needs the coupon list."),
    )
    newstore_coupon_api = models.JSONField(
        _("coupon list"),
        default=dict,
        blank=True,
        validators=[validate_coupon_api],
        help_text=_("Paths and field names of the coupon list where they are not the usual ones."),
    )
    newstore_find_missed_events = models.BooleanField(
        _("find missed events"),
        default=False,
        help_text=_("Search NewStore for orders and returns of which no event came, and handle them."),
    )
    newstore_data_query = models.JSONField(
        _("GraphQL"),
        default=dict,
        blank=True,
        validators=[validate_data_query],
        help_text=_("Path and field names of the GraphQL API where they are not the usual ones."),
    )
    newstore_rate_per_s = models.PositiveIntegerField(
        _("NewStore calls per second"), default=50, help_text=_("Of each process. 0: no limit.")
    )

    provider_kind = models.CharField(_("provider"), max_length=20, choices=provider_kinds, default="house")
    provider_settings = EncryptedJSONField(_("provider settings"), default=dict, blank=True)
    provider_webhook_secret = EncryptedTextField(_("provider webhook secret"), blank=True)
    # The key of stored hashes, such as `Launch.customer_key`. Never changed: CREDENTIAL_KEYS only encrypt it.
    lookup_key = EncryptedTextField(default=new_lookup_key, editable=False)

    class Meta:
        verbose_name = _("program")
        verbose_name_plural = _("programs")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def provider(self) -> LoyaltyProvider:
        """Return the vendor's adapter for this program."""
        return provider_class(self.provider_kind)(
            ProviderConfig(
                program=self.slug,
                currency=self.currency,
                country=self.country,
                settings=restored(self.provider_kind, self.provider_settings),
                webhook_secret=self.provider_webhook_secret,
                time_zone=self.time_zone,
            )
        )


class Store(models.Model):
    """One shop: NewStore's id for it and the vendor's."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="stores")
    store_id = models.CharField(_("NewStore store id"), max_length=100)
    name = models.CharField(_("name"), max_length=100)
    provider_store = models.CharField(_("the provider's store id"), max_length=100, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=50,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Such as Europe/Paris. Empty: the program's."),
    )

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["store_id"]
        constraints = [
            models.UniqueConstraint(fields=["program", "store_id"], name="one_store_per_newstore_id")
        ]

    def __str__(self) -> str:
        return self.name


class Erasure(models.Model):
    """A record that a member was erased, when, and by which user. Nothing leads from the pseudonym back to
    the member. Rows are only added."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="erasures")
    at = models.DateTimeField(_("at"), default=timezone.now)
    actor = models.CharField(_("who"), max_length=120)
    pseudonym = models.CharField(_("pseudonym"), max_length=40, unique=True)
    counts = models.JSONField(_("rows"), default=dict)

    class Meta:
        verbose_name = _("erasure")
        verbose_name_plural = _("erasures")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["at"], name="erasure_at")]

    def __str__(self) -> str:
        return self.pseudonym


class TroubleKind(models.TextChoices):
    """Kinds of requests that failed. A refused redemption has its own row and is not counted here."""

    PAGE = "page", _("page not served")
    LAUNCH = "launch", _("launch refused")
    TAP = "tap", _("tap refused")
    NEWSTORE = "newstore", _("NewStore not usable")


class Trouble(models.Model):
    """How often something of one kind happened for one reason in a quarter of an hour. No personal data."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+", verbose_name=_("program"))
    kind = models.CharField(_("kind"), max_length=10, choices=TroubleKind.choices)
    code = models.CharField(_("reason"), max_length=40)
    slot = models.DateTimeField(_("quarter of an hour from"))
    count = models.PositiveIntegerField(_("count"))
    first_at = models.DateTimeField(_("first at"))
    last_at = models.DateTimeField(_("last at"))

    class Meta:
        verbose_name = _("trouble")
        verbose_name_plural = _("troubles")
        ordering = ["-slot"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "code", "slot"], name="one_trouble_per_reason_and_slot"
            )
        ]
        indexes = [
            models.Index(fields=["slot"], name="trouble_slot"),
            models.Index(fields=["program", "slot"], name="trouble_program"),
        ]

    def __str__(self) -> str:
        return self.code
