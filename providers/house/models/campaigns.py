"""Voucher campaigns: what their vouchers are worth, and their codes, which come in batches."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.house.models.catalogue import DiscountFields, Voucher
from providers.house.models.members import Member, Tier
from providers.texts import id_key

MOST_CODES = 100_000
LONGEST_CODE = 50


class Campaign(DiscountFields):
    """What a voucher of the campaign is worth, and when. A member's voucher is a copy of this from the moment
    in which the member gets it: a later change of the campaign takes nothing from it."""

    program = models.SlugField(_("program"))
    campaign_id = models.SlugField(_("id"))
    title = models.CharField(_("title"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    terms = models.TextField(_("terms"), max_length=2000, blank=True)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("No codes are given or taken while it is not active.")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    valid_days = models.PositiveSmallIntegerField(
        _("a voucher is valid for days"),
        null=True,
        blank=True,
        help_text=_("From the day on which a member gets it. Empty: until the campaign ends."),
    )
    per_member = models.PositiveSmallIntegerField(
        _("codes per member"), null=True, blank=True, default=1, help_text=_("Empty: no limit.")
    )

    class Meta(DiscountFields.Meta):
        verbose_name = _("voucher campaign")
        verbose_name_plural = _("voucher campaigns")
        ordering = ["program", "campaign_id"]
        constraints = [
            *DiscountFields.Meta.constraints,
            models.UniqueConstraint(fields=["program", "campaign_id"], name="house_one_campaign_per_id"),
            models.CheckConstraint(condition=~Q(kind="points"), name="house_campaign_costs_no_points"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(ends_at=None) | Q(starts_at__lt=F("ends_at")),
                name="house_campaign_starts_before_it_ends",
                violation_error_message=_("It must end after it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class BatchState(models.TextChoices):
    MAKING = "making", _("being made")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")


class CodeBatch(models.Model):
    """Codes that were made or imported together. The worker stores them in chunks; none is valid before all
    of them are there."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="batches", verbose_name=_("campaign"))
    state = models.CharField(_("state"), max_length=6, choices=BatchState.choices, default=BatchState.MAKING)
    pattern = models.CharField(_("pattern"), max_length=LONGEST_CODE, blank=True)
    wanted = models.PositiveIntegerField(_("codes"))
    made = models.PositiveIntegerField(_("made"), default=0)
    imported = models.TextField(default="", blank=True, editable=False, help_text="The lines still to store.")
    why_failed = models.CharField(_("why it failed"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    created_by = models.CharField(_("created by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(wanted__gt=0, wanted__lte=MOST_CODES), name="house_batch_is_not_too_large"
            ),
        ]
        indexes = [
            models.Index(fields=["campaign"], condition=Q(state="making"), name="house_batch_under_way")
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.created_at:%Y-%m-%d} ({self.wanted})"


class MailOutState(models.TextChoices):
    RUNNING = "running", _("under way")
    NO_CODES = "no_codes", _("waiting for more codes")
    DONE = "done", _("done")


class MailOut(models.Model):
    """Codes for many members, one each: those of a tier, or those of a list. The worker gives them in chunks
    in the order of `Member.pk`; `reached` is the last one it looked at."""

    campaign = models.ForeignKey(
        Campaign, models.PROTECT, related_name="mail_outs", verbose_name=_("campaign")
    )
    tier = models.ForeignKey(
        Tier,
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("tier"),
        help_text=_("Empty: all members."),
    )
    members = models.JSONField(default=list, blank=True, editable=False)
    is_for_list = models.BooleanField(_("for a list"), default=False)
    state = models.CharField(
        _("state"), max_length=8, choices=MailOutState.choices, default=MailOutState.RUNNING
    )
    reached = models.BigIntegerField(default=0, editable=False)
    given = models.PositiveIntegerField(_("given"), default=0)
    passed_over = models.PositiveIntegerField(
        _("passed over"), default=0, help_text=_("Members who have as many codes as the campaign allows.")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    created_by = models.CharField(_("created by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("mail-out")
        verbose_name_plural = _("mail-outs")
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_for_list=True, tier=None) | Q(is_for_list=False),
                name="house_mail_out_for_tier_or_list",
            ),
        ]
        indexes = [
            models.Index(fields=["campaign"], condition=~Q(state="done"), name="house_mail_out_under_way")
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.created_at:%Y-%m-%d}"


class CampaignCode(models.Model):
    """One code. It belongs to no member until a mail-out or its first use at a till gives it to one; then
    `voucher` is the member's voucher. `key` is the code in the form that all its spellings share."""

    # The unique constraint below is the index: another one by program alone would only cost.
    program = models.SlugField(_("program"), db_index=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="codes", verbose_name=_("campaign"))
    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="codes", verbose_name=_("batch"))
    code = models.CharField(_("code"), max_length=LONGEST_CODE)
    key = models.CharField(max_length=LONGEST_CODE, editable=False)
    member = models.ForeignKey(
        Member, models.PROTECT, related_name="campaign_codes", null=True, blank=True, verbose_name=_("member")
    )
    voucher = models.OneToOneField(
        Voucher,
        models.PROTECT,
        related_name="campaign_code",
        null=True,
        blank=True,
        verbose_name=_("voucher"),
    )
    mail_out = models.ForeignKey(
        MailOut, models.PROTECT, related_name="codes", null=True, blank=True, verbose_name=_("mail-out")
    )
    given_at = models.DateTimeField(_("given at"), null=True, blank=True)

    class Meta:
        verbose_name = _("campaign code")
        verbose_name_plural = _("campaign codes")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "key"], name="house_one_code_per_spelling"),
            models.UniqueConstraint(
                fields=["mail_out", "member"],
                condition=Q(mail_out__isnull=False),
                name="house_one_code_per_mail_out",
            ),
            models.CheckConstraint(
                condition=Q(member=None, voucher=None, mail_out=None, given_at=None)
                | Q(member__isnull=False, voucher__isnull=False, given_at__isnull=False),
                name="house_a_given_code_is_a_voucher",
            ),
        ]
        indexes = [
            models.Index(fields=["batch"], condition=Q(member=None), name="house_code_free"),
            models.Index(fields=["campaign", "member"], name="house_code_of_member"),
        ]

    def __str__(self) -> str:
        return self.code

    def save(self, *args: object, **kwargs: object) -> None:
        self.key = id_key(self.code)
        super().save(*args, **kwargs)  # type: ignore[arg-type]
