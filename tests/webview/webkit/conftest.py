"""WebKit's WebView, once for the whole run; a test opens Mia's cart in it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from loyaltyview.programs.models import Program
from tests.setup.webkit import find_webkit
from tests.webview.conftest import Mint, launch_params
from tests.webview.fakes import Vendor
from tests.webview.webkit.webview import WebView


@pytest.fixture(scope="session")
def webkit() -> Iterator[WebView]:
    if not find_webkit():
        pytest.skip("needs WebKitGTK: make needs")
    view = WebView()
    yield view
    view.close()


Launch = Callable[..., WebView]


@pytest.fixture
def launched(
    webkit: WebView, live_server: Any, program: Program, vendor: Vendor, newstore: Mint
) -> Iterator[Launch]:
    """Open Mia's cart in a new session; `prepare` gets the WebView before."""

    def launch(prepare: Callable[[WebView], object] = lambda view: None, **cart: object) -> WebView:
        prepare(webkit)
        webkit.open(f"{live_server.url}/launch/acme/?{urlencode(launch_params(program, **cart))}")
        return webkit

    webkit.do("begin")
    yield launch
    webkit.do("open", "about:blank")
    webkit.do("hang_up")
    # The server's threads end with their connections. One that outlives its test would break the next one.
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(timeout=5)
