"""Rows that are their own queue: when they are due, how often they were tried, until when they are leased."""

from django.conf import settings
from django.db import models


class WorkRow(models.Model):
    """Mixin for a row that the worker handles. `due_at` is None when there is nothing to do; `lease_until` is
    None when no worker has claimed it. See `loyaltyview.work.claims`."""

    due_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True


class PeriodicRun(WorkRow):
    """When periodic work is due next; one row for each `sources.Periodic`."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """The last sign of life of each worker, by the database's clock; /readyz reads it. `clock_ahead_s` is how
    far the worker's own clock is ahead of the database's: beyond MAX_CLOCK_SKEW_S it does nothing."""

    worker = models.CharField(max_length=100, unique=True)
    seen_at = models.DateTimeField()
    clock_ahead_s = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.worker

    @classmethod
    def at_work(cls) -> "models.QuerySet[Heartbeat]":
        """Return the rows of workers whose clock is right, latest first."""
        most = settings.MAX_CLOCK_SKEW_S
        return cls.objects.filter(clock_ahead_s__range=(-most, most)).order_by("-seen_at")
