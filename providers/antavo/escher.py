"""Escher signatures as Antavo's servers check them, byte for byte.

Our own: the published libraries sign `%2B` in a query as it stands, Antavo's fork as a space, so that every
search by phone would be refused.
Source: github.com/antavo/escher-php (2019-01-18), github.com/emartech/escher-python 2.0.1 (2025-09-05).
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote_plus, urlsplit

import requests

ALGORITHM = "ANTAVO-HMAC-SHA256"
SIGNED_HEADERS = "date;host"
DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """`environment` is the stack's name (st9): it is part of the scope of every signature."""

    key: str
    secret: str
    environment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request as it goes over the wire: `query` raw, without "?"; `date` the value of its Date header."""

    method: str
    path: str
    query: str
    host: str
    date: str
    body: bytes


def long_date(at: datetime) -> str:
    """Return 20260115T102030Z, the form of the Date header that Antavo's own clients send."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def authorization(message: Message, credentials: Credentials, at: datetime) -> str:
    """Return the Authorization header for `message`, sent at `at`."""
    date = long_date(at)
    scope = [date[:8], credentials.environment, "api", "antavo_request"]
    to_sign = "\n".join([ALGORITHM, date, "/".join(scope), _sha256(canonical_request(message).encode())])
    key = b"ANTAVO" + credentials.secret.encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    credential = "/".join([credentials.key, *scope])
    return f"{ALGORITHM} Credential={credential}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"


def canonical_request(message: Message) -> str:
    return "\n".join(
        [
            message.method.upper(),
            canonical_path(message.path),
            canonical_query(message.query),
            f"date:{message.date}",
            f"host:{message.host}",
            "",
            SIGNED_HEADERS,
            _sha256(message.body),
        ]
    )


def canonical_path(path: str) -> str:
    """Return `path` without "..", "./" and double slashes; escapes stay as they are on the wire."""
    before = ""
    while before != path:
        before, path = path, re.sub(r"/[^/]+/\.\.(?=/|$)", "", path, count=1)
    return re.sub(r"/{2,}", "/", path.replace("./", "")) or "/"


def canonical_query(query: str) -> str:
    """Return `query` decoded, with every remaining "+" as a space, encoded again and sorted."""
    pairs = []
    for pair in filter(None, query.split("&")):
        name, _, rest = pair.partition("=")
        pairs.append(f"{_encode(name)}={_encode(rest.partition('=')[0])}")
    return "&".join(sorted(pairs))


def signer(
    credentials: Credentials, now: Callable[[], datetime]
) -> Callable[[requests.PreparedRequest], None]:
    """Return a function that signs each prepared request of a session at the time `now()`."""

    def sign(request: requests.PreparedRequest) -> None:
        at = now()
        parts = urlsplit(request.url or "")
        host = parts.netloc.removesuffix(DEFAULT_PORTS.get(parts.scheme, ""))
        body = request.body or b""
        message = Message(
            method=request.method or "GET",
            path=parts.path,
            query=parts.query,
            host=host,
            date=long_date(at),
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        request.headers["Host"] = host
        request.headers["Date"] = message.date
        request.headers["Authorization"] = authorization(message, credentials, at)

    return sign


def _encode(text: str) -> str:
    return quote(unquote_plus(text).replace("+", " "), safe="-_.~")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
