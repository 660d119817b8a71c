"""Stores and tiers: what changes so seldom that it is remembered for some minutes."""

from typing import Any

from django.core.cache import cache

from providers.answers import rows, whole_of
from providers.errors import UnexpectedAnswer
from providers.types import ProviderStore
from providers.whitelabel.engine import Engine, Json

REMEMBERED_S = 300
MOST_PAGES = 20


def list_stores(engine: Engine) -> tuple[ProviderStore, ...]:
    """Return the venues, fresh. Assumed: the external identifier is what `venueIdentifier` means, so it is
    the store's id wherever there is one."""
    return tuple(
        ProviderStore(store_id=_store_id(row), name=str(row.get("name") or _store_id(row)))
        for row in _venues(engine)
        if _store_id(row)
    )


def stores_by_venue(engine: Engine) -> dict[str, str]:
    """Return our store ids by the ids of venues, by which discounts name them."""
    return dict(
        _remembered(engine, "stores", lambda: [[str(v.get("id")), _store_id(v)] for v in _venues(engine)])
    )


def list_tiers(engine: Engine) -> list[Json]:
    """Return the tiers, the lowest first."""

    def ask() -> list[Json]:
        data = engine.get("/tiers", operation="list_tiers", params=engine.locale)
        if not isinstance(data, list):
            raise UnexpectedAnswer("list_tiers: not a list")
        kept = ("id", "name", "priority", "pointsRequirement", "calculation")
        return [
            {key: row.get(key) for key in kept}
            for row in sorted(rows(data), key=requirement)
            if whole_of(row, "pointsRequirement") is not None
        ]

    tiers: list[Json] = _remembered(engine, "tiers", ask)
    return tiers


def requirement(tier: Json) -> int:
    """Return the points that a tier needs."""
    return whole_of(tier, "pointsRequirement") or 0


def _venues(engine: Engine) -> list[Json]:
    found: list[Json] = []
    for page in range(MOST_PAGES):
        page_rows = engine.rows(
            "/venues", operation="list_venues", params=engine.locale, limit=1000, skip=1000 * page
        )
        found += page_rows
        if len(page_rows) < 1000:
            break
    return found


def _store_id(venue: Json) -> str:
    return str(venue.get("externalIdentifier") or venue.get("id") or "")


def _remembered(engine: Engine, what: str, ask: Any) -> Any:
    key = f"whitelabel:{engine.config.program}:{what}"
    known = cache.get(key)
    if known is None:
        known = ask()
        cache.set(key, known, timeout=REMEMBERED_S)
    return known
