"""How long admin's pages take with many rows: `python -m tests.load.rows`. See README.md beside this."""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg

from tests.load import flat
from tests.setup.postgres import find_server_programs, postgres_server

SLOW_S = 1.0
CHOICES = 6
FEW = 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load.rows", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="redemptions; three times as many events")
    parser.add_argument("--sqlite", action="store_true", help="on SQLite instead of PostgreSQL")
    parser.add_argument("--database", default="", help="the URL of a database to use: filled if it is empty")
    parser.add_argument("--repeat", type=int, default=7, help="requests of each page")
    parser.add_argument("--only", default="", help="only lists whose address contains this")
    parser.add_argument("--fill", action="store_true", help="only fill the database")
    parser.add_argument("--flat", action="store_true", help="the associate's pages at 1,000 rows and at all")
    options = parser.parse_args()
    with _database(options) as url:
        os.environ.update(DATABASE_URL=url, DJANGO_SETTINGS_MODULE="tests.load.settings")
        if options.flat:
            with _beside(url) as few:
                for each, rows in ((few, FEW), (url, options.rows)):
                    command = [sys.executable, "-m", "tests.load.rows", "--fill", f"--rows={rows}"]
                    subprocess.run([*command, f"--database={each}"], check=True)
                flat.compare(few, url)
            return 0
        import django
        from django.test.utils import setup_test_environment

        django.setup()
        prepare(options.rows)
        if not options.fill:
            setup_test_environment()  # answers carry what their templates were given
            measure(options)
    return 0


@contextmanager
def _beside(url: str) -> Iterator[str]:
    """Yield the URL of a new, empty database beside that one."""
    if url.startswith("sqlite"):
        with tempfile.TemporaryDirectory(prefix="loyaltyview-rows-") as folder:
            yield f"sqlite:///{Path(folder) / 'few.sqlite3'}"
        return
    name = f"few_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield f"{url.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _database(options: argparse.Namespace) -> Iterator[str]:
    if options.database:
        yield options.database
    elif options.sqlite:
        with tempfile.TemporaryDirectory(prefix="loyaltyview-rows-") as folder:
            yield f"sqlite:///{Path(folder) / 'rows.sqlite3'}"
    else:
        programs = find_server_programs()
        if programs is None:
            sys.exit("PostgreSQL's server programs were not found")
        with postgres_server(programs, is_durable=True) as url:
            yield url


def prepare(rows: int) -> None:
    """Migrate, and fill the database if it is empty."""
    from django.core.management import call_command

    from loyaltyview.programs.models import Program
    from tests.load.fill import fill, make_programs

    call_command("migrate", verbosity=0)
    if Program.objects.exists():
        return
    from django.contrib.auth.models import User

    User.objects.create_superuser("ada", password="x")
    make_programs()
    started = time.monotonic()
    fill(rows)
    print(f"{rows:,} redemptions were written in {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201


def measure(options: argparse.Namespace) -> None:
    """Time every page, and print them, the slowest last."""
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get())
    timed = []
    for name, address in pages(client):
        if options.only not in address:
            continue
        times, queries = time_page(client, address, options.repeat)
        timed.append((times[len(times) * 95 // 100], statistics.median(times), queries, name, address))
    for p95, p50, queries, name, address in sorted(timed):
        print(f"{p50:9.1f} {p95:9.1f} ms {queries:4d} queries  {name:18} {address}")  # noqa: T201
    lists = [p95 for p95, *_rest in sorted(timed)]
    worst, p95 = lists[-1], lists[len(lists) * 95 // 100]
    print(f"{len(lists)} pages; p95 of them {p95:.0f} ms, slowest {worst:.0f} ms (aim 300)")  # noqa: T201


def time_page(client: Any, address: str, repeat: int) -> tuple[list[float], int]:
    """Return the sorted milliseconds of some requests, fewer of a slow page, and the number of queries."""
    from django.db import connection

    asked: list[str] = []
    with connection.execute_wrapper(lambda execute, sql, *rest: (asked.append(sql), execute(sql, *rest))[1]):
        response = client.get(address)
    assert response.status_code in (200, 302), (address, response.status_code)
    times: list[float] = []
    while len(times) < repeat and sum(times) < SLOW_S * 3000:
        started = time.perf_counter()
        client.get(address)
        times.append((time.perf_counter() - started) * 1000)
    return sorted(times), len(asked)


def pages(client: Any) -> Iterator[tuple[str, str]]:
    """Yield what and the address of the front page, and of each list with its filters, searches, orders and
    pages, as the lists offer them."""
    from django.contrib import admin
    from django.urls import reverse

    yield "front page", reverse("admin:index")
    for model, model_admin in admin.site._registry.items():
        label = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        address = reverse(f"{label}_changelist")
        first = client.get(address)
        if first.status_code != 200:
            continue
        yield "list", address
        changes = first.context["cl"]
        row = model._default_manager.order_by("pk").last()
        if row is None:
            continue
        yield "row", reverse(f"{label}_change", args=[row.pk])
        for spec in changes.filter_specs:
            for choice in list(spec.choices(changes))[1 : CHOICES + 1]:
                if choice.get("query_string"):
                    yield "filter", address + choice["query_string"]
        for text in searched(model, model_admin, row):
            yield "search", f"{address}?{urlencode({'q': text})}"
        for number in changes.get_ordering_field_columns() or {}:
            yield "order", f"{address}?o=-{number}"
        sortable = changes.sortable_by if changes.sortable_by is not None else changes.list_display
        for number, name in enumerate(changes.list_display):
            if name in sortable and name != "action_checkbox" and changes.get_ordering_field(name):
                yield "order", f"{address}?o={number}"
                yield "order", f"{address}?o=-{number}"
        yield from turned(changes, address)


def turned(changes: Any, address: str) -> Iterator[tuple[str, str]]:
    """Yield the second page and, where pages have numbers, the last one."""
    if older := getattr(changes, "older_query", ""):
        yield "page 2", address + older
    elif changes.multi_page and not hasattr(changes, "older_query"):
        yield "page 2", f"{address}?p=2"
        yield "last page", f"{address}?p={changes.paginator.num_pages}"


def searched(model: Any, model_admin: Any, row: Any) -> list[str]:
    """Return for each searched field a value that a row has and a part of it, and a text that none has."""
    from django.contrib.admin.utils import get_fields_from_path

    texts = ["none-has-this"] if model_admin.search_fields else []
    for path in model_admin.search_fields:
        names = path.removesuffix("__exact").split("__")
        value = row
        with contextlib.suppress(AttributeError):
            for name in names:
                value = getattr(value, name)
        if isinstance(value, str) and value and get_fields_from_path(model, "__".join(names)):
            texts += [value, value[: len(value) * 2 // 3 + 1]]
    return list(dict.fromkeys(texts))


if __name__ == "__main__":
    sys.exit(main())
