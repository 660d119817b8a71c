"""Pages for trouble outside the pages: no thread is free, the address is too long, the database fails."""

import re
from collections.abc import Callable

import structlog
from django.db import InternalError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse

from loyaltyview.ops.overload import API, BUSY, LINE_TOO_LONG, lane_of, problem_of
from loyaltyview.redemptions.refusals import Refusal
from loyaltyview.webview.responses import refuse

log = structlog.get_logger(__name__)

CALLS = {
    BUSY: "The server is busy. Nothing happened; the call may be repeated.",
    LINE_TOO_LONG: "The address is too long.",
}
LAUNCH = re.compile(r"/l/[A-Za-z0-9_-]{1,32}/")


def overload(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware: say at once that we are busy, or that the address is too long."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        problem = problem_of(request.META)
        if not problem:
            return get_response(request)
        if lane_of(request.path) == API:
            return _refuse_call(problem)
        launch = LAUNCH.match(request.path)
        again = request.path if request.method == "GET" else launch.group() if launch else ""
        response = refuse(request, Refusal[problem], again=again if problem == BUSY else "")
        if problem == BUSY:
            response["Retry-After"] = "2"
        return response

    # Django looks for this name on what a middleware's factory returns.
    vars(answer)["process_exception"] = say_that_the_database_fails
    return answer


def _refuse_call(problem: str) -> HttpResponse:
    """Answer a program instead of a person (RFC 9457)."""
    status = 503 if problem == BUSY else 414
    body = {"type": "about:blank", "status": status, "code": problem.lower(), "detail": CALLS[problem]}
    response = JsonResponse(body, status=status, content_type="application/problem+json")
    if problem == BUSY:
        response["Retry-After"] = "2"
    return response


def say_that_the_database_fails(request: HttpRequest, error: Exception) -> HttpResponse | None:
    """Answer an associate's page with a sentence when the database is away, full or read-only."""
    launch = LAUNCH.match(request.path)
    if not isinstance(error, OperationalError | InternalError) or not (
        launch or request.path.startswith("/launch/")
    ):
        return None
    log.error("page_without_database", exc_info=error)
    return refuse(request, Refusal.DATABASE_UNAVAILABLE, again=launch.group() if launch else "")
