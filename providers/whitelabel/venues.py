"""Stores and tiers: catalogues of the tenant."""

from collections.abc import Mapping
from typing import Any

from providers.answers import rows, text, text_of, whole_of
from providers.errors import UnexpectedAnswer
from providers.outbound import catalogues
from providers.types import ProviderStore
from providers.whitelabel.client import Client, Json

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

    def read() -> list[list[str]]:
        return [[str(venue.get("id")), _store_id(venue)] for venue in _venues(client)]

    return catalogues.known(client.config, "stores", read=read, parse=dict, for_a_tap=catalogues.FRESH)


def store_limits(venues: Any, stores: Mapping[str, str]) -> tuple[str, ...]:
    """Return our ids of the stores to which `venues` limit something. One that we do not know, or cannot
    read, is no store of ours, but it still limits."""
    listed = venues if isinstance(venues, list) else [venues] if venues else []
    ids = [text_of(each, "id") if isinstance(each, dict) else text(each) for each in listed]
    return tuple(stores.get(venue, venue) or UNREADABLE for venue in ids)


def list_tiers(client: Client) -> list[Json]:
    """Return the tiers, the lowest first."""

    def read() -> list[Json]:
        data = client.get("/tiers", operation="list_tiers", params=client.locale)
        if not isinstance(data, list):
            raise UnexpectedAnswer("list_tiers: not a list")
        kept = ("id", "name", "priority", "pointsRequirement", "calculation")
        return [
            {key: row.get(key) for key in kept}
            for row in sorted(rows(data), key=requirement)
            if whole_of(row, "pointsRequirement") is not None
        ]

    return catalogues.known(client.config, "tiers", read=read, parse=rows, for_a_tap=catalogues.FRESH)


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
