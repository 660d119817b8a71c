"""The vendor is asked as soon as a launch is admitted, while its redirect travels; the page picks up the
calls (`vendor_calls.begin`). See docs/decisions/0056."""

from django.http import HttpRequest

from loyaltyview.ops.database import best_effort
from loyaltyview.webview.member_context import LastTap, Page
from loyaltyview.webview.member_data import begin_to_find_customer
from loyaltyview.webview.models import Launch
from providers.outbound.parallel import of_program


def read_ahead(request: HttpRequest, launch: Launch) -> None:
    """Begin what the page of `launch` will ask for. A request that no page follows asks for nothing, and a
    local vendor answers at once anyway."""
    if request.method == "HEAD" or _is_prefetch(request):
        return
    provider = launch.program.provider()
    if provider.is_local:
        return
    with best_effort("the calls of the launch"), of_program(launch.program.slug):
        if launch.member_ref:
            Page(request, launch, LastTap()).reads.begin()
        else:
            begin_to_find_customer(launch, provider)


def _is_prefetch(request: HttpRequest) -> bool:
    """Return whether the browser asks for an address that may never be opened."""
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose") or ""
    return "prefetch" in purpose
