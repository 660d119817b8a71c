"""The inbox, and what is kept of a sale: Event, Order, ExchangeLink, ReturnRecord, PartialRelease; Alarm,
UnreachableStream, EventSearch.

No personal data stands in orders and returns: the member is the vendor's `ref`, the customer NewStore's id.
Personal data of a delivery stays in the payload of its event, without address and payment blocks.
"""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from loyaltyview.programs.models import Program
from loyaltyview.redemptions.models import Redemption
from loyaltyview.work.models import WorkRow


class EventSource(models.TextChoices):
    NEWSTORE = "newstore", _("NewStore")
    PROVIDER = "provider", _("Provider")
    FOUND = "found", _("found at NewStore")  # an order of which no event came (`missed_events`)


OF_ORDERS = (EventSource.NEWSTORE, EventSource.FOUND)


class EventState(models.TextChoices):
    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    IGNORED = "ignored", _("ignored")  # a name that nothing handles
    DEAD = "dead", _("dead")  # cannot be handled, or was tried too often: an administrator must look


class Event(WorkRow):
    """One delivery, stored before it is answered. `subject` is the order it is about, "" without one:
    the events of one subject are handled one after another."""

    # No index of its own: two of those below begin with it.
    program = models.ForeignKey(Program, models.PROTECT, related_name="events", db_index=False)
    source = models.CharField(
        _("source"), max_length=10, choices=EventSource.choices, default=EventSource.NEWSTORE
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    dedupe_key = models.CharField(max_length=250)
    subject = models.CharField(_("order"), max_length=100, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=EventState.choices, default=EventState.WAITING
    )
    payload = models.BinaryField()
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    received_at = models.DateTimeField(_("received at"))
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-received_at", "-pk"]
        permissions = [("reveal_payload", _("Can see personal data in payloads"))]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "source", "dedupe_key"], name="one_event_per_delivery"
            ),
            models.UniqueConstraint(
                fields=["program", "subject"],
                condition=Q(lease_until__isnull=False, subject__gt=""),
                name="one_event_per_order_in_hand",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(due_at__isnull=False), name="event_due"),
            models.Index(fields=["program", "subject"], name="event_subject"),
            models.Index(fields=["state", "received_at"], name="event_state"),
            models.Index(fields=["received_at", "id"], name="event_received"),
            models.Index(fields=["program", "received_at", "id"], name="event_program"),
        ]

    def __str__(self) -> str:
        return f"{self.name or '?'} {self.subject}".strip()


class Earning(models.TextChoices):
    """Where an order stands with its points. STARTED is written before the vendor is called."""

    WAITING = "waiting", _("not completed yet")
    STARTED = "started", _("being earned")
    EARNED = "earned", _("earned")
    NOTHING = "nothing", _("earns nothing")
    TAKEN_BACK = "taken_back", _("taken back")


class WhyNothing(models.TextChoices):
    """Why an order earns nothing."""

    HISTORICAL = "historical", _("imported history")
    CANCELLED = "cancelled", _("cancelled before it earned")
    CHANNEL = "channel", _("this channel is not reported")
    CURRENCY = "currency", _("not the program's currency")
    NO_AMOUNT = "no_amount", _("nothing was paid for goods")
    NO_MEMBER = "no_member", _("no member of the program")


class Order(models.Model):
    """A sale, as its events describe it, in any order of arrival: the `*_seen_at` are set once and never
    cleared. Amounts are in `currency`; `earn_base` is without cancelled items."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="orders")
    order_id = models.CharField(_("order"), max_length=100)
    external_id = models.CharField(_("receipt number"), max_length=100, blank=True)
    channel_type = models.CharField(_("channel"), max_length=20, blank=True)
    store_id = models.CharField(_("store"), max_length=100, blank=True)
    associate_id = models.CharField(_("associate"), max_length=100, blank=True)
    profile_id = models.CharField(_("NewStore customer"), max_length=100, blank=True)
    member_ref = models.CharField(_("member"), max_length=200, blank=True)
    placed_at = models.DateTimeField(_("placed at"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    earn_base = models.DecimalField(_("earns on"), max_digits=14, decimal_places=4, default=Decimal(0))
    # Its returns count the same way, even if the program's rule has changed.
    earns_with_tax = models.BooleanField(_("earns on prices with tax"), default=False)
    lines = models.JSONField(default=list, blank=True)
    cancelled_items = models.JSONField(default=list, blank=True)
    codes = models.JSONField(_("codes"), default=list, blank=True)
    is_exchange = models.BooleanField(_("exchange"), default=False)
    is_historical = models.BooleanField(_("historical"), default=False)

    created_seen_at = models.DateTimeField(_("created"), null=True, blank=True)
    opened_seen_at = models.DateTimeField(_("opened"), null=True, blank=True)
    completed_seen_at = models.DateTimeField(_("completed"), null=True, blank=True)
    cancelled_seen_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    earning = models.CharField(_("points"), max_length=10, choices=Earning.choices, default=Earning.WAITING)
    why_nothing = models.CharField(_("because"), max_length=10, choices=WhyNothing.choices, blank=True)
    earned_points = models.IntegerField(_("points earned"), null=True, blank=True)
    earned_at = models.DateTimeField(_("earned at"), null=True, blank=True)
    taken_back_at = models.DateTimeField(_("taken back at"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "order_id"], name="one_order_per_newstore_id"),
        ]
        indexes = [
            models.Index(fields=["program", "external_id"], name="order_receipt"),
            models.Index(fields=["program", "member_ref", "placed_at"], name="order_of_member"),
        ]

    def __str__(self) -> str:
        return self.external_id or self.order_id


class ExchangeLink(models.Model):
    """`order` took the place of what came back from an earlier order; `return_id` is that return's id."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="exchanges")
    old_order_id = models.CharField(_("exchanged order"), max_length=100)
    return_id = models.CharField(_("its return"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("exchange")
        verbose_name_plural = _("exchanges")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "old_order_id", "return_id"], name="one_link_per_exchanged_return"
            ),
        ]
        indexes = [models.Index(fields=["old_order_id"], name="exchange_old_order")]

    def __str__(self) -> str:
        return self.old_order_id


class ReturnKind(models.TextChoices):
    RETURN = "return", _("return")
    CANCELLATION = "cancel", _("items cancelled after they had earned")
    APPEASEMENT = "appeasement", _("refund without a return")


class ReturnState(models.TextChoices):
    WAITING = "waiting", _("waiting for its order")
    DONE = "done", _("points taken back")
    NOTHING = "nothing", _("nothing to take back")
    PARKED = "parked", _("a person decides")


class WhyParked(models.TextChoices):
    BLIND = "blind", _("it names no order")
    WHOLE_ONLY = "whole_only", _("the provider cannot give back a part of what was spent")


class ReturnRecord(models.Model):
    """Money that went back to the customer. `order_id` is empty for a blind return. `amount` is what was
    refunded for the goods, with tax where its order has earned on tax; `counted` how much of the order's
    `earn_base` that is, once it is decided. `points_owed` are those that a person is to give back."""

    program = models.ForeignKey(Program, models.PROTECT, related_name="returns")
    return_id = models.CharField(_("return"), max_length=150)
    order_id = models.CharField(_("order"), max_length=100, blank=True)
    state = models.CharField(
        _("state"), max_length=10, choices=ReturnState.choices, default=ReturnState.WAITING
    )
    store_id = models.CharField(_("store"), max_length=100, blank=True)
    returned_at = models.DateTimeField(_("returned at"))
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.DecimalField(_("amount"), max_digits=14, decimal_places=4)
    counted = models.DecimalField(_("counts as"), max_digits=14, decimal_places=4, null=True, blank=True)
    lines = models.JSONField(default=list, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=ReturnKind.choices, default=ReturnKind.RETURN)
    why_parked = models.CharField(_("because"), max_length=10, choices=WhyParked.choices, blank=True)
    points_owed = models.IntegerField(_("points to give back by hand"), null=True, blank=True)
    points_taken = models.IntegerField(_("points taken back"), null=True, blank=True)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["program", "return_id"], name="one_record_per_return"),
        ]
        indexes = [
            models.Index(fields=["program", "order_id"], name="return_order"),
            models.Index(fields=["returned_at"], condition=Q(state="parked"), name="return_parked"),
        ]

    def __str__(self) -> str:
        return self.return_id


class PartialRelease(models.Model):
    """What one return gives back of one spend. Written before the vendor is called; done with `done_at`."""

    record = models.ForeignKey(ReturnRecord, models.PROTECT, related_name="parts")
    redemption = models.ForeignKey(Redemption, models.PROTECT, related_name="+")
    points = models.PositiveIntegerField(_("points"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)

    class Meta:
        verbose_name = _("points given back")
        verbose_name_plural = _("points given back")
        constraints = [
            models.UniqueConstraint(fields=["record", "redemption"], name="one_part_per_return_and_spend"),
        ]

    def __str__(self) -> str:
        return str(self.points)


class AlarmKind(models.TextChoices):
    STREAM = "stream", _("event stream")
    LOW_STOCK = "low_stock", _("low stock of a reward")
    GAP = "gap", _("gap found by the reconciliation")
    DEAD = "dead", _("dead event")
    TWICE = "twice", _("one discount used twice")
    CANCELLED = "cancelled", _("reward cancelled by the program")
    TOO_LARGE = "too_large", _("delivery that is too large")
    MISSED = "missed", _("orders or returns of which no event came")
    PROVIDER = "provider", _("trouble with the loyalty system")


class Alarm(models.Model):
    """Something that an administrator must know. One is open per program, kind and subject; it is closed by
    a person, or by the check that raised it once the cause is gone."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="alarms")
    kind = models.CharField(_("kind"), max_length=10, choices=AlarmKind.choices)
    subject = models.CharField(_("about"), max_length=200, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    raised_at = models.DateTimeField(_("raised at"))
    last_at = models.DateTimeField(_("last at"))
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-last_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["program", "kind", "subject"],
                condition=Q(closed_at=None),
                name="one_open_alarm_per_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["last_at", "id"], name="alarm_last"),
            models.Index(fields=["last_at", "id"], condition=Q(closed_at=None), name="alarm_open"),
            models.Index(fields=["subject"], name="alarm_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.subject}".strip()


class UnreachableStream(models.Model):
    """NewStore could not be reached at the last check of its event stream, by any worker."""

    program = models.OneToOneField(Program, models.CASCADE, primary_key=True, related_name="+")

    def __str__(self) -> str:
        return str(self.program)


class Searched(models.TextChoices):
    ORDERS = "orders", _("orders")
    RETURNS = "returns", _("returns")


class EventSearch(models.Model):
    """How far NewStore was searched for orders or returns of which no event came. Everything before
    `searched_until` was compared. `window_until` and `cursor` are set between the pages of one period;
    `found` counts what had no event."""

    program = models.ForeignKey(Program, models.CASCADE, related_name="+")
    kind = models.CharField(_("kind"), max_length=10, choices=Searched.choices)
    started_at = models.DateTimeField(_("started at"))
    searched_until = models.DateTimeField(_("searched until"))
    window_until = models.DateTimeField(null=True, blank=True)
    cursor = models.CharField(max_length=1000, blank=True)
    found = models.PositiveIntegerField(_("found"), default=0)

    class Meta:
        verbose_name = _("search for missed events")
        verbose_name_plural = _("searches for missed events")
        constraints = [
            models.UniqueConstraint(fields=["program", "kind"], name="one_search_per_kind"),
            models.CheckConstraint(
                condition=Q(window_until__isnull=True, cursor="")
                | Q(window_until__isnull=False, window_until__gt=models.F("searched_until")) & ~Q(cursor=""),
                name="search_cursor_belongs_to_window",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.searched_until:%Y-%m-%d %H:%M}"
