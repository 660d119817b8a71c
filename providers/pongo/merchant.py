"""A merchant at Pongo: the consent form, the exchange of its code, the token's merchant, and the stores.

The exchange uses `grant_type=client_credentials`, and there is no refresh (reference, "Get access token"):
a token that Pongo refuses needs the merchant's consent again.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from urllib.parse import urlencode

from providers.answers import inner, needed_text, text_of, whole_of
from providers.base import ProviderConfig
from providers.errors import RejectReason, UnexpectedAnswer
from providers.pongo.client import Client, data_of, list_of, object_of
from providers.pongo.models import Account
from providers.types import ProviderStore

ALIKE = 0.6
NOT_WORD = re.compile(r"[^a-z0-9]+")

# What this adapter calls; one comma-separated list without blanks.
SCOPES = (
    "customer.create", "customer.read", "customer.update", "reward.read", "reward.update",
    "order.create", "order.update",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A token that was tested. `expires_in_s` is None where Pongo does not give it."""

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
    """Exchange the form's code for a token, and ask for its merchant. Raises ProviderError; a code works
    once."""
    anonymous = Client(config, Account(program=config.program), token="")
    body = {
        anonymous.names["token.code"]: code,
        "grant_type": "client_credentials",
        "client_id": anonymous.settings.client_id,
        "client_secret": anonymous.settings.client_secret,
    }
    answered = anonymous.write("POST", anonymous.names["path.token"], operation="exchange_code", body=body)
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
    """Return id and name of the token's merchant, as far as Pongo gives them."""
    me = object_of(client.read("GET", "/v1/oauth/me", operation="who_am_i"), RejectReason.NOT_ALLOWED)
    holder = inner(me, "merchant") or me
    merchant_id = text_of(holder, "id")
    return merchant_id, text_of(holder, "name") or text_of(me, "email") or merchant_id or "?"


def list_stores(client: Client) -> tuple[ProviderStore, ...]:
    """Return the merchant's stores by name. A store's id for us is its slug: orders carry that."""
    answer = client.read("GET", client.names["path.stores"], operation="list_stores")
    stores = [
        ProviderStore(store_id=needed_text(item, "slug"), name=text_of(item, "name", "slug"))
        for item in list_of(answer)
    ]
    return tuple(sorted(stores, key=lambda store: (store.name, store.store_id)))


def suggest(names: Mapping[str, str], stores: tuple[ProviderStore, ...]) -> dict[str, str]:
    """Return the slug of the best matching store for each key of `names` (our store's id -> its name). A
    store belongs to the key that matches it best; keys without a match are left out."""
    scores = sorted(
        (
            (max(_likeness(name, store.name), _likeness(name, store.store_id)), key, store.store_id)
            for key, name in names.items()
            for store in stores
        ),
        reverse=True,
    )
    result: dict[str, str] = {}
    for score, key, slug in scores:
        if score >= ALIKE and key not in result and slug not in result.values():
            result[key] = slug
    return result


def _likeness(one: str, other: str) -> float:
    """Return 0 to 1. All words of the shorter name in the longer one ("Boston", "Acme Boston") is 0.9."""
    words, others = _words(one), _words(other)
    if not words or not others:
        return 0.0
    shared = words <= others or others <= words
    ratio = SequenceMatcher(None, " ".join(sorted(words)), " ".join(sorted(others))).ratio()
    return max(ratio, 0.9 if shared else 0.0)


def _words(name: str) -> set[str]:
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    return {word for word in NOT_WORD.split(plain) if word}
