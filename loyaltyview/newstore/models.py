"""Rows that wait for the worker: what is still to be written to NewStore."""

from django.db import models
from django.utils import timezone

from loyaltyview.ops.encrypted import EncryptedTextField
from loyaltyview.programs.models import Program
from loyaltyview.work.models import WorkRow


class ProfileLink(WorkRow):
    """A member's loyalty id that is to be written into the NewStore profile; deleted when it is written.

    `contact` (e-mail or phone) finds the profile when `profile_id` is not known or was merged away.
    """

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    member_id = models.CharField(max_length=200)
    profile_id = models.CharField(max_length=100, blank=True)
    contact = EncryptedTextField(blank=True)
    # Whether another loyalty id in the profile is replaced: after an enrolment, not after a look-up.
    may_replace = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["program", "member_id"], name="one_profile_link_per_member")
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="profile_link_due")
        ]

    def __str__(self) -> str:
        return self.member_id


class UsedCode(WorkRow):
    """A used or released coupon code that is to be switched off in NewStore's coupon list. The row is kept
    afterwards, so that it is not queued again. `coupon_name` is the name of its coupon."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    code = models.CharField(max_length=64)
    coupon_name = models.CharField(max_length=200)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "code"], name="each_code_is_over_once")]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="used_code_due"),
            models.Index(fields=["created_at"], name="used_code_created"),
        ]

    def __str__(self) -> str:
        return self.code
