"""Pongo's stores, and which of them a shop of ours probably is."""

import re
import unicodedata
from collections.abc import Mapping
from difflib import SequenceMatcher

from providers.answers import needed_text, text_of
from providers.pongo.client import Client, list_of
from providers.types import ProviderStore

ALIKE = 0.6
NOT_WORD = re.compile(r"[^a-z0-9]+")


def list_stores(client: Client) -> tuple[ProviderStore, ...]:
    """Return the merchant's stores by name. A store's id for us is its slug: orders carry that."""
    answer = client.read("GET", client.names["path.stores"], operation="list_stores")
    stores = [
        ProviderStore(store_id=needed_text(item, "slug"), name=text_of(item, "name", "slug"))
        for item in list_of(answer)
    ]
    return tuple(sorted(stores, key=lambda store: (store.name, store.store_id)))


def suggest(names: Mapping[str, str], stores: tuple[ProviderStore, ...]) -> dict[str, str]:
    """Return for each key of `names` (our store's id -> its name) the slug of the likeliest store that no
    other is likelier for; keys without one are left out."""
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
