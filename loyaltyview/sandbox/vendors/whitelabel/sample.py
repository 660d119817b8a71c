"""The Acme Club as this vendor's tenant, with the house program's people and rewards. All of it is
invented."""

import uuid
from typing import Any

from loyaltyview.sandbox.answers import Json

SPACE = uuid.UUID("6f0c3c5e-7f5b-4c5c-9d6e-0a1b2c3d4e5f")
EMAIL_CONSENT = "b1a5c0de-0000-4000-8000-0000000000e1"
SMS_CONSENT = "b1a5c0de-0000-4000-8000-0000000000e2"
BOSTON = "b0570000-0000-4000-8000-000000000001"
STAFF = "a0d1e0ce-0000-4000-8000-000000000001"  # the audience of the staff
USER_ISSUER = "https://login.acme.example/"
LYON = "b0570000-0000-4000-8000-000000000002"


def fixed_id(name: str) -> str:
    """Return the same uuid in every run, so that a demo's data is valid after a restart."""
    return str(uuid.uuid5(SPACE, name))


SETTINGS = {"redemption.rate": "0.01"}

VENUES: list[Json] = [
    {"id": BOSTON, "name": "Boston", "externalIdentifier": "boston-1", "type": "TENANT"},
    {"id": LYON, "name": "Lyon", "externalIdentifier": "lyon-2", "type": "TENANT"},
]


def _tier(name: str, priority: int, points: int) -> Json:
    return {
        "id": fixed_id(f"tier-{name}"),
        "name": name,
        "priority": priority,
        "pointsRequirement": points,
        "calculation": "LIFETIME_EARN",
    }


TIERS = [_tier("Bronze", 1, 0), _tier("Silver", 2, 500), _tier("Gold", 3, 2000)]


def discount(kind: str, value: int, **limits: Any) -> Json:
    """One discount object, money in minor units."""
    return {
        "id": str(uuid.uuid4()),
        "type": kind,
        "value": value,
        "sku": None,
        "productSku": None,
        "venues": [],
        **limits,
    }


def reward(name: str, price: int, *discounts: Json, **fields: Any) -> Json:
    """One reward as the engine shows it."""
    return {
        "id": fixed_id(f"reward-{name}"),
        "type": "VOUCHER",
        "name": name,
        "summary": "",
        "description": "",
        "price": price,
        "value": discounts[0]["value"] if discounts and discounts[0]["type"] == "ABSOLUTE" else 0,
        "availability": {"start": "2024-01-01T00:00:00.000Z", "end": None},
        "purchasable": True,
        "redemptionChannels": ["IN_STORE", "ONLINE"],
        "codeType": "OTP",
        "tier": None,
        "venues": [],
        "stockCapacity": None,
        "stockConsumed": 0,
        "isLocked": False,
        "discounts": list(discounts),
        **fields,
    }


def _offer(*audiences: str) -> Json:
    """An always-on offer: it cannot be bought, and the engine keeps nothing of its use."""
    return {
        "type": "GENERIC_OFFER",
        "purchasable": False,
        "purchasableForAudiences": [{"id": audience} for audience in audiences],
    }


def _static(code: str) -> Json:
    """A code that is the same for everybody who has the voucher."""
    return {"purchasable": False, "codeType": "STATIC", "code": {"value": code}}


def _gift_card(denomination: str) -> Json:
    """A gift card of another brand, which the engine buys from Runa."""
    return {
        "type": "WEGIFT_PRODUCT",
        "brandName": "Bean & Leaf",
        "denomination": denomination,
        "currency": "USD",
        "productCode": "BEANLEAF-US",
    }


def rewards() -> list[Json]:
    """The catalogue, new for every server."""
    tote = "Natural cotton, made to carry shoes home."
    return [
        reward("$5 off", 100, discount("ABSOLUTE", 500)),
        reward("$10 off", 200, discount("ABSOLUTE", 1000)),
        reward("Free canvas tote", 300, discount("PERCENTAGE", 100, productSku="TOTE-01"), description=tote),
        reward("Linen shirt for $49", 250, discount("FIXED", 4900, productSku="SHIRT-01")),
        reward("15% off", 400, discount("PERCENTAGE", 15)),
        reward("$8 off in Lyon", 120, discount("ABSOLUTE", 800, venues=[{"id": LYON}])),
        reward("$25 off", 1000, discount("ABSOLUTE", 2500)),
        reward("Gold: $40 off", 1200, discount("ABSOLUTE", 4000), tier={"id": TIERS[2]["id"]}),
        reward("Free shipping", 150, discount("ABSOLUTE", 500), redemptionChannels=["ONLINE"]),
        reward("Museum ticket", 350, codeType="POOL"),
        reward("Last umbrella", 90, discount("ABSOLUTE", 700), stockCapacity=3, stockConsumed=3),
        reward("Welcome offer", 0, discount("PERCENTAGE", 5), **_offer()),
        reward("Staff: 20% off", 0, discount("PERCENTAGE", 20), **_offer(STAFF)),
        reward("$3 off from $30", 0, discount("ABSOLUTE", 300), minTransactionAmount=3000, **_offer()),
        reward("Double points weekend", 0, **_offer()),
        reward("$10 birthday voucher", 0, discount("ABSOLUTE", 1000), purchasable=False),
        reward("20% off shoes", 0, discount("PERCENTAGE", 20, sku="SHOES"), purchasable=False),
        reward("Friends of Acme: $6 off", 0, discount("ABSOLUTE", 600), **_static("FRIENDS-26")),
        reward("Free sticker", 0, discount("ABSOLUTE", 200), purchasable=False, codeType="HUMAN"),
        reward("Coffee gift card", 2500, **_gift_card("25.00")),
    ]


# first name, last name, e-mail, phone as typed, account number, points
PEOPLE = (
    ("Mia", "Stone", "mia@example.test", "+1 617-555-0100", "1000101", 820),
    ("Leo", "Park", "leo@example.test", "+16175550101", "1000102", 60),
    ("Ana", "Ruiz", "ana@example.test", None, "1000103", 3150),
)
# Ana redeemed it in the app and shows this code at the till.
ANA_CODE = "PROMO-4KT9WM"
