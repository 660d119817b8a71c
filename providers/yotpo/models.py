"""What Yotpo cannot tell us: who is brand new, and which e-mail a ref stands for.

A member is named by the `ref` (`refs.py`): an id of the shop, or a keyed hash of the e-mail. The
e-mail itself stands, sealed, in `EmailRef` alone.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.sealing import SealedTextField


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
