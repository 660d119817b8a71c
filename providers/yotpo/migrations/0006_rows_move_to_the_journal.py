import hashlib
from decimal import Decimal

from django.db import migrations
from django.utils import timezone

from providers.journal.carry_over import carry_over

SPENT = {"held": "done", "taken": "done", "released": "undone", "void": "void"}
LONGEST_KEY = 255


class Spends:
    """Two redemptions that were asked for at once may both be held: only the first one waits for its order
    under the member's exclusive key."""

    def __init__(self):
        self.waiting = set()

    def columns(self, row):
        is_asked = row.state == "asked"
        was_sent = row.is_delayed or row.codes_before is not None
        waits = (is_asked and row.is_delayed) or (row.state == "held" and row.order_sent_at is None)
        detail = {
            "option_id": row.option_id,
            "is_custom": row.is_custom,
            "redemption_id": row.redemption_id,
        }
        if row.state == "held" and row.order_sent_at:
            detail["order_sent_at"] = row.order_sent_at.timestamp()
        times = [row.asked_at, row.confirmed_at, row.order_sent_at]
        return {
            "program": row.program,
            "kind": "spend",
            "key": row.key,
            "state": SPENT.get(row.state) or ("sent" if was_sent else "planned"),
            "member_ref": row.member_ref,
            "item_kind": row.kind,
            "item_id": row.option_id,
            "points": row.points,
            "vendor_ref": row.code,
            "exclusive_key": self.exclusive_key(row) if waits else "",
            "shown_before": {} if row.is_delayed else row.codes_before,
            "detail": detail,
            "waits_for_order": waits,
            "noted_at": row.asked_at,
            "sent_at": row.asked_at,
            "confirmed_at": row.confirmed_at,
            "changed_at": max(time for time in times if time),
        }

    def exclusive_key(self, row):
        member = (row.program, row.member_ref)
        is_first = member not in self.waiting
        self.waiting.add(member)
        return f"hold {row.member_ref}" if is_first else ""


def key_of_part(spend, key):
    name = f"{spend.key}:{key}"
    return name if len(name) <= LONGEST_KEY else f"{spend.key}:{hashlib.sha256(key.encode()).hexdigest()}"


def sale_of(row):
    at = row.sent_at or row.begun_at
    return {
        "program": row.program,
        "kind": "sale",
        "key": row.order_id,
        "order_id": row.order_id,
        "state": "done" if row.sent_at else "sent",
        "noted_at": row.begun_at,
        "sent_at": at,
        "changed_at": at,
    }


def refund_of(row):
    """A refund without an answer may have been sent, and nobody knows when."""
    is_cancelled = row.refund_id == f"cancelled-{row.order_id}"
    at = row.sent_at or timezone.now()
    return {
        "program": row.program,
        "kind": "cancel" if is_cancelled else "return",
        "key": row.order_id if is_cancelled else row.refund_id,
        "order_id": row.order_id,
        "state": "done" if row.sent_at else "sent",
        "amount": Decimal(row.amount_cents) / 100,
        "noted_at": at,
        "sent_at": at,
        "changed_at": at,
    }


def move(apps, schema_editor):
    alias = schema_editor.connection.alias
    writes = apps.get_model("journal", "Write").objects.using(alias)

    def new_row_of(spend):
        return writes.get(vendor="yotpo", program=spend.program, kind="spend", key=spend.key)

    def part_of(row):
        spend, at = row.spend, row.sent_at or row.returning_at
        return {
            "program": spend.program,
            "kind": "part",
            "key": key_of_part(spend, row.key),
            "parent": new_row_of(spend),
            "member_ref": spend.member_ref,
            "state": "done" if row.sent_at else "sent" if row.returning_at else "planned",
            "points": row.points,
            "noted_at": at or spend.asked_at,
            "sent_at": at,
            "changed_at": at or spend.asked_at,
        }

    def release_of(spend):
        """Points that were sent back without an answer."""
        parts = sum(spend.parts.values_list("points", flat=True))
        return {
            "program": spend.program,
            "kind": "release",
            "key": spend.key,
            "parent": new_row_of(spend),
            "member_ref": spend.member_ref,
            "state": "sent",
            "points": spend.points - parts,
            "noted_at": spend.returning_at,
            "sent_at": spend.returning_at,
            "changed_at": spend.returning_at,
        }

    carry_over(apps, schema_editor, "yotpo", ("yotpo", "Spend"), Spends().columns)
    carry_over(apps, schema_editor, "yotpo", ("yotpo", "PartRelease"), part_of)
    returning = apps.get_model("yotpo", "Spend").objects.using(alias)
    returning = returning.filter(state__in=["held", "taken"], returning_at__isnull=False)
    writes.bulk_create(
        [writes.model(vendor="yotpo", **release_of(spend)) for spend in returning.iterator(1000)],
        batch_size=1000,
    )
    carry_over(apps, schema_editor, "yotpo", ("yotpo", "SentOrder"), sale_of)
    carry_over(apps, schema_editor, "yotpo", ("yotpo", "Refund"), refund_of)


class Migration(migrations.Migration):
    dependencies = [
        ("yotpo", "0005_spends_know_what_was_before"),
        ("journal", "0001_one_journal"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel(name="PartRelease"),
        migrations.DeleteModel(name="Spend"),
        migrations.DeleteModel(name="SentOrder"),
        migrations.DeleteModel(name="Refund"),
    ]
