"""Codes in the extended attribute that a retailer's set-up writes for a redeemed reward.

NewStore documents `extended_attributes[]` of an order and of its items as names and texts, and no name for
rewards: the program names it (`newstore_reward_attribute`). Its value is one code, or several in any list.
Source: docs/contracts/newstore.md 6.6, 8.1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from providers.texts import plain

LONGEST_VALUE = 2000
LONGEST_CODE = 100
MOST_WORDS = 100  # of one order: a sentence may stand before its code
# Codes are letters and digits, some with dashes. What separates them is up to who fills the attribute. A dot
# at the end is that of a sentence.
CODE = re.compile(r"[\w.-]+")


def reward_texts(holders: Iterable[Mapping[str, Any]], name: str) -> tuple[str, ...]:
    """Return the words in the attribute `name` of an order and its items, without repeats. Which of them are
    our codes is not known here. Anything that is not a text is ignored; without a name nothing is read."""
    if not name:
        return ()
    values = [value for holder in holders for value in _values(holder.get("extended_attributes"), name)]
    found = (word for value in values for word in CODE.findall(plain(value[:LONGEST_VALUE])))
    words = (word.rstrip(".") for word in found)
    return tuple(dict.fromkeys(word for word in words if 0 < len(word) <= LONGEST_CODE))[:MOST_WORDS]


def _values(attributes: Any, name: str) -> list[str]:
    """Return the texts under `name`: of a list of names and values, or of a map as profiles have it."""
    if isinstance(attributes, dict):
        found = [attributes.get(name)]
    elif isinstance(attributes, list):
        found = [each for each in attributes if isinstance(each, dict) and each.get("name") == name]
    else:
        return []
    values = [each.get("value") if isinstance(each, dict) else each for each in found]
    return [value for value in values if isinstance(value, str)]
