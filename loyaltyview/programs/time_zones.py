"""The time zone in which administrators read days and hours."""

from zoneinfo import ZoneInfo

from loyaltyview.programs.models import Program


def common_zone() -> ZoneInfo:
    """Return the one time zone that the active programs name, UTC where they name none or several."""
    named = Program.objects.filter(is_active=True).exclude(time_zone="").order_by()
    zones = list(named.values_list("time_zone", flat=True).distinct()[:2])
    return ZoneInfo(zones[0] if len(zones) == 1 else "UTC")
