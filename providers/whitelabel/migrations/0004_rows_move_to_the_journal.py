from django.db import migrations

from providers.journal.carry_over import carry_over

STATES = {"new": "planned", "sending": "sent", "done": "done", "void": "void"}
SPENT = {**STATES, "new": "void"}  # a refusal closes the key of a spend now
TAKING = ("return", "cancel")


def columns(row):
    return {
        "program": row.program,
        "kind": row.kind,
        "key": row.reference,
        "state": STATES[row.state],
        "member_ref": row.member_ref,
        "points": row.points,
        "amount": row.net,
        "order_id": row.order_id,
        "vendor_ref": row.vendor_ref,
        "detail": {"owed": row.owed, "paid": row.paid} if row.kind in TAKING else {},
        "noted_at": row.created_at,
        "sent_at": row.sent_at or (row.created_at if row.state == "sending" else None),
        "changed_at": row.sent_at or row.created_at,
    }


def spend_of(row):
    """Sending begins when what was there before is committed. Which kind of spend it was, the intent says."""
    is_begun = row.state == "sending" and row.shown_before is None
    return {
        **columns(row),
        "state": "planned" if is_begun else SPENT[row.state],
        "exclusive_key": row.vendor_ref if row.state in ("sending", "done") else "",
        "shown_before": row.shown_before,
        "confirmed_at": (row.sent_at or row.created_at) if row.order_id else None,
    }


def refund_of(write, row):
    """What is given back belongs to its spend. One that was forgotten is written again: given back in any
    case, as far as the refund says."""
    key, _, part = row.reference.partition(":")
    name = {"vendor": "whitelabel", "program": row.program, "kind": "spend", "key": key}
    known = {"state": "done", "member_ref": row.member_ref}
    times = {"noted_at": row.created_at, "changed_at": row.created_at}
    spend, _is_new = write.get_or_create(**name, defaults={**known, **times})
    if not part and row.state == "done":
        write.filter(pk=spend.pk, state="done").update(state="undone")
    return {
        **columns(row),
        "kind": "part" if part else "release",
        "parent_id": spend.pk,
        "points": (row.points or 0) + row.withheld,
        "detail": {"withheld": row.withheld},
        # Perhaps it was refused; whether it is still to come, the return knows.
        "last_error": "not sent before the move" if row.state == "new" else "",
    }


def move(apps, schema_editor):
    reports = ("whitelabel", "Report")
    write = apps.get_model("journal", "Write").objects.using(schema_editor.connection.alias)

    def first(row):
        if row.kind == "refund":
            return None
        return spend_of(row) if row.kind == "spend" else columns(row)

    def second(row):
        return refund_of(write, row) if row.kind == "refund" else None

    carry_over(apps, schema_editor, "whitelabel", reports, first)
    carry_over(apps, schema_editor, "whitelabel", reports, second)


class Migration(migrations.Migration):
    dependencies = [
        ("whitelabel", "0003_spends_know_what_was_before"),
        ("journal", "0001_one_journal"),
    ]

    operations = [
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.DeleteModel(name="Report"),
    ]
