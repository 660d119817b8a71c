"""The database itself refuses to change or delete ledger entries.

A migration that alters `Entry` must run `protect_entries` again after it: SQLite rebuilds an altered
table and drops its triggers with the old one. The owner of the tables can still TRUNCATE on PostgreSQL: tests
empty their database this way.
"""

from typing import Any

SQLITE = {
    "house_entry_no_update": """
        CREATE TRIGGER house_entry_no_update BEFORE UPDATE ON house_entry
        BEGIN SELECT RAISE(ABORT, 'ledger entries are final'); END""",
    "house_entry_no_delete": """
        CREATE TRIGGER house_entry_no_delete BEFORE DELETE ON house_entry
        BEGIN SELECT RAISE(ABORT, 'ledger entries are final'); END""",
}

POSTGRESQL = """
    CREATE OR REPLACE FUNCTION house_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN
        RAISE EXCEPTION 'ledger entries are final' USING ERRCODE = 'integrity_constraint_violation';
    END $$;
    CREATE TRIGGER house_entry_is_final BEFORE UPDATE OR DELETE ON house_entry
    FOR EACH ROW EXECUTE FUNCTION house_entry_is_final();
"""


def protect_entries(apps: Any, schema_editor: Any) -> None:
    """Create the triggers. For `migrations.RunPython`."""
    if schema_editor.connection.vendor == "sqlite":
        for statement in SQLITE.values():
            schema_editor.execute(statement, params=None)
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL, params=None)


def unprotect_entries(apps: Any, schema_editor: Any) -> None:
    """Drop the triggers, before an altered `Entry` table is rebuilt or the app is taken out."""
    if schema_editor.connection.vendor == "sqlite":
        for name in SQLITE:
            schema_editor.execute(f"DROP TRIGGER {name}")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER house_entry_is_final ON house_entry")
        schema_editor.execute("DROP FUNCTION house_entry_is_final()")
