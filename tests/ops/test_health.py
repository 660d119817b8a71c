"""/healthz, /readyz and /metrics as a load balancer and Prometheus see them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import time_machine
from cryptography.fernet import Fernet
from django.db import DatabaseError, OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from loyaltyview.ops import health
from loyaltyview.ops.health import Check, add_check, add_worker_check
from loyaltyview.programs.health import check_credentials
from loyaltyview.programs.models import Program
from loyaltyview.work import health as work_health
from loyaltyview.work.models import Heartbeat


@pytest.fixture(autouse=True)
def own_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our own checks and what a test adds, nothing remembered of other tests, a clock that stands still."""
    monkeypatch.setattr(health, "checks", {"writes": work_health.check_writes})
    monkeypatch.setattr(health, "worker_checks", {"worker": work_health.check_worker})
    monkeypatch.setattr(work_health, "_written_at", float("-inf"))
    monkeypatch.setattr(health, "_is_migrated", False)
    with time_machine.travel(timezone.now(), tick=False):
        yield


def beat(seconds_ago: float) -> None:
    Heartbeat.objects.create(
        worker=f"worker-{seconds_ago}", seen_at=timezone.now() - timedelta(seconds=seconds_ago)
    )


def test_healthz_answers_without_a_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_ready_when_every_check_passes(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {
            "database": {"ok": True, "detail": ""},
            "writes": {"ok": True, "detail": ""},
            "migrations": {"ok": True, "detail": ""},
        },
    }


@pytest.mark.django_db
def test_the_worker_has_an_address_of_its_own(client: Client) -> None:
    beat(5)
    response = client.get("/readyz/worker")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {
            "database": {"ok": True, "detail": ""},
            "worker": {"ok": True, "detail": "seen 5 s ago"},
        },
    }


@pytest.mark.django_db
def test_web_is_ready_without_a_worker(client: Client) -> None:
    add_worker_check("events", lambda: Check(is_ok=False, detail="oldest waits 700 s"))
    assert client.get("/readyz/worker").status_code == 503
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_database_that_takes_no_writes_is_named(client: Client) -> None:
    statements = {"sqlite": ("PRAGMA query_only = %s", "1", "0")}
    statement, on, off = statements.get(
        connection.vendor, ("SET default_transaction_read_only = %s", "on", "off")
    )
    with connection.cursor() as cursor:
        cursor.execute(statement % on)
    try:
        response = client.get("/readyz")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(statement % off)
    assert response.status_code == 503
    assert response.json()["checks"]["writes"] == {"ok": False, "detail": "read-only"}
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_named(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("a limit that SQLite has")
    with connection.cursor() as cursor:
        pages, free, size = (
            cursor.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            # Earlier tests leave free pages: the row needs more than these.
            monkeypatch.setattr(work_health, "PROBE", "x" * ((free + 25) * size))
            response = client.get("/readyz")
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert response.status_code == 503
    assert response.json()["checks"]["writes"] == {"ok": False, "detail": "disk is full"}


@pytest.mark.django_db
def test_a_full_disk_is_named_while_one_row_still_finds_room(client: Client) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite needs new space for each row")

    def full(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "generate_series" in sql:
            raise OperationalError from psycopg.errors.DiskFull()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(full):
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["writes"] == {"ok": False, "detail": "disk is full"}
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_a_role_that_may_write_no_files_is_ready(client: Client) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("a limit that PostgreSQL has")
    codes = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            codes.append(getattr(error.__cause__, "sqlstate", ""))
            raise

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL temp_file_limit = '100kB'")
    with connection.execute_wrapper(note):
        assert client.get("/readyz").status_code == 200
    assert codes == [work_health.FILE_LIMIT]  # it tried to write a file


@pytest.mark.django_db
def test_keys_that_decrypt_nothing_are_named(
    client: Client, program: Program, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(health.checks, "credentials", check_credentials)
    assert client.get("/readyz").status_code == 200
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["credentials"] == {
        "ok": False,
        "detail": "CREDENTIAL_KEYS open no stored secret",
    }


@pytest.mark.django_db
def test_not_ready_without_a_worker(client: Client) -> None:
    response = client.get("/readyz/worker")
    assert response.status_code == 503
    assert response.json()["checks"]["worker"] == {"ok": False, "detail": "never seen"}


@pytest.mark.django_db
def test_not_ready_when_every_worker_fell_silent(client: Client) -> None:
    beat(61)
    beat(300)
    assert client.get("/readyz/worker").status_code == 503
    beat(59)
    assert client.get("/readyz/worker").status_code == 200


@pytest.mark.django_db
def test_not_ready_with_pending_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    beat(1)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["0002", "0003"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == {"ok": False, "detail": "2 pending"}


@pytest.mark.django_db
def test_migrations_are_not_read_again_after_a_good_answer(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    beat(1)
    client.get("/readyz")
    with django_assert_num_queries(1):  # the write is not repeated either
        client.get("/readyz")


@pytest.mark.django_db
def test_checks_of_other_apps_count_too(client: Client) -> None:
    beat(1)
    add_check("events", lambda: Check(is_ok=False, detail="oldest waits 700 s"))
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["events"] == {"ok": False, "detail": "oldest waits 700 s"}


@pytest.mark.django_db
def test_a_check_that_fails_is_not_ready_and_tells_no_details(client: Client) -> None:
    def fail() -> Check:
        raise OperationalError("password=hunter2")

    beat(1)
    add_check("events", fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["events"] == {"ok": False, "detail": "OperationalError"}
    assert b"hunter2" not in response.content


def test_without_a_database_nothing_else_is_asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Check:
        raise DatabaseError("host=10.0.0.7")

    monkeypatch.setattr(health, "check_database", away)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "ready": False,
        "checks": {"database": {"ok": False, "detail": "DatabaseError"}},
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/readyz/worker", "/metrics"])
def test_machines_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_metrics_are_for_this_machine_when_there_is_no_token(client: Client) -> None:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain")
    assert b"loyaltyview_vendor_seconds" in response.content


@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=10.0.0.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_PROTO": "https"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": "loyalty.example.com"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_REAL_IP": "10.0.0.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_VIA": "1.1 proxy"},
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer "},
    ],
)
def test_metrics_are_closed_to_everybody_else(client: Client, meta: dict[str, Any]) -> None:
    assert client.get("/metrics", **meta).status_code == 403


@pytest.mark.django_db
def test_with_a_token_only_its_bearer_reads_metrics(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "tøken"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    good = client.get("/metrics", headers={"Authorization": "Bearer tøken"}, REMOTE_ADDR="10.0.0.7")
    assert good.status_code == 200


@pytest.mark.django_db
def test_metrics_of_all_processes_are_added_up(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    settings.PROMETHEUS_MULTIPROC_DIR = str(tmp_path)
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"python_info" not in response.content  # it is a metric of one process
