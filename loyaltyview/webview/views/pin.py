"""The customer types their PIN: a page without anything of the associate's, between a tap and its repetition.

The page holds the tap's form again and adds the PIN. It is a page of its own and not a fragment, so that no
header with the associate's links stays on the screen that the customer holds.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_variables

from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview import pins
from loyaltyview.webview.models import Launch
from loyaltyview.webview.problems import Problem
from loyaltyview.webview.responses import is_htmx
from loyaltyview.webview.taps import Tap
from loyaltyview.webview.vendor_turns import NOT_REPEATED, waiting
from providers.base import Capability


@dataclass(slots=True)
class Attempt:
    """One form, with or without a PIN. `stays` keeps it counted: the PIN was wrong, or may have been."""

    pin: str = field(repr=False)
    stays: bool = False


@contextmanager
@sensitive_variables("attempt")
def attempt_of(
    request: HttpRequest, launch: Launch, taps: tuple[Tap, ...], *, has_begun: bool
) -> Iterator[Attempt]:
    """Yield the attempt of the form with these taps. Raises Problem for what is no PIN, and after too many
    attempts. A vendor that asks for no PIN gets none. A form that `has_begun` is answered by its rows: what
    it adds is tried without a PIN, and counts as no attempt."""
    takes_pin = not has_begun and Capability.PIN in launch.program.provider().capabilities
    attempt = Attempt(pins.read_pin(request.POST) if takes_pin else "")
    name = pins.name_of(taps)
    is_counted = bool(attempt.pin) and pins.begin(launch, name)
    try:
        yield attempt
    except Problem as problem:
        attempt.stays = attempt.stays or problem.code is Refusal.PIN_WRONG
        raise
    finally:
        if is_counted and not attempt.stays:
            pins.give_back(launch, name)


def wait_or_ask(request: HttpRequest, launch: Launch, wait_s: float) -> HttpResponse:
    """Say that the turn comes later. No page holds the PIN meanwhile: the customer types it once more."""
    if pins.FIELD not in request.POST:
        return waiting(request, launch, wait_s)
    text = _("The program is busy. Nothing was spent. Wait some seconds, then type the PIN again.")
    return _show(request, launch, Problem(Refusal.PROVIDER_BUSY, text), is_new=False)


def ask_or(
    request: HttpRequest,
    launch: Launch,
    problem: Problem,
    show: Callable[[Problem], HttpResponse],
    *,
    is_new: bool,
) -> HttpResponse:
    """Ask the customer for the PIN where `problem` is about it, else answer with `show`. `is_new`: the form
    has begun a redemption, so the next attempt is another one."""
    if not pins.is_about_pin(problem) or Capability.PIN not in launch.program.provider().capabilities:
        return show(problem)
    if pins.left_for(launch) == 0:
        return show(Problem(Refusal.PIN_CLOSED, title=problem.title))
    return _show(request, launch, problem, is_new=is_new)


def _show(request: HttpRequest, launch: Launch, problem: Problem, *, is_new: bool) -> HttpResponse:
    is_first = problem.code is Refusal.PIN_NEEDED
    left = pins.left_for(launch)
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in (*NOT_REPEATED, "key")
    ]
    context = {
        "launch": launch,
        "program": launch.program,
        "title": problem.title,
        "fields": [*fields, ("key", secrets.token_urlsafe(16) if is_new else request.POST.get("key", ""))],
        "code": "" if is_first else problem.code,
        "sentence": "" if is_first else _sentence(problem, left),
    }
    response = render(request, "webview/pin.html", context, status=200 if is_first else problem.status)
    if is_htmx(request):
        response["HX-Retarget"], response["HX-Reswap"] = "body", "innerHTML show:window:top"
    return response


def _sentence(problem: Problem, left: int) -> str:
    if problem.code is not Refusal.PIN_WRONG:
        return problem.sentence
    text = ngettext(
        "This PIN is not right. %(n)d attempt is left.",
        "This PIN is not right. %(n)d attempts are left.",
        left,
    )
    return text % {"n": left}
