"""The overview, for the template of the admin's front page. The page itself is Django's own."""

from django import template

from loyaltyview.ops import overview

register = template.Library()


@register.simple_tag
def overview_of(user: overview.Viewer) -> overview.Part | None:
    """Return what this user may see, None where that is nothing."""
    return overview.overview_of(user)
