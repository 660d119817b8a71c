from django.db import migrations
from django.utils import timezone

from providers.journal.carry_over import carry_over

SPENT = {"sent": "sent", "done": "done", "closed": "void", "released": "undone"}
RETURNED = {"new": "planned", "sent": "sent", "done": "done"}
OFFER, POINTS_AS_MONEY = "offer:", "points"


def way_of(row):
    if row.kind == "voucher":
        return "coupon"
    if row.kind == "points" and row.item_id == POINTS_AS_MONEY:
        return "reserve"
    return "offer" if row.item_id.startswith(OFFER) else "claim"


def spend_of(row):
    way, state = way_of(row), SPENT[row.state]
    detail = {"way": way, "item": row.item_id, "coupon": row.coupon, "amount": row.amount}
    return {
        "program": row.program,
        "kind": "spend",
        "key": row.key,
        "state": state,
        "member_ref": row.member_ref,
        "item_kind": row.kind,
        "item_id": row.item_id,
        "points": row.points,
        "order_id": row.transaction_id,
        "vendor_ref": row.provider_ref,
        # A coupon that was used twice stands twice, and a pool may give the same code for each claim.
        "exclusive_key": "",
        "shown_before": row.seen,
        "detail": {name: value for name, value in detail.items() if value},
        "waits_for_order": way == "reserve" and state in ("sent", "done") and not row.transaction_id,
        "noted_at": row.noted_at,
        "sent_at": row.sent_at or (row.noted_at if state == "sent" else None),
        "confirmed_at": row.confirmed_at,
        "changed_at": row.noted_at,
    }


def return_of(row):
    state = RETURNED[row.state]
    return {
        "program": row.program,
        "kind": "return",
        "key": row.return_id,
        "order_id": row.order_id,
        "state": state,
        "amount": row.amount,
        "points": row.points,
        "shown_before": {"count": row.refunds_before, "points": row.points_before},
        "noted_at": row.noted_at,
        "sent_at": row.sent_at or (row.noted_at if state == "sent" else None),
        "changed_at": row.noted_at,
    }


def sale_of(row):
    """A checkout that was tried may have landed; one that is due was tried before or not."""
    tried = row.attempts > 0
    state = "done" if row.sent_at else "sent" if tried else "planned"
    columns = {
        "program": row.program,
        "kind": "sale",
        "key": row.transaction_id,
        "order_id": row.transaction_id,
        "state": state,
        "member_ref": row.member_ref,
        "detail": {} if row.sent_at else row.data,
        "due_at": None if row.sent_at else row.due_at,
        "attempts": row.attempts,
        "last_error": row.last_error,
    }
    at = row.sent_at or row.due_at
    if at:
        columns |= {"noted_at": at, "changed_at": at}
    if state == "done":
        columns["sent_at"] = row.sent_at
    elif state == "sent":  # when was not kept; the vendor takes a checkout once, so it may be sent again
        columns["sent_at"] = row.due_at or timezone.now()
    return columns


def move(apps, schema_editor):
    carry_over(apps, schema_editor, "antavo", ("antavo", "SpendRecord"), spend_of)
    carry_over(apps, schema_editor, "antavo", ("antavo", "RefundRecord"), return_of)
    carry_over(apps, schema_editor, "antavo", ("antavo", "QueuedCheckout"), sale_of)
    give_back_again(apps, schema_editor)


def give_back_again(apps, schema_editor):
    """What was sent back, with its answer lost, may still be on its way."""
    alias = schema_editor.connection.alias
    write = apps.get_model("journal", "Write").objects.using(alias)
    returning = apps.get_model("antavo", "SpendRecord").objects.using(alias).filter(returning_at__isnull=False)
    for row in returning.exclude(state="released").iterator():
        spend = write.get(vendor="antavo", program=row.program, kind="spend", key=row.key)
        points = row.points if way_of(row) == "reserve" else 0
        write.create(
            vendor="antavo",
            program=row.program,
            kind="release",
            key=row.key,
            parent=spend,
            state="sent",
            member_ref=row.member_ref,
            points=points,
            sent_at=row.returning_at,
            noted_at=row.returning_at,
            changed_at=row.returning_at,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("antavo", "0003_spends_know_when_they_were_sent_back"),
        ("journal", "0001_one_journal"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel(name="SpendRecord"),
        migrations.DeleteModel(name="RefundRecord"),
        migrations.DeleteModel(name="QueuedCheckout"),
    ]
