"""A served sandbox, a client with its token, and listeners that are real servers on loopback."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from pytest_httpserver import HTTPServer
from werkzeug.wrappers import Response

from loyaltyview.sandbox.app import Sandbox, SandboxConfig
from loyaltyview.sandbox.serve import Running, serve_in_thread

SECRET = "only-for-tests"


@pytest.fixture
def sandbox() -> Sandbox:
    """A sandbox that is not served: only its methods, without threads."""
    return Sandbox(SandboxConfig(client_secret=SECRET, loyalty_url="http://loyalty.test/launch/acme/"))


@pytest.fixture
def running() -> Iterator[Running]:
    """A sandbox behind real HTTP, without listeners and without a WebView."""
    running = serve_in_thread(Sandbox(SandboxConfig(client_secret=SECRET)))
    yield running
    running.stop()


class Api:
    """Calls to a served sandbox with the bearer token of its client."""

    def __init__(self, running: Running) -> None:
        self.url = running.url
        self.realm = f"{running.url}/auth/realms/acme-staging"
        self.headers: dict[str, str] = {}

    def token(self, **form: str) -> requests.Response:
        fields = {"client_id": "loyaltyview", "client_secret": SECRET, "grant_type": "client_credentials"}
        return requests.post(
            f"{self.realm}/protocol/openid-connect/token", data={**fields, **form}, timeout=5
        )

    def call(self, method: str, path: str, body: Any = None, **kwargs: Any) -> requests.Response:
        return requests.request(method, self.url + path, json=body, headers=self.headers, timeout=5, **kwargs)


@pytest.fixture
def api(running: Running) -> Api:
    api = Api(running)
    api.headers["Authorization"] = f"Bearer {api.token().json()['access_token']}"
    return api


class Listener:
    """A callback address. It answers with the statuses in `answers`, then 200, and keeps each request."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/events/")
        self.answers: list[int] = []
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self._lock = threading.Lock()
        server.expect_request("/events/", method="POST").respond_with_handler(self._answer)

    def _answer(self, request: Any) -> Response:
        with self._lock:
            self.bodies.append(request.get_json())
            self.keys.append(request.headers.get("Authorization", ""))
            return Response(status=self.answers.pop(0) if self.answers else 200)

    @property
    def names(self) -> list[str]:
        return [body["name"] for body in self.bodies]


@pytest.fixture
def listener(httpserver: HTTPServer) -> Listener:
    return Listener(httpserver)


@pytest.fixture
def voucher() -> Callable[..., dict[str, Any]]:
    """A valid voucher; keyword arguments replace fields, None removes a field."""

    def build(**fields: Any) -> dict[str, Any]:
        whole = {
            "voucherId": "v-1",
            "name": "10 off",
            "discount": 10,
            "type": "Fixed",
            "level": "Cart",
            **fields,
        }
        return {name: value for name, value in whole.items() if value is not None}

    return build
