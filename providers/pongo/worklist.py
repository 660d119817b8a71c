"""Rewards that stand between us and Pongo for too long, and what an administrator can do about each."""

from datetime import timedelta

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from providers import clock
from providers.admin_pages import Host
from providers.errors import ProviderError
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal
from providers.pongo.access import for_administrators, provider_of, write_log
from providers.pongo.release import unlock, use

# A code lives for minutes; an order completes within hours, unless it is shipped.
IN_CART = timedelta(hours=1)
IN_ORDER = timedelta(days=1)


def waiting(program: str) -> "QuerySet[Write]":
    """Return bought or owned rewards whose code no order carried, and those of orders that were not sent."""
    now = clock.now()
    return Journal(vendor="pongo", program=program).writes(
        WriteKind.SPEND,
        Q(order_id="", noted_at__lt=now - IN_CART) | Q(noted_at__lt=now - IN_ORDER),
        state=WriteState.DONE,
        waits_for_order=True,
    )


@for_administrators
@require_POST
def settle(request: HttpRequest, *, host: Host, program: str, spending: int) -> HttpResponse:
    """Leave a reward with its customer, or tell Pongo that it was used."""
    row = get_object_or_404(waiting(program), pk=spending)
    shop = provider_of(host, program).shop
    is_used = request.POST.get("do") == "use"
    try:
        if is_used:
            use(shop, row)
        else:
            unlock(shop, row)
    except ProviderError as error:
        messages.error(request, _("Pongo refused: %(detail)s.") % {"detail": error.detail})
    else:
        write_log(request, program, f"{row.key}: {'used' if is_used else 'left with the customer'}")
        messages.success(request, _("Done."))
    return redirect("pongo:home", program=program)
