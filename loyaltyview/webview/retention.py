"""Launches that are over: nothing but their redemptions is kept, and those stand in rows of their own."""

from datetime import datetime

from loyaltyview.webview.models import Launch


def purge_launches(before: datetime) -> int:
    """Delete launches that began before that time; returns how many. May be repeated."""
    count, _ = Launch.objects.filter(created_at__lt=before).delete()
    return count
