"""The WebView: our pages in an iframe, and what a native navigation delegate would see.

A page cannot see that a frame of another origin opens the app's scheme. So the frame shows our pages through
this proxy, on an origin of its own. It passes everything on unchanged, Host and cookies included (so CSRF and
CSP work as without it), except that it

- puts its own script first into each HTML document. The script has the same origin, so the CSP needs no
  exception. It tells the panel which address the page opens;
- sets `window.NEWSTORE` in the same way, when the app opened the page in that shape;
- asks for uncompressed answers, so that it can do this.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json

SCRIPT_PATH = "/__associate_app__/webview.js"
OBJECT_PATH = "/__associate_app__/newstore.js"
SCRIPT = Path(__file__).parent / "panel" / "webview-delegate.js"
TIMEOUT_S = 60
CHUNK_BYTES = 65_536
HEAD = re.compile(rb"<head(?:\s[^>]*)?>", re.IGNORECASE)
# Headers of one connection only; RFC 9110 section 7.6.1.
HOP_BY_HOP = {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
UNREACHABLE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>Not there</title></head>"
    "<body><h1>The loyalty app does not answer</h1><p>Is it running?</p></body></html>"
)


class WebView:
    """WSGI application in front of `target` (scheme and host of our pages) for the panel at `panel_url`.
    `injected` returns `window.NEWSTORE` for the pages; empty for none."""

    def __init__(self, target: str, panel_url: str, injected: Callable[[], Json] = dict) -> None:
        self._injected = injected
        parts = urlsplit(target)
        self._target = f"{parts.scheme}://{parts.netloc}"
        self._panel_url = panel_url
        self._pool = urllib3.PoolManager(retries=False, timeout=TIMEOUT_S, maxsize=8)

    @property
    def wsgi(self) -> Any:
        return Request.application(self._respond)

    def close(self) -> None:
        self._pool.clear()

    def _respond(self, request: Request) -> Response:
        if request.path == SCRIPT_PATH:
            return Response(SCRIPT.read_bytes(), mimetype="text/javascript")
        if request.path == OBJECT_PATH:
            script = f"window.NEWSTORE = {json.dumps(self._injected())};\n"
            return Response(script, mimetype="text/javascript", headers={"Cache-Control": "no-store"})
        headers = urllib3.HTTPHeaderDict()
        for name, value in request.headers.items():
            if name.lower() not in HOP_BY_HOP | {"accept-encoding", "content-length"}:
                headers.add(name, value)
        headers["Accept-Encoding"] = "identity"
        # The raw path: decoding and encoding would change its bytes.
        address = self._target + str(request.environ.get("RAW_URI") or request.environ["REQUEST_URI"])
        try:
            upstream = self._pool.request(
                request.method,
                address,
                body=request.get_data() or None,
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except urllib3.exceptions.HTTPError:
            return Response(UNREACHABLE, 502, mimetype="text/html")
        return self._pass_on(request, upstream)

    def _pass_on(self, request: Request, upstream: urllib3.BaseHTTPResponse) -> Response:
        response = Response(status=upstream.status)
        response.headers.clear()
        for name, value in upstream.headers.items():
            if name.lower() not in HOP_BY_HOP:
                response.headers.add(name, value)
        if upstream.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.pop("Content-Length", None)
            response.response = self._with_script(_chunks(upstream))
        elif request.method == "HEAD":
            upstream.release_conn()
        else:
            response.response = _chunks(upstream)
        return response

    def _with_script(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Yield the document with our script first in its head, each part as soon as it is there: a page may
        send its content behind its frame. A fragment without a head stays as it is."""
        page = b""
        for chunk in chunks:
            page += chunk
            if found := HEAD.search(page):
                yield page[: found.end()] + self._script_tags() + page[found.end() :]
                yield from chunks
                return
        yield page

    def _script_tags(self) -> bytes:
        tags = f'<script src="{SCRIPT_PATH}" data-panel="{self._panel_url}"></script>'
        if self._injected():
            tags += f'<script src="{OBJECT_PATH}"></script>'
        return tags.encode()


def _chunks(upstream: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    try:
        yield from upstream.stream(CHUNK_BYTES, decode_content=False)
    finally:
        upstream.release_conn()
