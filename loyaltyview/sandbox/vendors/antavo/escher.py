"""Checking signatures as Antavo's server does: the checks in its order, "+" in a query signed as a space."""

import hashlib
import hmac
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, unquote_plus

from werkzeug.wrappers import Request

from loyaltyview.sandbox.vendors.antavo.answers import Refusal

SKEW_S = 300
HEADER = re.compile(
    r"ANTAVO-HMAC-SHA(256|512) Credential=([A-Za-z0-9_-]+)/(\d{8})/([a-z0-9]+)/api/antavo_request, "
    r"SignedHeaders=([a-z;-]+), Signature=([0-9a-f]+)"
)


def unauthorized(message: str) -> Refusal:
    """Return a refusal. Only the code for a malformed header is documented; it is assumed for other
    faults."""
    return Refusal(101021, message, 401, "UnauthorizedException")


def verify(request: Request, key: str, secret: str, environment: str) -> None:
    """Raise Refusal unless the request is signed with these credentials, now."""
    match = HEADER.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        raise unauthorized("Auth header format is invalid")
    bits, given_key, day, scope, signed, signature = match.groups()
    names = signed.split(";")
    if "host" not in names or "date" not in names:
        raise unauthorized("The host and date headers are not signed")
    date = request.headers.get("Date", "")
    at = _when(date)
    if f"{at:%Y%m%d}" != day:
        raise unauthorized("The credential date does not match with the request date")
    if abs((datetime.now(UTC) - at).total_seconds()) > SKEW_S:
        raise unauthorized("The request date is not within the accepted time range")
    if scope != environment:
        raise unauthorized("Invalid credential scope")
    if given_key != key:
        raise unauthorized("Invalid Escher key")
    expected = _signature(request, names, at, bits, secret, environment)
    if not hmac.compare_digest(signature, expected):
        raise unauthorized("The signatures do not match")


def _signature(
    request: Request, names: list[str], at: datetime, bits: str, secret: str, environment: str
) -> str:
    digest = f"sha{bits}"
    path, _, query = request.environ["RAW_URI"].partition("?")
    # Only the body of POST and PUT is hashed; for other methods the empty string is.
    body = request.get_data() if request.method in ("POST", "PUT") else b""
    canonical = [request.method, _path(path), _query(query)]
    canonical += [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in sorted(names)]
    canonical += ["", ";".join(sorted(names)), hashlib.new(digest, body).hexdigest()]
    scope = [f"{at:%Y%m%d}", environment, "api", "antavo_request"]
    hashed = hashlib.new(digest, "\n".join(canonical).encode()).hexdigest()
    to_sign = "\n".join([f"ANTAVO-HMAC-SHA{bits}", f"{at:%Y%m%dT%H%M%SZ}", "/".join(scope), hashed])
    key = f"ANTAVO{secret}".encode()
    for part in scope:
        key = hmac.new(key, part.encode(), digest).digest()
    return hmac.new(key, to_sign.encode(), digest).hexdigest()


def _path(path: str) -> str:
    return re.sub(r"/{2,}", "/", path.replace("./", "")) or "/"


def _query(query: str) -> str:
    pairs = [(*pair.split("=", 2), "")[:2] for pair in query.split("&") if pair]
    return "&".join(sorted("=".join(quote(_decoded(part), safe="-_.~") for part in pair) for pair in pairs))


def _decoded(text: str) -> str:
    return unquote_plus(text).replace("+", " ")


def _when(date: str) -> datetime:
    try:
        if re.fullmatch(r"\d{8}T\d{6}Z", date):
            return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        parsed = datetime.fromisoformat(date) if re.match(r"\d{4}-", date) else parsedate_to_datetime(date)
        return parsed.astimezone(UTC)
    except ValueError as error:
        raise unauthorized("Invalid date header") from error
