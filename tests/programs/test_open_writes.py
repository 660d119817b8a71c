"""/metrics says how many writes to a vendor have an unknown outcome."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from loyaltyview.ops import metrics
from providers.journal.models import Write, WriteKind, WriteState

pytestmark = pytest.mark.django_db
WRITE = {"vendor": "yotpo", "program": "acme", "kind": WriteKind.SPEND}


def text(client: Client) -> str:
    return client.get("/metrics").content.decode()


def test_only_writes_whose_outcome_is_unknown_are_counted(client: Client) -> None:
    sent_at = timezone.now() - timedelta(minutes=5)
    for number in range(2):
        Write.objects.create(**WRITE, key=f"sent-{number}", state=WriteState.SENT, sent_at=sent_at)
    Write.objects.create(**WRITE, key="done", state=WriteState.DONE, sent_at=sent_at)
    labels = '{kind="spend",program="acme",vendor="yotpo"}'
    lines = dict(line.rsplit(" ", 1) for line in text(client).splitlines() if labels in line)
    assert lines[f"loyaltyview_vendor_writes_unknown{labels}"] == "2.0"
    assert 300 <= float(lines[f"loyaltyview_vendor_writes_unknown_oldest_seconds{labels}"]) < 400


def test_other_metrics_are_served_without_the_database(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[object]:
        raise DatabaseError

    monkeypatch.setattr(metrics._from_database, "reads", [fail])
    assert "loyaltyview_vendor_seconds" in text(client)
    assert "loyaltyview_vendor_writes_unknown" not in text(client)
