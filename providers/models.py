"""Tables that all processes share about a vendor's account, its catalogues and its members."""

from django.db import models

from providers.sealing import SealedTextField


class AccountBudget(models.Model):
    """The calls of one account within its limit's window, and the bookings of waiting taps (`budget`)."""

    name = models.CharField(max_length=100, unique=True)
    state = models.TextField(default="{}")

    def __str__(self) -> str:
        return self.name


class MemberChange(models.Model):
    """The number of writes to a member: reads from before the last write are not shared (`sharing`). Also
    `facts` of a day, such as which rewards they may have, and `reads`, the answers since the last write, of
    the last seconds, for other processes. `digest` stands for program and member. Rows of more than a day ago
    are deleted."""

    digest = models.CharField(max_length=64, unique=True)
    number = models.BigIntegerField(default=0)
    facts = models.TextField(default="", db_default="", blank=True)
    reads = SealedTextField(default="", db_default="", blank=True, editable=False)
    reads_at = models.DateTimeField(null=True, db_index=True)
    kept_at = models.DateTimeField(null=True)  # facts or reads
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    def __str__(self) -> str:
        return self.digest


class KeptCatalogue(models.Model):
    """What a vendor's account says to everybody, such as its rewards and tiers (`outbound.catalogues`).

    `made_with` stands for the program's settings: what was read with others is not used. `version` is new
    with each read. `lease` belongs to the process that reads until `lease_until`.
    """

    program = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    made_with = models.CharField(max_length=64, default="")
    content = models.TextField(default="")
    version = models.CharField(max_length=32, default="")
    read_at = models.DateTimeField(null=True)
    lease = models.CharField(max_length=32, default="")
    lease_until = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("program", "name"), name="one_catalogue_of_a_name"),)

    def __str__(self) -> str:
        return f"{self.program}: {self.name}"
