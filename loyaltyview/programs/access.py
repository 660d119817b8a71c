"""The program that an address names: an inactive one counts as absent."""

from loyaltyview.programs.models import Program


def active_program(slug: str) -> Program | None:
    """Return the program that is served under `slug`; None when there is none or it is switched off."""
    return Program.objects.filter(slug=slug, is_active=True).first()
