"""VIP tiers: the member's own by its name (the record has no id), and how far the next one is.

Source: loyaltyapi.yotpo.com/reference/fetch-vip-tiers. Whether all of a tier's thresholds must be reached or
any of them is a setting of the merchant that the API does not tell: ours is `tier_rule`.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from providers.answers import inner, objects_in, text_of, whole_of
from providers.errors import ProviderError
from providers.outbound import catalogues
from providers.types import Tier
from providers.yotpo.client import Client, is_ok

# Of a tier's thresholds those that a page can show: (in the tier, in the member's record, unit, per unit).
DIMENSIONS = (
    ("points_earned", "points_needed", "points", 1),
    ("amount_spent_cents", "amount_cents_needed", "", 100),
)


def tier_of(client: Client, record: Mapping[str, Any]) -> Tier | None:
    """Return the member's tier, None without one. A list of tiers that cannot be read leaves its name."""
    name = text_of(record, "vip_tier_name")
    if not name:
        return None
    try:
        tiers = list_tiers(client)
    except ProviderError:
        return Tier(name=name)
    at = next((i for i, tier in enumerate(tiers) if text_of(tier, "name") == name), None)
    if at is None or at + 1 >= len(tiers):
        return Tier(name=name)
    needed = inner(record, "vip_tier_upgrade_requirements")
    return _on_the_way(client, tiers[at], tiers[at + 1], needed)


def tiers_above(client: Client, name: str) -> dict[str, str]:
    """Return the names of the tiers above the one called `name`, by their spelling without case: all of them
    for a member without a tier, none where Yotpo does not answer."""
    try:
        names = [text_of(tier, "name") for tier in list_tiers(client)]
    except ProviderError:
        return {}
    above = names[names.index(name) + 1 :] if name in names else names
    return {each.casefold(): each for each in above}


def unknown_tiers(client: Client, tiers: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the tiers that the program's `reward_values` name and the account does not have."""
    known = {text_of(tier, "name").casefold() for tier in tiers}
    named = {value.tier for value in client.settings.reward_values.values() if value.tier}
    return sorted(name for name in named if name.casefold() not in known)


def list_tiers(client: Client) -> list[dict[str, Any]]:
    """Return the program's tiers, lowest first, as the catalogue has them: they give a tap no discount."""

    def read() -> list[dict[str, Any]]:
        answer = client.get("/vip_tiers", operation="list_tiers", params={})
        if not is_ok(answer):
            raise client.refusal(answer)
        return objects_in(answer.json(), "tiers")

    return catalogues.known(
        client.config,
        "tiers",
        read=read,
        parse=lambda content: sorted(objects_in(content, "tiers"), key=_rank),
        for_a_tap=catalogues.FRESH,
    )


def _rank(tier: Mapping[str, Any]) -> tuple[int, ...]:
    # Only some answers carry a rank; sorting is stable, so equal tiers keep Yotpo's order.
    return (whole_of(tier, "rank") or 0, *(_threshold(tier, name) for name, _, _, _ in DIMENSIONS))


def _threshold(tier: Mapping[str, Any], name: str) -> int:
    return whole_of(inner(tier, "entry_threshold") or tier, name) or 0


def _on_the_way(
    client: Client, tier: Mapping[str, Any], above: Mapping[str, Any], needed: Mapping[str, Any]
) -> Tier:
    """Return `tier` with the way to the one above, measured by the threshold that decides."""
    ways = []
    for name, needed_name, unit, per_unit in DIMENSIONS:
        threshold, missing = _threshold(above, name), whole_of(needed, needed_name)
        if threshold and missing and 0 < missing <= threshold:
            ways.append((Decimal(missing) / threshold, name, threshold, missing, unit, per_unit))
    if not ways:
        return Tier(name=text_of(tier, "name"))
    choose = min if client.settings.tier_rule == "any" else max
    _share, name, threshold, missing, unit, per_unit = choose(ways)
    progress = threshold - missing
    return Tier(
        name=text_of(tier, "name"),
        next_name=text_of(above, "name"),
        progress=Decimal(progress) / per_unit,
        # Tiers are kept for a period, so that a member may be below the entry of their own.
        threshold=Decimal(min(_threshold(tier, name), progress)) / per_unit,
        next_threshold=Decimal(threshold) / per_unit,
        unit=unit or client.currency,
    )
