"""Openings of the WebView are deleted when their time is over."""

from datetime import timedelta

from django.core.management import call_command
from django.utils import timezone

from loyaltyview.programs.models import Program
from loyaltyview.webview.models import Launch
from loyaltyview.work.retention import retentions


def test_launches_are_kept_thirty_days(program: Program) -> None:
    now = timezone.now()
    for days in (29, 31):
        Launch.objects.create(
            program=program,
            secret_hash="x",
            cart_id=f"cart-{days}",
            cart={},
            created_at=now - timedelta(days=days),
            expires_at=now - timedelta(days=days),
        )
    call_command("purge")
    assert Launch.objects.get().cart_id == "cart-29"
    assert retentions["launches"].days == 30
