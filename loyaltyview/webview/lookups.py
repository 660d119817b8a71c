"""How many look-ups and enrolments an associate may make: enough for a queue, too few to harvest members."""

from django.conf import settings

from loyaltyview.ops.ratelimit import allow
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem


def spend_lookup(launch: Launch) -> None:
    """Count one look-up; raise Problem(TOO_MANY_LOOKUPS) above LOOKUPS_PER_MINUTE."""
    if allow("lookup", _who(launch), settings.LOOKUPS_PER_MINUTE, 60):
        raise Problem("TOO_MANY_LOOKUPS", status=429)


def spend_enrolment(launch: Launch) -> None:
    """Count one enrolment; raise Problem(TOO_MANY_ENROLMENTS) above ENROLMENTS_PER_HOUR."""
    if allow("enrolment", _who(launch), settings.ENROLMENTS_PER_HOUR, 3600):
        raise Problem("TOO_MANY_ENROLMENTS", status=429)


def _who(launch: Launch) -> str:
    return f"{launch.program_id}:{launch.associate_id or launch.pk}"
