"""The part of /readyz about programs: whether their stored secrets can be read."""

from loyaltyview.ops.encrypted import CredentialsUnreadable
from loyaltyview.ops.health import Check
from loyaltyview.programs.models import Program

# An installation has a few; each is read with all its secrets.
LOOKED_AT = 20


def check_credentials() -> Check:
    """Check that CREDENTIAL_KEYS decrypt the stored secrets. Otherwise every page of the program fails."""
    for pk in Program.objects.filter(is_active=True).order_by("pk").values_list("pk", flat=True)[:LOOKED_AT]:
        try:
            Program.objects.get(pk=pk)
        except CredentialsUnreadable:
            return Check(is_ok=False, detail="CREDENTIAL_KEYS open no stored secret")
        except Program.DoesNotExist:
            continue
    return Check(is_ok=True)
