"""Serve the sandbox on loopback: API and panel on one port, the WebView on another."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from loyaltyview.sandbox.app import Sandbox
from loyaltyview.sandbox.webview import WebView

HOST = "127.0.0.1"


class PortTaken(Exception):
    """Another process listens there; `port` says where."""

    def __init__(self, port: int) -> None:
        super().__init__(f"Port {port} is taken.")
        self.port = port


class _Quiet(WSGIRequestHandler):
    """No access log: the address of a launch holds a customer's e-mail."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A sandbox that serves at `url`; `webview_url` is empty when it has no WebView."""

    sandbox: Sandbox
    url: str
    webview_url: str
    _stops: tuple[Callable[[], None], ...]

    def stop(self) -> None:
        """Stop serving and sending; returns when all threads are done."""
        for stop in self._stops:
            stop()


def serve_in_thread(sandbox: Sandbox, port: int = 0, webview_port: int = 0) -> Running:
    """Serve until `stop`; port 0 takes any free one. Raises PortTaken, and then nothing runs.

    There is a WebView only when `loyalty_url` is set.
    """
    panel_socket = _listen(port)
    webview_socket = None
    if sandbox.config.loyalty_url:
        try:
            webview_socket = _listen(webview_port)
        except PortTaken:
            panel_socket.close()
            raise
    sandbox.base_url = _address(panel_socket)
    stops = [_serve(panel_socket, sandbox.wsgi)]
    if webview_socket:
        sandbox.webview_url = _address(webview_socket)
        webview = WebView(sandbox.config.loyalty_url, sandbox.base_url, sandbox.app.injected)
        stops += [_serve(webview_socket, webview.wsgi), webview.close]
    sandbox.stream.start()
    stops.append(sandbox.stream.close)
    return Running(
        sandbox=sandbox, url=sandbox.base_url, webview_url=sandbox.webview_url, _stops=tuple(stops)
    )


def _listen(port: int) -> socket.socket:
    # We open the socket: werkzeug ends the process when a port is taken.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise PortTaken(port) from error
    return listener


def _address(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}"


def _serve(listener: socket.socket, wsgi: Any) -> Callable[[], None]:
    server: BaseWSGIServer = make_server(
        HOST, listener.getsockname()[1], wsgi, threaded=True, request_handler=_Quiet, fd=listener.fileno()
    )
    listener.close()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return stop
