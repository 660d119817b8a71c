"""Regular work of the vendors' adapters, for every active program (`LoyaltyProvider.maintain`)."""

import structlog

from loyaltyview.programs.models import Program
from providers.errors import ProviderError
from providers.outbound import member_rows

log = structlog.get_logger(__name__)


def maintain_providers() -> None:
    """Let each program's adapter do its regular work. A failure of one vendor does not stop the others. Reads
    that are too old for every page are deleted, too."""
    member_rows.forget_reads()
    for program in Program.objects.filter(is_active=True):
        try:
            program.provider().maintain()
        except ProviderError as error:
            log.warning(
                "maintenance_failed",
                program=program.slug,
                error=type(error).__name__,
                detail=error.detail,
            )
        except Exception:
            # For example settings that this version no longer takes: the other programs go on.
            log.exception("maintenance_failed", program=program.slug)
