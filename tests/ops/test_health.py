"""/healthz, /readyz and /metrics as a load balancer and Prometheus see them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, OperationalError
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from loyaltyview.ops import health
from loyaltyview.ops.health import Check, add_check
from loyaltyview.work.models import Heartbeat


@pytest.fixture(autouse=True)
def own_checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the checks that a test adds, nothing remembered of other tests, and a clock that stands still."""
    monkeypatch.setattr(health, "checks", {})
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
def test_ready_when_everything_is(client: Client) -> None:
    beat(5)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {
        "ready": True,
        "checks": {
            "database": {"ok": True, "detail": ""},
            "migrations": {"ok": True, "detail": ""},
            "worker": {"ok": True, "detail": "seen 5 s ago"},
        },
    }


@pytest.mark.django_db
def test_not_ready_without_a_worker(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["worker"] == {"ok": False, "detail": "never seen"}


@pytest.mark.django_db
def test_not_ready_when_every_worker_fell_silent(client: Client) -> None:
    beat(61)
    beat(300)
    assert client.get("/readyz").status_code == 503
    beat(59)
    assert client.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_not_ready_with_pending_migrations(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    beat(1)
    monkeypatch.setattr(health.MigrationExecutor, "migration_plan", lambda *_: ["0002", "0003"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["migrations"] == {"ok": False, "detail": "2 pending"}


@pytest.mark.django_db
def test_good_migrations_are_not_read_again(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    beat(1)
    client.get("/readyz")
    with django_assert_num_queries(2):
        client.get("/readyz")


@pytest.mark.django_db
def test_other_apps_checks_count_too(client: Client) -> None:
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


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_machines_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405


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
        {"REMOTE_ADDR": "10.0.0.7", "HTTP_AUTHORIZATION": "Bearer "},
    ],
)
def test_metrics_are_closed_to_everybody_else(client: Client, meta: dict[str, Any]) -> None:
    assert client.get("/metrics", **meta).status_code == 403


def test_with_a_token_only_its_bearer_reads_metrics(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "tøken"
    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 403
    good = client.get("/metrics", headers={"Authorization": "Bearer tøken"}, REMOTE_ADDR="10.0.0.7")
    assert good.status_code == 200


def test_metrics_of_all_processes_are_added_up(
    client: Client, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    settings.PROMETHEUS_MULTIPROC_DIR = str(tmp_path)
    response = client.get("/metrics")
    assert response.status_code == 200
    assert b"python_info" not in response.content  # this process alone is not asked
