"""Connect: the consent form in the browser, the token, and its merchant (docs/contracts/pongo.md 1.2)."""

import secrets
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode, urlsplit

from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.pongo import validation
from loyaltyview.sandbox.vendors.pongo.sample import MERCHANT
from loyaltyview.sandbox.vendors.pongo.validation import Refused, answer, read_body, wrapped

SCOPES = frozenset(
    f"{what}.{may}"
    for what in ("customer", "reward", "contest-game", "order")
    for may in ("create", "read", "update")
) | {"checkin.create"}
YEAR_S = 31_536_000

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Pongo</title>
<body data-page="consent"><h1>Connect {merchant}?</h1><p>{client} asks for: {scopes}</p>
<form method="post"><button name="answer" value="allow">Allow</button>
<button name="answer" value="refuse">Refuse</button></form></body></html>"""

TOKEN_FIELDS = {
    "code": validation.string,
    "username": validation.string,
    "password": validation.string,
    "scope": validation.string,
    "grant_type": validation.string,
    "client_id": validation.string,
    "client_secret": validation.string,
}


@dataclass(slots=True, kw_only=True)
class Token:
    scopes: frozenset[str]
    is_expired: bool = False


class OAuth:
    """`secret` is the client's secret, and also a token with all scopes that Pongo gave out by hand. Only our
    callback at `our_origin` is allowed."""

    def __init__(self, secret: str, our_origin: str) -> None:
        self.client_id, self.client_secret = "loyaltyview", secret
        self.redirect_uris = [f"{our_origin}/admin/pongo/callback/"]
        self.tokens: dict[str, Token] = {secret: Token(scopes=SCOPES)}
        self.codes: dict[str, frozenset[str]] = {}

    def form(self, request: Request) -> Response:
        """Show the form, and send the browser back with the answer."""
        args = request.args
        scopes = frozenset(args.get("scope", "").split(","))
        if args.get("client_id") != self.client_id or args.get("redirect_uri") not in self.redirect_uris:
            raise Refused(400, "Unknown client or redirect URI.")
        if not args.get("state") or not scopes <= SCOPES:
            raise Refused(400, "Unknown scopes, or no state.")
        if request.method == "GET":
            shown = {
                "merchant": MERCHANT["name"],
                "client": self.client_id,
                "scopes": ", ".join(sorted(scopes)),
            }
            page = PAGE.format(**{name: escape(text) for name, text in shown.items()})
            return Response(page, mimetype="text/html")
        if request.form.get("answer") != "allow":
            return self._back(args["redirect_uri"], error="access_denied", state=args["state"])
        code = secrets.token_urlsafe(24)
        self.codes[code] = scopes
        return self._back(args["redirect_uri"], code=code, state=args["state"])

    def token(self, request: Request) -> Response:
        body = read_body(request, TOKEN_FIELDS, frozenset({"grant_type", "client_id", "client_secret"}))
        if body["grant_type"] not in ("client_credentials", "password"):
            raise validation.invalid(grant_type="The selected grant type is invalid.")
        if (body["client_id"], body["client_secret"]) != (self.client_id, self.client_secret):
            return answer({"error": "invalid_client", "message": "Client authentication failed"}, 401)
        if body["grant_type"] == "password":
            raise validation.invalid(username="These credentials do not match our records.")
        if not body.get("code"):
            raise validation.invalid(code="This field is required.")
        scopes = self.codes.pop(body["code"], None)
        if scopes is None:
            return answer({"error": "invalid_grant", "message": "The code is invalid."}, 400)
        return answer({"token_type": "Bearer", "expires_in": YEAR_S, "access_token": self._new_token(scopes)})

    def me(self, _request: Request) -> Response:
        return wrapped({"id": "usr_0000000001", "name": "Acme back office", "merchant": MERCHANT})

    def check(self, request: Request, scope: str) -> str:
        """Return the token of the request; raise Refused unless it is valid and has `scope`."""
        kind, _, value = request.headers.get("Authorization", "").partition(" ")
        token = self.tokens.get(value)
        if kind != "Bearer" or token is None or token.is_expired:
            raise Refused(401, "Unauthenticated.")
        if scope and scope not in token.scopes:
            raise Refused(403, "Invalid scope(s) provided.")
        return value

    def expire_all(self) -> None:
        for token in self.tokens.values():
            token.is_expired = True

    def _new_token(self, scopes: frozenset[str]) -> str:
        value = f"eyJ0eXAiOiJKV1QifQ.{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(16)}"
        self.tokens[value] = Token(scopes=scopes)
        return value

    def _back(self, address: str, **query: str) -> Response:
        return redirect(f"{address}?{urlencode(query)}")


def origin_of(address: str) -> str:
    """Return scheme and host of `address`, "" for none."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
