"""Going to another page, whether the browser or htmx asked."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from loyaltyview.webview.models import Launch


def is_htmx(request: HttpRequest) -> bool:
    """Return whether htmx asked for a fragment (django_htmx's middleware knows)."""
    return bool(getattr(request, "htmx", False))


def go(request: HttpRequest, address: str) -> HttpResponse:
    """Answer 303, or htmx's HX-Redirect, which is a real navigation of the whole page."""
    if is_htmx(request):
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address, status=303)


def address_of(name: str, launch: Launch, **kwargs: object) -> str:
    """Return the address of a page of this launch."""
    return reverse(name, kwargs={"launch_id": launch.pk, **kwargs})
