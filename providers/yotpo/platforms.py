"""Which status makes an order earn on each platform of a shop.

The tables are Yotpo's own (docs/contracts/yotpo.md 9.3). Which of a platform's statuses earn is a setting of
the merchant in Yotpo, so the program chooses the one that fits. What does not earn is in none of its tables.
"""

from collections.abc import Mapping
from typing import Final

GENERIC, MAGENTO, SHOPIFY, BIGCOMMERCE, SFCC = "generic", "magento", "shopify", "bigcommerce", "sfcc"
PLATFORMS: Final = (GENERIC, MAGENTO, SHOPIFY, BIGCOMMERCE, SFCC)
# Where Yotpo compares the status with a pattern of the merchant's: the program names a text that fits it.
FREE: Final = (GENERIC, MAGENTO)
PAID: Final = "paid"  # what clients in the field send there

# "completed" is also what Yotpo wants for its rule "any paid status".
BIGCOMMERCE_STATUSES: Final = (
    "completed", "awaitingfulfillment", "awaitingshipment", "awaitingpickup", "partiallyshipped", "shipped",
)  # fmt: skip
BIGCOMMERCE_OPEN: Final = "awaitingpayment"  # a status of BigCommerce that is in no rule of Yotpo's table

# Yotpo takes Salesforce's numbers. CREATED stands for every rule that has CREATED in it: "CREATED or NEW",
# "CREATED, NEW or OPEN" and so on.
SFCC_CODES: Final[Mapping[str, str]] = {"COMPLETED": "5", "CREATED": "0", "NEW": "3", "OPEN": "4"}
# An order that must not earn. Beside COMPLETED alone, any rule may include OPEN: so it says COMPLETED there.
SFCC_OPEN: Final[Mapping[str, str]] = {"COMPLETED": "4", "CREATED": "5", "NEW": "5", "OPEN": "5"}

TABLE: Final = (
    "Of the shop; it decides which status makes an order earn. generic and magento: the text of "
    "order_status, which must match Process Order With Status in Yotpo, usually paid. shopify: none, an "
    "order earns when it arrives. bigcommerce: completed (also for any paid status), awaitingfulfillment, "
    "awaitingshipment, awaitingpickup, partiallyshipped or shipped. sfcc (Salesforce): COMPLETED (5), "
    "CREATED alone or with NEW or OPEN (0), NEW (3) or OPEN (4)."
)
