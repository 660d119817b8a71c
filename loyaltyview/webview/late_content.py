"""A page whose frame is sent at once, and whose content follows in the same answer when the vendor is done.

A second request would cost a slow network another round trip. While the content is awaited no thread is held
(`wait_without_thread`). It works without a script: the content comes with a style that hides the frame.
See decision 0054.
"""

import time
from collections.abc import Callable, Iterator

from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.utils.html import format_html
from django.utils.translation import get_language

from loyaltyview.ops.overload import Waiting, wait_without_thread
from loyaltyview.ops.policy import inline_style
from loyaltyview.webview.models import Launch
from loyaltyview.webview.overload import say_that_the_database_fails
from loyaltyview.webview.responses import LATE
from loyaltyview.webview.sessions import acting_in
from providers.outbound.budget_state import Use

# Where the frame's template wants the content, and what hides the frame then.
PLACE = "<!--content-->"
STAYS = "<i hidden data-stays></i>"
HIDES_FRAME = "#early{display:none}"

# Makes the content; None while the vendor's calls `launch.waits_for` are under way. The argument says that it
# is the last time: those that are not done are given up.
MakeContent = Callable[[bool], HttpResponse | None]


def answer_with_late_content(
    request: HttpRequest, launch: Launch, frame: HttpResponse, make: MakeContent, *, deadline_at: float
) -> StreamingHttpResponse:
    """Answer with `frame`, and with what `make` makes in its PLACE, at `deadline_at` (time.monotonic) the
    latest."""
    get_token(request)  # a cookie can no longer be set with the content
    style = inline_style(request, HIDES_FRAME)
    request.META[LATE] = True
    before, after = frame.content.decode().split(PLACE)
    language = get_language() or settings.LANGUAGE_CODE

    def parts() -> Iterator[str]:
        yield before
        while (content := _make(request, launch, language, make, deadline_at)) is None:
            if not wait_without_thread(request.META, Waiting(launch.waits_for.when_done, deadline_at)):
                launch.waits_for.wait(max(0.0, deadline_at - time.monotonic()))
            yield ""
        # Without content the frame stays as it is, and htmx need not ask again.
        yield (STAYS if content.status_code == 204 else style + _as_html(request, content)) + after

    response = StreamingHttpResponse(parts())
    response["X-Accel-Buffering"] = "no"  # nginx would hold the frame back
    return response


def _make(
    request: HttpRequest, launch: Launch, language: str, make: MakeContent, deadline_at: float
) -> HttpResponseBase | None:
    """Make the content as a view would: what it raises becomes the page of the error."""
    with acting_in(launch, language, Use.PAGE):
        try:
            return make(time.monotonic() >= deadline_at)
        except Exception as error:
            del request.META[LATE]  # its page is a whole one
            return say_that_the_database_fails(request, error) or response_for_exception(request, error)


def _as_html(request: HttpRequest, answer: HttpResponseBase) -> str:
    """Return the content of `answer`. An answer that leads elsewhere becomes a meta element, which works
    without a script."""
    if address := answer.get("HX-Redirect") or ("HX-Refresh" in answer and request.get_full_path()):
        return format_html('<meta http-equiv="refresh" content="0;url={}">', address)
    html: str = getattr(answer, "content", b"").decode()
    _, is_whole, content = html.partition('<main id="content">')
    return content.partition("</main>")[0] if is_whole else html
