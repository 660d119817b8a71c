"""Fills a database with as many rows as a chain has after months, by set-based SQL."""

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import connection, models

from loyaltyview.programs.models import Program
from providers.house.models import Campaign, CodeBatch, EarnRule

DAYS_OF_REDEMPTIONS = 365
DAYS_OF_EVENTS = 90
STORES = 300
PROGRAMS = ("acme", "beta")


def fill(rows: int) -> None:
    """Write `rows` redemptions, three times as many events, and everything else in proportion, for two
    programs. Indexes are dropped meanwhile."""
    with connection.cursor() as cursor:
        dropped = _drop_indexes(cursor)
        insert_all(cursor, rows)
        for statement in dropped:
            cursor.execute(statement)
        _finish(cursor)


def insert_all(cursor: Any, rows: int) -> None:
    """Write the rows of all tables; `make_programs` comes first."""
    for label, count, columns in _tables(rows):
        _insert(cursor, apps.get_model(label), count, columns)


def make_programs() -> None:
    """Write the programs that the rows belong to."""
    for number, slug in enumerate(PROGRAMS, start=1):
        Program.objects.create(
            pk=number, slug=slug, name=slug.title(), currency="USD", country="US", newstore_tenant=slug,
            newstore_api_url="http://127.0.0.1:1", newstore_identity_url="http://127.0.0.1:1",
            newstore_client_id="x", newstore_client_secret="x", newstore_event_key="x",
        )  # fmt: skip
        EarnRule.objects.create(program=slug, points_per_unit=1)
    campaign = Campaign.objects.create(
        pk=1, program="acme", campaign_id="summer", title="Summer", kind="fixed", amount=5
    )
    CodeBatch.objects.create(pk=1, campaign=campaign, wanted=100_000, state="ready")


def _ago(seconds: str) -> str:
    if connection.vendor == "postgresql":
        return f"now() - make_interval(secs => {seconds})"
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({seconds}) || ' seconds')"


def _uuid(number: str = "i") -> str:
    if connection.vendor == "postgresql":
        return f"md5('row ' || ({number}))::uuid"
    parts = ", ".join(
        f"({number}) * {prime} % 4294967296" for prime in (2654435761, 40503, 2246822519, 3266489917)
    )
    return f"printf('%08x%08x%08x%08x', {parts})"


def _bytes(text: str) -> str:
    return f"convert_to({text}, 'UTF8')" if connection.vendor == "postgresql" else f"CAST({text} AS BLOB)"


def _tables(rows: int) -> list[tuple[str, int, dict[str, str]]]:
    """Return model, number of rows, and the SQL of each column; `i` counts from 1. A column that is not
    named here gets its default."""
    program = "CASE WHEN i % 5 = 0 THEN 2 ELSE 1 END"
    slug = "CASE WHEN i % 5 = 0 THEN 'beta' ELSE 'acme' END"
    store = f"'S-' || (i * 7919 % {STORES} + 1)"
    member = f"i * 7919 % {rows} + 1"
    order = "'ORDER-' || i"
    redeemed = _ago(f"i * {DAYS_OF_REDEMPTIONS * 86400.0 / rows}")
    received = _ago(f"i * {DAYS_OF_EVENTS * 86400.0 / (3 * rows)}")
    state = "CASE WHEN i % 20 < 14 THEN 'settled' WHEN i % 20 < 17 THEN 'refused' ELSE 'released' END"
    state = f"CASE WHEN i % {max(rows // 20, 7)} = 3 THEN 'stuck' ELSE {state} END"
    # Ids run with time: the newest row has the highest.
    newest_last = f"{rows} - i + 1"
    house = {"program": slug, "member_id": member}
    return [
        ("programs.Store", STORES, {
            "program_id": program, "store_id": "'S-' || i", "name": "'Store ' || i",
        }),
        ("redemptions.Redemption", rows, {
            "id": _uuid(), "program_id": program, "state": state, "key": "'key-' || i",
            "fingerprint": "'f'", "launch_id": "'launch'", "profile_id": f"'profile-' || ({member})",
            "cart_id": "'cart-' || i", "member_ref": f"'MEMBER-' || ({member})", "kind": "'reward'",
            "item_id": "'ten-off'", "title": "'10 off'", "points": "200", "saving": "10", "currency": "'USD'",
            "cart": "'{}'", "discount": "'{}'", "associate_id": f"'a-' || (i * 7919 % {STORES * 10})",
            "store_id": store, "code": "'LOY' || i", "provider_ref": "'ref-' || i", "order_id": order,
            "refusal": "CASE WHEN i % 3 = 0 THEN 'OUT_OF_STOCK' ELSE 'NOT_ENOUGH_POINTS' END",
            "requested_at": redeemed,
        }),
        ("redemptions.IssuedCode", rows, {
            "id": "i", "program_id": program, "redemption_id": _uuid(), "code": "'LOY' || i",
            "issued_at": redeemed,
        }),
        ("redemptions.Transition", 2 * rows, {
            "id": "i", "redemption_id": _uuid("(i + 1) / 2"),
            "at": _ago(f"i * {DAYS_OF_REDEMPTIONS * 86400.0 / (2 * rows)}"), "from_state": "'uncertain'",
            "to_state": "'revealed'", "actor": "'a-17'", "store_id": store,
        }),
        ("events.Event", 3 * rows, {
            "id": f"{3 * rows} - i + 1", "program_id": program, "source": "'newstore'",
            "name": "CASE i % 3 WHEN 0 THEN 'order.created' WHEN 1 THEN 'order.opened' "
                    "ELSE 'order.completed' END",
            "dedupe_key": "'payload-' || i", "subject": "'ORDER-' || (i / 3)",
            "state": "CASE WHEN i <= 20 THEN 'waiting' WHEN i % 50000 = 7 THEN 'dead' "
                     "WHEN i % 40 = 5 THEN 'ignored' ELSE 'done' END",
            "payload": _bytes("'{\"id\": \"' || i || '\", \"note\": \"" + "x" * 600 + "\"}'"),
            "received_at": received, "published_at": received,
            "done_at": f"CASE WHEN i <= 20 THEN NULL ELSE {received} END",
        }),
        ("events.Order", rows, {
            "id": newest_last, "program_id": program, "order_id": order, "external_id": "'R-' || i",
            "channel_type": "'store'", "store_id": store, "associate_id": "'a-17'",
            "profile_id": f"'profile-' || ({member})", "member_ref": f"'MEMBER-' || ({member})",
            "currency": "'USD'", "earn_base": "129.9", "placed_at": redeemed, "completed_seen_at": redeemed,
            "earning": "CASE WHEN i % 20 = 0 THEN 'nothing' WHEN i < 200 THEN 'waiting' ELSE 'earned' END",
            "why_nothing": "CASE WHEN i % 20 = 0 THEN 'no_member' ELSE '' END", "earned_points": "130",
        }),
        ("events.ReturnRecord", rows // 2, {
            "id": "i", "program_id": program, "return_id": "'RETURN-' || i",
            "order_id": "'ORDER-' || (i * 2)",
            "state": f"CASE WHEN i % {max(rows // 400, 3)} = 1 THEN 'parked' ELSE 'done' END",
            "store_id": store, "returned_at": redeemed, "currency": "'USD'", "amount": "10",
        }),
        ("events.Alarm", rows // 50, {
            "id": "i", "program_id": program, "kind": "'gap'", "subject": order, "detail": "'missing'",
            "raised_at": redeemed, "last_at": redeemed,
            "closed_at": f"CASE WHEN i % 10 = 0 THEN NULL ELSE {redeemed} END",
        }),
        ("programs.Trouble", rows // 2, {
            "id": "i", "program_id": program, "kind": "'tap'", "code": "'CODE-' || (i % 20)",
            "slot": _ago(f"i / 20 * {DAYS_OF_REDEMPTIONS * 86400.0 * 40 / rows}"),
            "count": "3", "first_at": redeemed, "last_at": redeemed,
        }),
        ("programs.Erasure", rows // 100, {
            "id": f"{rows // 100} - i + 1", "program_id": program, "at": redeemed, "actor": "'ada'",
            "pseudonym": "'erased-' || i",
        }),
        ("webview.ConsentChange", rows // 2, {
            "id": f"{rows // 2} - i + 1", "program_id": program, "at": redeemed,
            "member_ref": f"'MEMBER-' || ({member})", "consent": "'email'", "answer": "'yes'",
            "way": "'enrolment'", "result": "'taken'", "actor": f"'a-' || (i % {STORES * 10})",
            "store_id": store,
        }),
        ("webview.Launch", rows // 2, {
            "id": "'launch-' || i", "program_id": program, "secret_hash": "'x'",
            "created_at": _ago(f"i * {30 * 86400.0 / (rows // 10)}"), "expires_at": redeemed,
            "associate_id": "'a-17'", "store_id": store, "cart_id": "'cart-' || i", "cart": "'{}'",
            "customer_key": f"'c-' || ({member})", "member_ref": f"'MEMBER-' || ({member})",
        }),
        ("house.Member", rows, {
            "id": "i", "program": slug, "member_id": "'MEMBER-' || i", "first_name": "'Mia' || (i % 500)",
            "last_name": "'Stone' || (i % 5000)", "email": "'member' || i || '@example.test'",
            "phone": "'+1' || (6170000000 + i)", "consent_email": "'yes'", "consent_sms": "'no'",
            "referral_code": "'F' || i", "joined_at": redeemed, "spendable": "250", "lifetime_points": "500",
        }),
        ("house.Entry", 2 * rows, {
            **house, "id": f"{2 * rows} - i + 1", "kind": "CASE i % 2 WHEN 0 THEN 'earn' ELSE 'spend' END",
            "points": "CASE i % 2 WHEN 0 THEN 100 ELSE -50 END", "tier_points": "0", "amount": "100",
            "reference": "'earn:' || i", "order_id": "'ORDER-' || (i / 2)",
            "at": _ago(f"i * {DAYS_OF_REDEMPTIONS * 86400.0 / (2 * rows)}"),
        }),
        ("house.Hold", rows, {
            **house, "id": newest_last, "key": "'key-' || i", "kind": "'reward'", "item_id": "'ten-off'",
            "state": f"CASE WHEN i < {max(rows // 1000, 5)} THEN 'held' ELSE 'captured' END",
            "title": "'10 off'", "points": "200", "order_id": order, "created_at": redeemed,
        }),
        ("house.Voucher", rows // 2, {
            **house, "id": "i", "voucher_id": "'v-' || i", "title": "'Birthday'", "kind": "'fixed'",
            "amount": "5", "code": "'VOUCHER-' || i",
            "state": "CASE i % 3 WHEN 0 THEN 'used' ELSE 'open' END",
        }),
        ("house.CampaignCode", rows // 2, {
            "id": "i", "program": "'acme'", "campaign_id": "1", "batch_id": "1", "code": "'SUMMER-' || i",
            "key": "'summer' || i",
        }),
        ("house.Referral", rows // 3, {
            "id": "i", "program": slug, "referrer_id": "i", "friend_id": f"{rows} - i",
            "state": "'rewarded'", "order_id": order, "entered_at": redeemed, "rewarded_at": redeemed,
        }),
        ("house.Merge", rows // 1000, {
            "id": "i", "program": slug, "survivor_id": "i", "merged_id": f"{rows} - i", "at": redeemed,
            "actor": "'ada'", "reason": "'two cards'",
        }),
        ("house_api.Report", rows, {
            "id": "i", "program": slug, "kind": "'order'", "report_id": order, "digest": "'d'",
            "reported_at": redeemed,
        }),
        ("house_api.Reservation", rows // 2, {
            "id": "i", "program": slug, "key": "'web-' || i", "hold_id": "i", "created_at": redeemed,
            "expires_at": redeemed, "closed_at": redeemed,
        }),
        ("journal.Write", rows, {
            "id": newest_last, "vendor": "'yotpo'", "program": slug, "kind": "'spend'", "key": "'key-' || i",
            "state": f"CASE WHEN i % {max(rows // 20, 7)} = 3 THEN 'sent' ELSE 'done' END",
            "sent_at": redeemed, "member_ref": f"'MEMBER-' || ({member})", "item_id": "'ten-off'",
            "points": "200", "order_id": order, "vendor_ref": "'ref-' || i",
            "exclusive_key": "'x-' || i", "noted_at": redeemed, "changed_at": redeemed,
            "detail": _json("'{\"coupon\": \"VC-' || i || '\"}'"),
        }),
        ("journal.Batch", 365, {
            "id": "i", "vendor": "'yotpo'", "program": slug, "day": _day("i"), "number": "1",
            "name": "'file-' || i", "state": "'closed'", "sha256": "'s'", "delivered_at": redeemed,
        }),
        ("journal.BatchLine", rows // 2, {
            "id": "i", "batch_id": "i % 365 + 1", "write_id": "i", "position": "i",
            "refusal": "CASE WHEN i % 5000 = 1 THEN 'no such order' ELSE '' END",
        }),
    ]  # fmt: skip


def _json(text: str) -> str:
    return f"({text})::jsonb" if connection.vendor == "postgresql" else text


def _day(days: str) -> str:
    return (
        f"current_date - ({days})::int"
        if connection.vendor == "postgresql"
        else f"date('now', '-' || {days} || ' days')"
    )


def _insert(cursor: Any, model: type[models.Model], count: int, columns: Mapping[str, str]) -> None:
    names, values, params = [], [], []
    for field in model._meta.concrete_fields:
        given = columns.get(field.attname)
        if given is None and field.primary_key:
            continue
        names.append(connection.ops.quote_name(field.column))
        if given is None:
            values.append("%s")
            params.append(field.get_db_prep_save(field.get_default(), connection))
        elif isinstance(field, models.JSONField) and connection.vendor == "postgresql":
            values.append(f"({given})::jsonb".replace("%", "%%"))
        else:
            values.append(given.replace("%", "%%"))
    series = f"generate_series(1::bigint, {count}) AS n(i)"
    if connection.vendor == "sqlite":
        numbers = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}"
        series = f"(WITH RECURSIVE n(i) AS ({numbers}) SELECT i FROM n)"
    table = connection.ops.quote_name(model._meta.db_table)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} FROM {series}", params
    )


def _drop_indexes(cursor: Any) -> list[str]:
    """Return the statements that make the indexes again. Foreign keys and triggers are off from here on."""
    if connection.vendor == "postgresql":
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        cursor.execute("SET maintenance_work_mem = '1GB'; SET statement_timeout = 0")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint) AND tablename NOT LIKE %s",
            ["django%"],
        )
    else:
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("PRAGMA synchronous = OFF")
        cursor.execute("PRAGMA cache_size = -1000000")
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    found = cursor.fetchall()
    for name, _definition in found:
        cursor.execute(f'DROP INDEX "{name}"')
    return [definition for _name, definition in found]


def _finish(cursor: Any) -> None:
    if connection.vendor == "postgresql":
        for model in apps.get_models():
            if isinstance(model._meta.pk, models.AutoField):
                table, column = model._meta.db_table, model._meta.pk.column
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'), "
                    f'(SELECT coalesce(max("{column}"), 1) FROM "{table}"))'
                )
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM (ANALYZE)")
    else:
        cursor.execute("ANALYZE")
    connection.close()
