"""Tables that all processes share about a vendor's account and its members."""

from django.db import models


class AccountBudget(models.Model):
    """The calls of one account within its limit's window, and the bookings of waiting taps (`budget`)."""

    name = models.CharField(max_length=100, unique=True)
    state = models.TextField(default="{}")

    def __str__(self) -> str:
        return self.name


class MemberChange(models.Model):
    """The number of writes to a member: reads from before the last write are not shared (`sharing`).
    `digest` stands for program and member. Rows of more than a day ago are deleted."""

    digest = models.CharField(max_length=64, unique=True)
    number = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return self.digest
