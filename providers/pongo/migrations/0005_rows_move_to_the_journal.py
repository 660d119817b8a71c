from django.db import migrations

from providers.journal.carry_over import carry_over

SPENT = {"taken": "done", "confirmed": "done", "used": "done", "released": "undone", "void": "void"}
SOLD = {"sending": "sent", "sent": "done", "voided": "undone"}
OPEN = ("planned", "sent", "done")


def spend_of(row):
    """Begun purchases are PLANNED until Pongo was asked; of an owned reward only the lock can be lost."""
    is_bought = row.kind == "reward"
    was_sent = not is_bought or row.hashes_before is not None
    state = SPENT.get(row.state) or ("sent" if was_sent else "planned")
    return {
        "program": row.program,
        "kind": "spend",
        "key": row.key,
        "state": state,
        "member_ref": row.member_ref,
        "item_kind": row.kind,
        "item_id": row.item_id,
        "points": row.points,
        "store": row.store_slug,
        "order_id": row.order_id,
        "vendor_ref": row.hash if state in ("done", "undone") else "",
        "exclusive_key": row.hash if state in OPEN else "",
        "shown_before": row.hashes_before if is_bought else {},
        "detail": {
            "reward": row.reward_id,
            "coupon_code": row.coupon_code,
            "saving_cents": row.saving_minor,
            "skus": row.skus,
        },
        "waits_for_order": row.state in ("started", "taken", "confirmed"),
        "noted_at": row.started_at,
        "sent_at": row.sent_at or (row.started_at if was_sent else None),
        "confirmed_at": row.changed_at if row.order_id else None,
        "changed_at": row.changed_at,
    }


def sale_of(row):
    return {
        "program": row.program,
        "kind": "sale",
        "key": row.order_id,
        "order_id": row.order_id,
        "state": SOLD[row.state],
        "store": row.store_slug,
        "points": row.points,
        "vendor_ref": row.order_id,
        "noted_at": row.sent_at,
        "sent_at": row.sent_at,
        "changed_at": row.sent_at,
    }


def return_of(row):
    return {
        "program": row.program,
        "kind": "return",
        "key": row.return_id,
        "order_id": row.order_id,
        "state": "done" if row.is_taken_back else "planned",
        "amount": row.net,
        "noted_at": row.noted_at,
        "changed_at": row.noted_at,
    }


def move(apps, schema_editor):
    carry_over(apps, schema_editor, "pongo", ("pongo", "Spending"), spend_of)
    carry_over(apps, schema_editor, "pongo", ("pongo", "SentOrder"), sale_of)
    carry_over(apps, schema_editor, "pongo", ("pongo", "Refund"), return_of)


class Migration(migrations.Migration):
    dependencies = [
        ("pongo", "0004_purchases_know_when_they_were_sent"),
        ("journal", "0001_one_journal"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel(name="Spending"),
        migrations.DeleteModel(name="SentOrder"),
        migrations.DeleteModel(name="Refund"),
    ]
