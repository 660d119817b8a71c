"""The admin token: lives 24 hours, kept by `providers.outbound.oauth`, asked for again when refused. And a
member's token, which we sign with the tenant's key.

Source: docs/contracts/whitelabel.md 1.3, 1.4. An admin token per call may be throttled or billed, so nobody
asks while one is good. A member's token costs no call.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

from providers.errors import AuthFailed, UnexpectedAnswer
from providers.outbound.deadline import remaining_s
from providers.outbound.exchange import Call
from providers.outbound.oauth import TokenCache, token_key
from providers.outbound.vendor_session import VendorSession
from providers.whitelabel.settings import Settings

EARLIER_S = 60
USER_TOKEN_LIVES = timedelta(minutes=5)


def user_token(settings: Settings, login: str, now: datetime) -> str:
    """Return a token of the member who logs in as `login`, as the tenant's identity provider signs one. `now`
    is the engine's time."""
    claims = {"sub": login, "iss": settings.user_token_issuer, "iat": now, "exp": now + USER_TOKEN_LIVES}
    headers = {"kid": settings.user_token_key_id} if settings.user_token_key_id else None
    return jwt.encode(claims, settings.signing_key, algorithm=settings.user_token_algorithm, headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminToken:
    """The token of one program's credentials. Cheap to create: it lives in the cache."""

    session: VendorSession
    client_id: str
    client_secret: str
    audience: str

    def get(self, refused: str = "") -> str:
        """Return a good token; never `refused`. Raises Unavailable, AuthFailed, UnexpectedAnswer."""
        tokens = TokenCache(key=self.key, fetch=self._ask, renew_before_s=EARLIER_S)
        return tokens.get(timeout_s=min(self.session.limits.read_total_s, remaining_s()), refused=refused)

    @property
    def key(self) -> str:
        return token_key(
            "whitelabel", self.session.program, self.client_id, self.client_secret, self.audience
        )

    def _ask(self, _timeout_s: float) -> tuple[str, int]:
        asked = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "audience": self.audience,
            "grant_type": "client_credentials",
        }
        answer = self.session.read(Call("POST", "/oauth/token", operation="get_token", json=asked))
        if answer.status >= 400:
            raise AuthFailed(f"get_token: {answer.status}")
        data = answer.json()
        token = data.get("access_token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not token:
            raise UnexpectedAnswer("get_token: no access_token")
        lives_s = data.get("expires_in")
        return token, lives_s if isinstance(lives_s, int) else 0
