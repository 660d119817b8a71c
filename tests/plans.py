"""Shows how the database would answer a query: by its indexes or not."""

from django.db import connection


def analyze(*tables: str) -> None:
    """Let PostgreSQL know what is in the tables now. It keeps what an earlier test's ANALYZE counted."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"ANALYZE {table}")


def plan_of(sql: str) -> str:
    """Return the plan of a query that a test captured."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # In tests, tables are so small that reading them whole is cheaper than any index.
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {sql}")
        return str(cursor.fetchall())
