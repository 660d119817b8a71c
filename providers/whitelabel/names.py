"""Every name that the vendor's published contract does not give: one table, each entry overridable.

The vendor publishes requests, but no shapes of answers, no grammar of `filter`, and event payloads that
each tenant defines itself. What we assume stands here and nowhere else; a program corrects an entry by
`[provider.whitelabel.names]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

# Reading: comma-separated paths, dots go deeper; the first that is there counts.
READING = {
    "wallet_points": "points,pointsBalance,balance,points.balance,points.value,balance.balance,balance.value",
    "wallet_lifetime": "lifetimeEarn,lifetimeEarn.value",
    "wallet_tier": "tier,currentTier",
    "wallet_vouchers": "vouchers",
    "benefit_owner": "owner.id",
    "benefit_code": "code.value",
    "discounts": "discounts,reward.discounts,voucher.reward.discounts",
    "discount_skus": "productSku,sku",
    "event_subject": "subject.id,subject",
    "event_reacted": "reactedAt",
    "reaction_points": "points",
    "adjusted_comment": "comment",
}

# Asking: where in the JSON of `filter` a value goes. `benefit_user` set: that parameter instead of a filter.
ASKING = {
    "filter_email": "profile.emailAddress",
    "filter_phone": "profile.telephoneNumber",
    "filter_auth": "authIdentifier",
    "filter_owner": "owner.id",
    "filter_subject": "subject.id",
    "filter_type": "type",
    "filter_consent_user": "user.id",
    "benefit_user": "",
}

# Telling: keys of the tenant's own event payloads; an empty one leaves the value out.
TELLING = {
    "points_points": "points",
    "points_cart": "transactionId",
    "points_store": "branchId",
    "points_request": "requestId",
    "sale_id": "transactionId",
    "sale_amount": "amount",
    "sale_currency": "currency",
    "sale_store": "branchId",
    "sale_associate": "cashierId",
    "sale_request": "requestId",
    "sale_items": "items",
    "item_sku": "sku",
    "item_quantity": "quantity",
    "item_amount": "amount",
    "sale_benefits": "discounts",
    "benefit_id": "benefitId",
    "return_id": "returnId",
    "probe_amount": "amount",
}

NAMES: dict[str, str] = {**READING, **ASKING, **TELLING}

# Without these keys an event of ours could not be found again: its outcome would stay unknown for ever.
NEEDED = ("points_points", "points_request", "sale_request")


@dataclass(frozen=True, slots=True)
class Names:
    """The table with a program's corrections."""

    changes: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        return self.changes.get(name, NAMES[name])

    def find(self, data: Any, name: str) -> Any:
        """Return the first value that is there (not null) on the paths of `name`; None without one."""
        for path in self[name].split(","):
            value = at(data, path)
            if value is not None:
                return value
        return None

    def number(self, data: Any, name: str) -> Decimal | None:
        """As `find`, but passes over what is no number."""
        for path in self[name].split(","):
            value = at(data, path)
            if isinstance(value, int | Decimal) and not isinstance(value, bool):
                return Decimal(value)
        return None

    def text(self, data: Any, name: str) -> str:
        """As `find`, but passes over what is no text; "" without one."""
        for path in self[name].split(","):
            value = at(data, path)
            if isinstance(value, str) and value:
                return value
        return ""

    def payload(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return `values` under the tenant's keys, without those that it does not want."""
        return {self[name]: value for name, value in values.items() if self[name]}

    def filter(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Return the object that asks for rows with these `values`."""
        result: dict[str, Any] = {}
        for name, value in values.items():
            *parents, last = self[name].split(".")
            place = result
            for parent in parents:
                place = place.setdefault(parent, {})
            place[last] = value
        return result


def at(data: Any, path: str) -> Any:
    """Return the value at a dotted `path` of parsed JSON, None where it ends early."""
    for key in path.strip().split("."):
        if not isinstance(data, Mapping):
            return None
        data = data.get(key)
    return data
