"""Connecting a merchant: Pongo's consent form, the exchange of its code, and who the token belongs to.

The exchange uses `grant_type=client_credentials`, and there is no refresh (reference, "Get access token"):
a token that Pongo refuses needs the merchant's consent again.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from providers.answers import inner, text_of, whole_of
from providers.base import ProviderConfig
from providers.errors import RejectReason, UnexpectedAnswer
from providers.pongo.client import Client, data_of, object_of
from providers.pongo.models import Account

# What this adapter calls; one comma-separated list without blanks.
SCOPES = (
    "customer.create", "customer.read", "customer.update", "reward.read", "reward.update",
    "order.create", "order.update",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token that was tried. `expires_in_s` is None where Pongo does not say."""

    token: str
    expires_in_s: int | None
    merchant: tuple[str, str]


def form_url(config: ProviderConfig, *, state: str, redirect_uri: str) -> str:
    """Return the address of Pongo's form. There is no `response_type` in it (reference)."""
    query = urlencode(
        {
            "client_id": config.settings["client_id"],
            "state": state,
            "redirect_uri": redirect_uri,
            "scope": ",".join(SCOPES),
        },
        safe=",",
    )
    return f"{config.settings['base_url'].rstrip('/')}/v1/oauth/form?{query}"


def exchange(config: ProviderConfig, code: str) -> Granted:
    """Turn the form's code into a token, and ask whose it is. Raises ProviderError; a code works once."""
    nobody = Client(config, Account(program=config.program), token="")
    body = {
        nobody.names["token.code"]: code,
        "grant_type": "client_credentials",
        "client_id": nobody.settings.client_id,
        "client_secret": nobody.settings.client_secret,
    }
    answered = nobody.write("POST", nobody.names["path.token"], operation="exchange_code", body=body)
    whole = answered.json()
    data = data_of(answered, RejectReason.NOT_ALLOWED)
    holders = [holder for holder in (whole, data) if isinstance(holder, dict)]
    token = next(filter(None, (text_of(holder, "access_token", "token") for holder in holders)), "")
    if not token:
        raise UnexpectedAnswer("no token in the answer")
    expires_in_s = next(filter(None, (whole_of(holder, "expires_in") for holder in holders)), None)
    client = Client(config, Account(program=config.program), token=token)
    return Granted(token=token, expires_in_s=expires_in_s, merchant=merchant_of(client))


def merchant_of(client: Client) -> tuple[str, str]:
    """Return id and name of the merchant that the token belongs to, as far as Pongo tells."""
    me = object_of(client.read("GET", "/v1/oauth/me", operation="who_am_i"), RejectReason.NOT_ALLOWED)
    holder = inner(me, "merchant") or me
    merchant_id = text_of(holder, "id")
    return merchant_id, text_of(holder, "name") or text_of(me, "email") or merchant_id or "?"
