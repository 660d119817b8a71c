"""How the database would answer a query: whether by its indexes."""

from django.db import connection


def plan_of(sql: str) -> str:
    """Return the plan of a query that a test captured."""
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of a test is so small that reading it whole is cheaper than any index.
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"{explain} {sql}")
        return str(cursor.fetchall())
