"""The page for a request that the web server lets through without a thread for it."""

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from loyaltyview.ops.overload import BUSY, problem_of
from loyaltyview.webview.pages import refuse

STATUSES = {BUSY: 503}
ADDRESS_TOO_LONG_STATUS = 414
LAUNCH = re.compile(r"/l/[A-Za-z0-9_-]{1,32}/")


def overload(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware: say at once that we are busy, or that the address is too long."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        problem = problem_of(request.META)
        if not problem:
            return get_response(request)
        launch = LAUNCH.match(request.path)
        again = request.path if request.method == "GET" else launch.group() if launch else ""
        status = STATUSES.get(problem, ADDRESS_TOO_LONG_STATUS)
        response = refuse(request, problem, status=status, again=again if problem == BUSY else "")
        if problem == BUSY:
            response["Retry-After"] = "2"
        return response

    return answer
