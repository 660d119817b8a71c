"""Stores and tiers: what changes so seldom that it is remembered for some minutes."""

from collections.abc import Mapping
from typing import Any

from django.core.cache import cache

from providers.answers import rows, text, text_of, whole_of
from providers.errors import UnexpectedAnswer
from providers.types import ProviderStore
from providers.whitelabel.client import Client, Json

REMEMBERED_S = 300
MOST_PAGES = 20
UNREADABLE = "?"  # the store of a venue without an id


def list_stores(client: Client) -> tuple[ProviderStore, ...]:
    """Return the venues, fresh. Assumed: the external identifier is what `venueIdentifier` means, so it is
    the store's id wherever there is one."""
    return tuple(
        ProviderStore(store_id=_store_id(row), name=str(row.get("name") or _store_id(row)))
        for row in _venues(client)
        if _store_id(row)
    )


def stores_by_venue(client: Client) -> dict[str, str]:
    """Return our store ids by the ids of venues, by which discounts name them."""
    return dict(
        _remembered(client, "stores", lambda: [[str(v.get("id")), _store_id(v)] for v in _venues(client)])
    )


def store_limits(venues: Any, stores: Mapping[str, str]) -> tuple[str, ...]:
    """Return our ids of the stores to which `venues` limit something. One that we do not know, or cannot
    read, is no store of ours, but it still limits."""
    listed = venues if isinstance(venues, list) else [venues] if venues else []
    ids = [text_of(each, "id") if isinstance(each, dict) else text(each) for each in listed]
    return tuple(stores.get(venue, venue) or UNREADABLE for venue in ids)


def list_tiers(client: Client) -> list[Json]:
    """Return the tiers, the lowest first."""

    def ask() -> list[Json]:
        data = client.get("/tiers", operation="list_tiers", params=client.locale)
        if not isinstance(data, list):
            raise UnexpectedAnswer("list_tiers: not a list")
        kept = ("id", "name", "priority", "pointsRequirement", "calculation")
        return [
            {key: row.get(key) for key in kept}
            for row in sorted(rows(data), key=requirement)
            if whole_of(row, "pointsRequirement") is not None
        ]

    tiers: list[Json] = _remembered(client, "tiers", ask)
    return tiers


def requirement(tier: Json) -> int:
    """Return the points that a tier needs."""
    return whole_of(tier, "pointsRequirement") or 0


def _venues(client: Client) -> list[Json]:
    found: list[Json] = []
    for page in range(MOST_PAGES):
        page_rows = client.rows(
            "/venues", operation="list_venues", params=client.locale, limit=1000, skip=1000 * page
        )
        found += page_rows
        if len(page_rows) < 1000:
            break
    return found


def _store_id(venue: Json) -> str:
    return str(venue.get("externalIdentifier") or venue.get("id") or "")


def _remembered(client: Client, what: str, ask: Any) -> Any:
    key = f"whitelabel:{client.config.program}:{what}"
    known = cache.get(key)
    if known is None:
        known = ask()
        cache.set(key, known, timeout=REMEMBERED_S)
    return known
