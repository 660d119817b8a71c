"""The page without the vendor asks again by itself until the vendor answers, after ever longer pauses."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode

from loyaltyview.webview.models import Launch
from loyaltyview.webview.notices import notices_in_address

# In the address: how often the page has asked.
ASKED = "asked"
PAUSES_S = (5, 10, 20, 40, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Healing:
    """After `pause_s` the page asks once more, with `query` in the address."""

    pause_s: int
    query: str


def has_asked(request: HttpRequest) -> bool:
    """Return whether the request comes from a page that asks by itself."""
    return ASKED in request.GET


def healing(request: HttpRequest) -> Healing:
    """Return when the page of this request asks again."""
    said = request.GET.get(ASKED, "")
    asked = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0
    query = "&".join(filter(None, (notices_in_address(request), urlencode({ASKED: asked + 1}))))
    return Healing(pause_s=PAUSES_S[min(asked, len(PAUSES_S) - 1)], query=query)


def asked_again(request: HttpRequest, launch: Launch, answer: HttpResponse) -> HttpResponse:
    """Answer the page that asked again: with the content in its place, or with the next question alone where
    the vendor still gives none, so that nothing on the page moves or is read out."""
    if answer.status_code == 503:
        context = {"launch": launch, "healing": healing(request)}
        return render(request, "webview/_healing.html", context)
    answer["HX-Retarget"] = "#content"
    answer["HX-Reswap"] = "innerHTML"
    return answer
