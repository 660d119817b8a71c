"""Which products a reward is for, and whether the tills know them: for the merchant, who types SKUs at Pongo.

A free product works at the till only where the reward's SKUs have the product id of NewStore's carts
(docs/contracts/pongo.md 4.1). Nothing lists NewStore's products: what was sold or in a cart lately counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.utils.translation import gettext as _

from providers.answers import needed_text, text_of
from providers.pongo.client import Client
from providers.pongo.rewards import FREE_PRODUCT, KnownSkus, all_rewards, discount_of, split_skus
from providers.types import DiscountKind

ALIKE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sku:
    """One SKU of a reward. `is_ours` goes by the program's settings, `is_sold` by carts and orders. `alike`
    is a product id that is written nearly the same, "" for none."""

    text: str
    is_ours: bool
    is_sold: bool
    alike: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """One reward with its SKUs, and what the merchant should enter at Pongo ("" for nothing)."""

    reward_id: str
    title: str
    kind: str
    skus: tuple[Sku, ...]
    advice: str

    @property
    def works(self) -> bool:
        return not self.advice


def guides(client: Client, known: KnownSkus, currency: str, sold: frozenset[str]) -> tuple[Guide, ...]:
    """Return all rewards of the merchant, those that need an entry first. Raises ProviderError."""
    found = [_guide(client, item, known, currency, sold) for item in all_rewards(client)]
    return tuple(sorted(found, key=lambda guide: (guide.works, guide.title)))


def _guide(
    client: Client, item: dict[str, Any], known: KnownSkus, currency: str, sold: frozenset[str]
) -> Guide:
    kind = text_of(item, "type")
    listed = split_skus(text_of(item, "external_id")) if kind == FREE_PRODUCT else []
    skus = tuple(_sku(text, known, sold) for text in listed)
    if kind == FREE_PRODUCT:
        advice = _advice(skus, sold)
    elif discount_of(client, item, known, currency).kind is DiscountKind.UNKNOWN:
        advice = _("This kind of reward cannot be used at the till. Use a voucher or a free product.")
    else:
        advice = ""
    return Guide(
        reward_id=needed_text(item, "id"), title=text_of(item, "name"), kind=kind, skus=skus, advice=advice
    )


def _sku(text: str, known: KnownSkus, sold: frozenset[str]) -> Sku:
    is_ours, is_sold = known.knows(text), text in sold
    return Sku(text=text, is_ours=is_ours, is_sold=is_sold, alike="" if is_sold else _alike(text, sold))


def _alike(text: str, sold: Iterable[str]) -> str:
    """Return the product id that differs only in writing, or in a letter or two."""
    by_writing = {product.casefold(): product for product in sorted(sold)}
    near = get_close_matches(text.casefold(), by_writing, n=1, cutoff=ALIKE)
    return by_writing[near[0]] if near else ""


def _advice(skus: tuple[Sku, ...], sold: frozenset[str]) -> str:
    if any(sku.is_ours and sku.is_sold for sku in skus):
        return ""
    if outside := next((sku.text for sku in skus if sku.is_sold), ""):
        return _(
            "%(sku)s is sold here, but the settings skus and sku_pattern leave it out: add it there."
        ) % {"sku": outside}
    if alike := next((sku.alike for sku in skus if sku.alike), ""):
        return _("Enter %(sku)s at Pongo: the product has this id here.") % {"sku": alike}
    if not skus:
        return _("No SKU is entered. Enter the product id that NewStore shows, several with commas.")
    if not sold:
        return _("No order or cart is known yet, so the SKUs cannot be compared. Check them with NewStore.")
    return _(
        "None of these SKUs was in an order or cart lately. Enter the product id that NewStore shows, "
        "beside those of other systems, with a comma."
    )
